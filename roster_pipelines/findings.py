"""Findings: one rule broken at one place. Never a value of a person, only where to look and what to do."""

from dataclasses import dataclass
from typing import Literal

from roster_pipelines.catalogue import words

Severity = Literal["fatal", "error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("fatal", "error", "warning", "info")
"""What a finding does: refuse the delivery, reject the row, repair or drop the value, nothing. The worst first."""


@dataclass(frozen=True)
class Cause:
    """The finding that another one comes from: a rejected org makes its classes fail too."""

    rule: str
    file: str
    line: int | None = None


class _OfARule:
    """The words for what breaks a rule, from the catalogue."""

    rule: str
    file: str

    @property
    def message(self) -> str:
        """What is wrong, for a person."""
        return words(self.rule, self.file)[0]

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return words(self.rule, self.file)[1]


@dataclass(frozen=True)
class Finding(_OfARule):
    """One rule broken at one place.

    Attributes:
        rule: A key of `RULES`.
        severity: One of `SEVERITIES`.
        file: The standard's name of the file (`users.csv`), or the delivered name of one that is not the standard's; of
            what was pulled from an API, the name of the collection, or of the list in its records (`users`, `roles`).
        line: The line of the delivered file (the header is line 1), or the position of the record in what was pulled
            (the first is 1); None where the finding is about the file.
        column: The column, blank where the finding is about the row or the file.
        sourced_id: The row's opaque id, blank where there is none.
        caused_by: The finding that this one comes from; None for one that stands by itself.
    """

    rule: str
    severity: Severity
    file: str
    line: int | None = None
    column: str = ""
    sourced_id: str = ""
    caused_by: Cause | None = None


@dataclass(frozen=True)
class FindingCount(_OfARule):
    """How often one rule was broken in one column of one file.

    Attributes:
        rule: A key of `RULES`.
        severity: One of `SEVERITIES`.
        file: As in `Finding`.
        column: As in `Finding`.
        count: How often, truly: more than are listed where there are many.
        derived: How many of them come from a finding elsewhere.
        reach: How many findings elsewhere come from these.
        lines: The first lines where.
    """

    rule: str
    severity: Severity
    file: str
    column: str
    count: int
    derived: int = 0
    reach: int = 0
    lines: tuple[int, ...] = ()

    @property
    def where(self) -> str:
        """File and column, for a person."""
        return f"{self.file}, {self.column}" if self.column else self.file

    @property
    def is_cause(self) -> bool:
        """Whether any of them stands by itself."""
        return self.count > self.derived
