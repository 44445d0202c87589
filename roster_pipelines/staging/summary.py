"""What staging found, in counts and places: enough for checks, reports and the ledger, and without any value."""

from dataclasses import dataclass
from typing import Literal

from roster_pipelines.findings import SEVERITIES, Finding, FindingCount
from roster_pipelines.oneroster.shape import Table, Version
from roster_pipelines.oneroster.standard import TABLES

Verdict = Literal["accepted", "accepted_with_findings", "refused"]


@dataclass(frozen=True)
class TableCounts:
    """What became of one file's rows.

    Attributes:
        read: Rows in the file, counted without parsing them, so that the sum is a real check.
        accepted: Rows that are in the roster now.
        rejected: Rows that are not.
        roster: Rows of the roster's table after this delivery, with those that earlier deliveries brought.
        previous: Rows of the roster's table before it; None without an earlier delivery.
    """

    read: int = 0
    accepted: int = 0
    rejected: int = 0
    roster: int = 0
    previous: int | None = None

    @property
    def add_up(self) -> bool:
        """Read = accepted + rejected."""
        return self.read == self.accepted + self.rejected


@dataclass(frozen=True)
class Summary:
    """What a delivery's staging found.

    Attributes:
        verdict: `refused` where anything is fatal.
        version: The OneRoster version that the delivery was read as.
        tables: By table name, every file of that version that is read, whether it came or not.
        findings: The true counts by rule, file and column, the most severe first, then the most frequent.
        listed: The findings themselves, at most 100 by rule, file and column, in the same order and by line.
        api: Whether the delivery was pulled from an API, so that its files are collections, and its lines records.
    """

    verdict: Verdict
    version: Version
    tables: dict[str, TableCounts]
    findings: tuple[FindingCount, ...]
    listed: tuple[Finding, ...] = ()
    api: bool = False

    def of(self, table: Table) -> tuple[FindingCount, ...]:
        """The findings about the files that are read into one table of the roster."""
        names = {other.name for other in TABLES.values() if table.name in (other.name, other.into)}
        return tuple(f for f in self.findings if f.file.removesuffix(".csv") in names)

    def file(self, name: str) -> str:
        """Name what findings call a table."""
        return name if self.api else f"{name}.csv"

    @property
    def fatal(self) -> tuple[FindingCount, ...]:
        """The findings that refuse the delivery."""
        return tuple(f for f in self.findings if f.severity == "fatal")

    @property
    def causes(self) -> tuple[FindingCount, ...]:
        """What to mend, the most severe first, then what reaches furthest; nothing that comes from something else."""
        found = [f for f in self.findings if f.is_cause and f.severity != "info"]
        return tuple(sorted(found, key=lambda f: (SEVERITIES.index(f.severity), -(f.count - f.derived + f.reach))))

    @property
    def truncated(self) -> bool:
        """Whether more was found than is listed."""
        return sum(f.count for f in self.findings) > len(self.listed)
