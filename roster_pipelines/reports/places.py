"""Where a rule was broken: what is counted and what is listed, put together; ids that look like a person hidden."""

import re
from collections import defaultdict
from dataclasses import dataclass

from roster_pipelines.findings import Cause, Finding, FindingCount
from roster_pipelines.oneroster.standard import TABLES
from roster_pipelines.staging.summary import Summary, TableCounts

_Kind = tuple[str, str, str, str]

MASKED = "(masked)"
"""What stands for an id that looks like an e-mail address or a name."""

# jane.doe, mary-jane_o'neil12: words of letters only, with at most a short number behind them.
_NAME = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*(?:[._][^\W\d_]+(?:['’-][^\W\d_]+)*)+[._-]?\d{0,4}")


@dataclass(frozen=True)
class Entry:
    """One rule broken in one column of one file.

    Attributes:
        anchor: Its name on a page.
        count: How often, truly.
        direct: What is listed of those that stand by themselves, by line.
        derived: What is listed of the others, by the finding that they come from.
    """

    anchor: str
    count: FindingCount
    direct: tuple[Finding, ...]
    derived: tuple[tuple[Cause, tuple[Finding, ...]], ...]

    @property
    def own(self) -> int:
        """How many stand by themselves, truly."""
        return self.count.count - self.count.derived

    @property
    def lines(self) -> tuple[int, ...]:
        """The first lines of those that stand by themselves, all of them where few are."""
        return tuple(f.line for f in self.direct if f.line is not None) or self.count.lines

    @property
    def unlisted(self) -> int:
        """How many are counted and not listed."""
        return self.count.count - len(self.direct) - sum(len(found) for _, found in self.derived)


def entries(summary: Summary) -> dict[FindingCount, Entry]:
    """Put each count and what is listed of it together, in the summary's order."""
    direct: defaultdict[_Kind, list[Finding]] = defaultdict(list)
    derived: defaultdict[_Kind, defaultdict[Cause, list[Finding]]] = defaultdict(lambda: defaultdict(list))
    for finding in summary.listed:
        if finding.caused_by is None:
            direct[_kind(finding)].append(finding)
        else:
            derived[_kind(finding)][finding.caused_by].append(finding)
    return {
        count: Entry(
            f"finding-{number}",
            count,
            tuple(direct[_kind(count)]),
            tuple((cause, tuple(found)) for cause, found in derived[_kind(count)].items()),
        )
        for number, count in enumerate(summary.findings, 1)
    }


def _kind(found: Finding | FindingCount) -> _Kind:
    return found.rule, found.severity, found.file, found.column


def delivered(summary: Summary) -> dict[str, TableCounts]:
    """The files that came, by table name: those with rows, and those of which something was found but their absence."""
    found = {f.file for f in summary.findings if f.rule != "file-missing"}
    return {name: counts for name, counts in summary.tables.items() if counts.read or summary.file(name) in found}


def allowed(summary: Summary, count: FindingCount) -> tuple[str, ...]:
    """The standard's values for the column of a finding about its value; empty where anything may stand there."""
    table = TABLES.get(count.file.removesuffix(".csv"))
    if table is None or count.rule not in ("value-unknown", "value-case"):
        return ()
    return next((c.values for c in table.of(summary.version) if c.name == count.column), ())


def masked(sourced_id: str) -> str:
    """Hide an id that looks like an e-mail address or a name.

    An opaque id has a digit in it and no blank; some systems make ids of people's addresses and login names.

    Args:
        sourced_id: The id as delivered.

    Returns:
        The id, or `MASKED`; blank where it is blank.
    """
    speaks = "@" in sourced_id or any(c.isspace() for c in sourced_id) or not any(c.isdigit() for c in sourced_id)
    return MASKED if sourced_id and (speaks or _NAME.fullmatch(sourced_id)) else sourced_id


def printable(text: str) -> str:
    """Make a delivered text harmless to show: no control characters, none that turn the direction of writing."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
