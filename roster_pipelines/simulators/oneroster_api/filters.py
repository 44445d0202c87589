"""OneRoster's filter: one clause, or two with AND or OR between them."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_CLAUSE = re.compile(r"([A-Za-z_.]+)\s*(>=|<=|!=|=|>|<|~)\s*'(.*)'", re.DOTALL)
_JOIN = re.compile(r"(?<=') (AND|OR) (?=[A-Za-z])")
_PREDICATES: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
    "~": operator.contains,
}  # fmt: skip


class UnknownFilterError(Exception):
    """A filter that the server does not understand."""


@dataclass(frozen=True)
class Filter:
    """What records must be like.

    Attributes:
        clauses: Field, predicate and value of each clause.
        both: Whether all of them must hold, or one is enough.
    """

    clauses: tuple[tuple[str, str, str], ...]
    both: bool

    def fits(self, record: Mapping[str, object]) -> bool:
        """Say whether a record is like that."""
        held = [_holds(record, *clause) for clause in self.clauses]
        return all(held) if self.both else any(held)


def parse(text: str) -> Filter:
    """Read a filter.

    Raises:
        UnknownFilterError: It is none.
    """
    first, *rest = _JOIN.split(text)
    if len(rest) > 2:
        raise UnknownFilterError("more than two clauses")
    matches = [_CLAUSE.fullmatch(clause.strip()) for clause in (first, *rest[1:])]
    clauses = tuple((match[1], match[2], match[3]) for match in matches if match)
    if len(clauses) < len(matches):
        raise UnknownFilterError("no filter")
    return Filter(clauses, both=rest[:1] != ["OR"])


def value(record: Mapping[str, object], path: str) -> object:
    """Look up a field, or one inside of another, as `class.sourcedId`; None where there is none."""
    found: object = record
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _holds(record: Mapping[str, object], field: str, predicate: str, wanted: str) -> bool:
    found = value(record, field)
    compare = _PREDICATES[predicate]
    if field == "dateLastModified":
        try:
            return compare(_moment(str(found)), datetime.fromisoformat(wanted))
        except (ValueError, TypeError):
            raise UnknownFilterError("no date with a time zone") from None
    return compare(str(found).lower() if isinstance(found, bool) else str(found or ""), wanted)


def _moment(found: str) -> datetime:
    """Read when a record was changed: a day's last moment where it says no more, and UTC without a time zone."""
    moment = datetime.fromisoformat(found)
    moment += timedelta(days=1, microseconds=-1) if len(found) == len("2026-11-23") else timedelta(0)
    return moment.replace(tzinfo=moment.tzinfo or UTC)
