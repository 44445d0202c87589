"""The report of one delivery for the terminal: the same story as the page, cut where it is long."""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from roster_pipelines.findings import FindingCount, Severity
from roster_pipelines.reports import words
from roster_pipelines.reports.places import Entry, allowed, delivered, entries, printable
from roster_pipelines.staging.summary import Summary, Verdict

CAUSES_SHOWN = 10
OTHERS_SHOWN = 5
LINES_NAMED = 5
_COLOURS: dict[Verdict | Severity, str] = {
    "accepted": "green",
    "accepted_with_findings": "yellow",
    "refused": "red",
    "fatal": "red",
    "error": "red",
    "warning": "yellow",
}


def print_report(console: Console, title: str, summary: Summary, *, whole: str, sent: bool) -> None:
    """Print a delivery's report: verdict, rows by file, causes first, what follows from them, the next step.

    Args:
        console: Where to.
        title: Whose files, or which, were checked.
        summary: What staging found.
        whole: What shows all of a list that is cut here, as `--html FILE`.
        sent: Whether the files were delivered; otherwise they were only checked.
    """
    colour = _COLOURS[summary.verdict]
    verdict = Text(f"{words.SIGNS[summary.verdict]} {words.VERDICTS[summary.verdict]}", f"bold {colour}")
    _say(console, verdict.append(f"  {printable(title)}, OneRoster {summary.version}", "not bold default"))
    _say(console, Text(words.meaning(summary)))
    _rows(console, summary)
    causes = summary.causes
    if causes:
        _heading(console, "What to fix, the worst first")
        found = entries(summary)
        for number, count in enumerate(causes[:CAUSES_SHOWN], 1):
            _cause(console, f"{number:>2}. ", summary, found[count])
        _cut(console, len(causes) - CAUSES_SHOWN, whole)
    _short(console, "What follows from these, and goes with them", _derived(summary), whole)
    _short(console, "For information", [_line(f, f.count) for f in summary.findings if f.severity == "info"], whole)
    console.print()
    _say(console, Text.assemble(("Next: ", "bold"), words.next_step(summary, sent=sent)))


def _rows(console: Console, summary: Summary) -> None:
    files = delivered(summary)
    if not files:
        return
    table = Table(box=None, header_style="bold", padding=(0, 3, 0, 0), pad_edge=False)
    table.add_column(words.nouns(summary).file, overflow="fold")
    for name in ("read", "accepted", "rejected"):
        table.add_column(name, justify="right")
    for name, counts in files.items():
        rejected = Text(f"{counts.rejected:,}", "red" if counts.rejected else "")
        table.add_row(summary.file(name), f"{counts.read:,}", f"{counts.accepted:,}", rejected)
    console.print()
    console.print(Padding(table, (0, 0, 0, 2)), soft_wrap=False)


def _cause(console: Console, number: str, summary: Summary, entry: Entry) -> None:
    count = entry.count
    effect = (words.EFFECTS[count.severity], _COLOURS[count.severity])
    _say(console, Text.assemble(number, effect, f"  {printable(count.where)}: {count.message}"), hang=len(number))
    lines = words.where(entry.own, entry.lines, LINES_NAMED, words.nouns(summary).line)
    rows = f"{words.amount(entry.own, 'row')}: " if entry.own > 1 and entry.lines else ""
    reach = f"{words.amount(count.reach, 'finding')} elsewhere from here" if count.reach else ""
    places = "; ".join(part for part in (f"{rows}{lines}", reach) if part)
    if places:
        _say(console, Text(places, "dim"), indent=len(number))
    values = ", ".join(allowed(summary, count))
    _say(console, Text(f"→ {count.remedy}{values and f' ({values})'}"), indent=len(number), hang=2)


def _derived(summary: Summary) -> list[str]:
    return [_line(f, f.derived) for f in summary.findings if f.derived]


def _line(count: FindingCount, number: int) -> str:
    times = f" ({number:,})" if number > 1 else ""
    return f"{printable(count.where)}: {count.message}{times}"


def _short(console: Console, heading: str, lines: Sequence[str], whole: str) -> None:
    if lines:
        _heading(console, heading)
        for line in lines[:OTHERS_SHOWN]:
            _say(console, Text(f"  - {line}"), hang=4)
        _cut(console, len(lines) - OTHERS_SHOWN, whole)


def _heading(console: Console, text: str) -> None:
    console.print()
    _say(console, Text(text, "bold"))


def _cut(console: Console, more: int, whole: str) -> None:
    if more > 0:
        _say(console, Text(f"    and {more:,} more: {whole} shows them all", "dim"))


def _say(console: Console, text: Text, *, indent: int = 0, hang: int = 0) -> None:
    """Print a paragraph, folded to the terminal; every line but the first begins further in."""
    first, *others = text.wrap(console, max(console.width - indent - hang, 20))
    console.print(Text(" " * indent) + first)
    for line in others:
        console.print(Text(" " * (indent + hang)) + line)
