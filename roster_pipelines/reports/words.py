"""The words of every report, for an IT administrator of a district: verdict, meaning, next step, places."""

from collections.abc import Sequence
from dataclasses import dataclass

from roster_pipelines.findings import FindingCount, Severity
from roster_pipelines.staging.summary import Summary, Verdict


@dataclass(frozen=True)
class Nouns:
    """What a place in a delivery is called."""

    file: str
    line: str


OF_FILES, OF_COLLECTIONS = Nouns("file", "line"), Nouns("collection", "record")

VERDICTS: dict[Verdict, str] = {
    "accepted": "Accepted",
    "accepted_with_findings": "Accepted, with findings",
    "refused": "Refused",
}
SIGNS: dict[Verdict, str] = {"accepted": "✓", "accepted_with_findings": "!", "refused": "✗"}
"""For each verdict a sign, so that none is told by its colour alone."""
EFFECTS: dict[Severity, str] = {
    "fatal": "refuses the delivery",
    "error": "rejects the row",
    "warning": "warning",
    "info": "for information",
}

_SPREADSHEET = (
    "Opening and saving a CSV file in a spreadsheet such as Excel can do this; ClassLink, too, advises against it. "
    "Send the files as your student information system wrote them."
)
_AUTOSEND = (
    "PowerSchool AutoSend sends each file on a schedule of its own: check that every file of the roster has one."
)
_OF_FILES_ONLY = (_SPREADSHEET, _AUTOSEND)
HINTS: dict[str, tuple[str, ...]] = {
    "value-spreadsheet": (_SPREADSHEET,),
    "separator": (_SPREADSHEET,),
    "encoding-windows-1252": (_SPREADSHEET,),
    "manifest-version": (_SPREADSHEET,),
    "grade-form": (_SPREADSHEET,),
    "nces-id-form": (
        "Spreadsheets drop leading zeros. The NCES ids of Alabama, Alaska, Arizona, Arkansas, California, Colorado and "
        "Connecticut begin with one.",
    ),
    "nces-id-unlikely": (
        "Often the state's or the district's own number stands there. The NCES id of a school is the 7 digits of its "
        "district followed by 5 more.",
    ),
    "row-truncated": (
        "An upload that was cut off looks like this: FileZilla, among others, writes straight to the final name. "
        "Check in the log of your upload that it ended well.",
    ),
    "file-missing": (_AUTOSEND,),
    "file-name": ("PowerSchool AutoSend names its files by a template, which you can change.",),
    "reference-nowhere": (_AUTOSEND,),
    "reference-nowhere userSourcedId": (
        "Infinite Campus leaves people without a user name or an enabled account out of OneRoster 1.1, so that their "
        "enrollments name nobody.",
    ),
    "email-doubled": (
        "Infinite Campus makes one user per role in OneRoster 1.1: a teacher who is a parent too is there twice, "
        "perhaps with one address.",
    ),
    "ids-changed": (
        "In Infinite Campus every id changes with the move from OneRoster 1.1 to 1.2.",
        "In ClassLink the preprocessor that merges users makes ids from names, so that a new name is a new id.",
    ),
}
"""By rule, or by rule and column, what is known of common student information systems.

Only what their own or their users' documents say.
"""

_NO_VALUES = (
    "no name, address or other value of a person. An id that looks like a name or an e-mail address is shown as "
    "(masked)."
)


def nouns(summary: Summary) -> Nouns:
    """Say what the places of a delivery are called."""
    return OF_COLLECTIONS if summary.api else OF_FILES


def never_stored(summary: Summary) -> str:
    """Say what is kept of nobody, and what the report does not name."""
    if summary.api:
        return (
            "Passwords, pronouns and people's accounts elsewhere are left out before anything is stored; demographics "
            "and gradebooks are never asked for. This report names collections, the places of records, columns and "
            f"record ids only: {_NO_VALUES}"
        )
    return (
        "Passwords, pronouns and demographics.csv are never stored, and gradebook files are not read. This report "
        f"names files, lines, columns and record ids only: {_NO_VALUES}"
    )


def meaning(summary: Summary) -> str:
    """Say in one or two sentences what the verdict means for the district."""
    if summary.verdict == "refused":
        return "Nothing of this delivery can be used as it is. What was delivered and accepted before stays in use."
    rejected = sum(counts.rejected for counts in summary.tables.values())
    if rejected:
        return f"{amount(rejected, 'row')} cannot be used and {_be(rejected)} left out. Every other row can be used."
    if summary.verdict == "accepted":
        return "Every row can be used, and nothing was found that needs fixing."
    return "Every row can be used; a value that a warning is about was repaired, left out or taken as it is."


def next_step(summary: Summary, *, sent: bool) -> str:
    """Say in one sentence what to do now.

    Args:
        summary: What staging found.
        sent: Whether the files were delivered; otherwise they were only checked.
    """
    again = "then export again and send every file" if sent else "then export again and check once more before sending"
    if summary.api:
        again = "then wait for the next pull"
    causes = {severity: sum(f.severity == severity for f in summary.causes) for severity in EFFECTS}
    if causes["fatal"]:
        return f"Fix what refuses the delivery ({amount(causes['fatal'], 'cause')}, first in the list), {again}."
    if causes["error"]:
        return f"Fix what rejects rows ({amount(causes['error'], 'cause')}), beginning with the first, {again}."
    if summary.causes:
        now = "Nothing has to be done now" if sent else "The files can be sent as they are"
        return f"{now}; fix the warnings when you {'can' if summary.api else 'next change the export'}."
    if summary.api:
        return "Nothing: the data can stay like this."
    return "Nothing: keep sending it like this." if sent else "Send the files as they are."


def hints(count: FindingCount) -> tuple[str, ...]:
    """What is known of common student information systems about a finding; mostly nothing."""
    known = HINTS.get(count.rule, ()) + HINTS.get(f"{count.rule} {count.column}", ())
    return known if "." in count.file else tuple(hint for hint in known if hint not in _OF_FILES_ONLY)


def amount(number: int, what: str) -> str:
    """Write `1 row`, `1,234 rows`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def where(own: int, lines: Sequence[int], shown: int, line: str = OF_FILES.line) -> str:
    """Write the lines at which something was found.

    Args:
        own: How often it was found, truly.
        lines: The first lines; empty where it is about the file.
        shown: How many lines may be named.
        line: What a line is called.

    Returns:
        `line 7`, `lines 7, 9 and 41 more`; blank where it is about the file.
    """
    if not lines:
        return amount(own, "time") if own > 1 else ""
    if own == 1:
        is_header = lines[0] == 1 and line == OF_FILES.line
        return f"{line} {lines[0]:,}{', the header' if is_header else ''}"
    named = [f"{line:,}" for line in lines[:shown]]
    more = own - len(named)
    last = f"{more:,} more" if more > 0 else named.pop()
    return f"{line}s {', '.join(named)} and {last}"


def heading(phrase: str) -> str:
    """Begin a phrase of the catalogue with a capital; a name such as manifest.csv keeps its case."""
    first = phrase.partition(" ")[0].rstrip(":,;")
    return f"{phrase[:1].upper() if first.isalpha() else phrase[:1]}{phrase[1:]}"


def sentence(phrase: str) -> str:
    """Make a sentence of a phrase of the catalogue."""
    return f"{heading(phrase)}."


def _be(number: int) -> str:
    return "is" if number == 1 else "are"
