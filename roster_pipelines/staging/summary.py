"""What staging found, in counts: enough for checks, reports and the ledger."""

from dataclasses import dataclass
from typing import Literal

from roster_pipelines.oneroster.standard import Table
from roster_pipelines.staging.findings import FindingCount

Verdict = Literal["accepted", "accepted_with_findings", "refused"]


@dataclass(frozen=True)
class TableCounts:
    """What became of one file's rows.

    `read` is counted from the file's lines without parsing them, so the sum is a real check: rows that a stray quote
    swallowed are read, but neither accepted nor rejected.
    """

    read: int = 0
    accepted: int = 0
    rejected: int = 0

    @property
    def add_up(self) -> bool:
        """Read = accepted + rejected."""
        return self.read == self.accepted + self.rejected


@dataclass(frozen=True)
class Summary:
    """What a delivery's staging found, in counts."""

    verdict: Verdict
    tables: dict[str, TableCounts]
    findings: tuple[FindingCount, ...]

    def of(self, table: Table) -> tuple[FindingCount, ...]:
        """The findings about one table's file."""
        return tuple(f for f in self.findings if f.file == table.file)

    @property
    def fatal(self) -> tuple[FindingCount, ...]:
        """The findings that refuse the delivery."""
        return tuple(f for f in self.findings if f.severity == "fatal")
