"""What a planted fault is, and the ways to plant one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from roster_pipelines.oneroster.shape import Registration, Version
from roster_pipelines_tests.staging.catalogue.ground import Ground

Lines = int | tuple[int, ...] | None
"""The line of the delivered file where a fault must be found, or several; None: it is about the file."""
Plant = Callable[[Ground], Lines]

ANYTHING = object()


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a delivery.

    Attributes:
        what: What, for a person who knows rosters.
        rule: The rule that must tell of it.
        severity: How bad it must be.
        file: The file in which it must be found.
        column: The column, blank where it is about the row or the file.
        plant: Does it, and says on which lines.
        becomes: The accepted value of the row's column, where the row is accepted and has one.
    """

    what: str
    rule: str
    severity: str
    file: str
    column: str
    plant: Plant = field(repr=False)
    becomes: Any = ANYTHING


@dataclass(frozen=True)
class Group:
    """Faults that do not disturb each other.

    Attributes:
        name: A word for it.
        faults: Planted in this order.
        fine: What looks odd and is as it should be: nothing may be found there.
        version: Of the clean district.
        registration: How the district's teachers get access.
        resources: The clean district gives resources out.
        follows: It comes after a clean delivery of the same district.
        prepare: What is done to the clean district first, which is no fault.
        longest: The longest line that is taken, where it is not the usual.
    """

    name: str
    faults: tuple[Fault, ...]
    fine: tuple[Fault, ...] = ()
    version: Version = "1.1"
    registration: Registration = "access_code"
    resources: bool = False
    follows: bool = False
    prepare: Callable[[Ground], object] = lambda _: None
    longest: int | None = None


def faults_of(*groups: Group) -> list[Fault]:
    """Every fault of some groups."""
    return list(chain.from_iterable(group.faults for group in groups))


def in_row(
    what: str, where: str, value: str, rule: str, severity: str, becomes: Any = ANYTHING, **beside: str
) -> Fault:
    """One bad value in a good row.

    Args:
        what: As in `Fault`.
        where: Table and column, such as `users.role`.
        value: What stands there.
        rule: As in `Fault`.
        severity: As in `Fault`.
        becomes: As in `Fault`.
        beside: Further cells of the row, which are nothing wrong.
    """
    table, _, column = where.partition(".")
    return Fault(
        what, rule, severity, f"{table}.csv", column,
        lambda ground: ground.own(table, **beside, **{column: value}),
        becomes,
    )  # fmt: skip


def rejected(what: str, where: str, value: str, rule: str, **beside: str) -> Fault:
    """One bad value that makes the product reject the row."""
    return in_row(what, where, value, rule, "error", **beside)


def kept(what: str, where: str, value: str, rule: str, becomes: Any, **beside: str) -> Fault:
    """One bad value that costs a warning and, at most, the value."""
    return in_row(what, where, value, rule, "warning", becomes, **beside)


def fine(what: str, where: str, value: str, becomes: Any, **beside: str) -> Fault:
    """A value that looks odd and is as it should be."""
    return in_row(what, where, value, "", "", becomes, **beside)


def in_file(what: str, rule: str, severity: str, where: str, plant: Plant) -> Fault:
    """Something wrong with a file, or with a line of it; where: its table and, if it is about one, its column."""
    table, _, column = where.partition(".")
    return Fault(what, rule, severity, f"{table}.csv", column, plant)
