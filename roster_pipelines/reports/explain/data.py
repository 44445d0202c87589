"""What is told of a person or a class: every answer with the file and line that it comes from."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal, Self

from roster_pipelines.rostering.gates import GATES
from roster_pipelines.rostering.identity import OUTCOMES
from roster_pipelines.rostering.reasons import REASONS

Removal = Literal["hold", "keep"]
"""What became of a removal that was too large: it waits for a decision, or was discarded for this delivery."""


@dataclass(frozen=True)
class Place:
    """Where a row came from; `earlier` than the delivery in use where a delta left the row as it was."""

    file: str
    line: int | None
    delivery: str
    earlier: bool = False


@dataclass(frozen=True)
class AsOf:
    """What the answers were made from.

    Attributes:
        plan_id: The newest plan, whose gates these are; None: there is none yet.
        outcome: What became of it.
        delivery: The delivery that it was made from.
        planned_at: When.
        roster: The delivery in use now, from which the rows are.
        stale: What has changed since; empty: nothing.
    """

    plan_id: int | None
    outcome: str | None
    delivery: str | None
    planned_at: datetime | None
    roster: str
    stale: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """What became of the plan, in words."""
        return (self.outcome or "").replace("_", " ")


@dataclass(frozen=True)
class UserRow:
    """One row of a person in users.csv; the values only where they were asked for."""

    sourced_id: str
    role: str | None
    status: str | None
    enabled: bool
    place: Place
    shown: dict[str, str | None] | None


@dataclass(frozen=True)
class Answers:
    """The gates of one person and class, NULL where one holds, and what is published.

    Attributes:
        class_sourced_id: NULL where they teach none.
        title: Only where values were asked for.
        gates: By gate, the reason why it does not hold; empty for a class that is published and not taught any more.
        opens_on: The first day of the class, where its terms are known.
        closes_on: The first day without it.
        published: Whether they have the class now; None: never had.
        removal: See `Removal`.
        places: The class's row and the person's enrollments in it that count.
    """

    class_sourced_id: str | None
    title: str | None
    gates: dict[str, str | None]
    opens_on: date | None
    closes_on: date | None
    published: bool | None
    removal: Removal | None
    places: tuple[Place, ...]

    @property
    def waiting_for(self) -> str | None:
        """The first gate that does not hold."""
        return next((gate for gate, reason in self.gates.items() if reason), None)

    @property
    def reason(self) -> str | None:
        """Why it does not."""
        return self.gates[self.waiting_for] if self.waiting_for else None


def furthest(rows: Sequence[Answers]) -> Answers | None:
    """Find the class for which the most gates hold."""
    answered = [row for row in rows if row.gates]
    return max(answered, key=lambda row: place_of(row.waiting_for), default=None)


def place_of(gate: str | None) -> int:
    """How many gates are passed before this one; where it is None, all are."""
    return next((number for number, name in enumerate(GATES) if name == gate), len(GATES))


@dataclass(frozen=True)
class Learns:
    """A class of a student.

    Attributes:
        published: Whether the student is in the rostered class now; None: never was.
        waiting_for: Where the class is not rostered, the gate of its teacher who gets furthest.
        reason: Why that does not hold; `no-teacher` where nobody teaches it.
    """

    class_sourced_id: str
    title: str | None
    published: bool | None
    removal: Removal | None
    waiting_for: str | None
    reason: str | None
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Uncounted:
    """Enrollments that do not count.

    Attributes:
        why: `rejected`, `tobedeleted`, `ended`, `not-begun`, or `record-tobedeleted`: their class or person is.
        rules: Of rejected ones, `rule:column` of all that they broke.
    """

    class_sourced_id: str | None
    role: str | None
    why: str
    rules: Sequence[str]
    places: tuple[Place, ...]


@dataclass(frozen=True)
class SignedIn:
    """A sign-in that is the person, may be, or carries a claim of theirs. No outcome: it came after the last run."""

    sign_in_id: int
    outcome: str | None
    key: str | None
    candidates: tuple[str, ...]
    theirs: bool

    @classmethod
    def of(cls, row: dict[str, Any], opaque: Callable[[str], str]) -> Self:
        """Make it of a row, with the candidates' ids as they are shown."""
        return cls(**row | {"candidates": tuple(map(opaque, row["candidates"]))})


@dataclass(frozen=True)
class Account:
    """An account of the person, with the products of its codes, and the other people who have linked it."""

    account_id: int
    status: str
    codes: Sequence[str]
    others: tuple[str, ...]


@dataclass(frozen=True)
class Right:
    """A product that the person may use; `classes` counts those that it is for where it is not for all of theirs."""

    product_id: str
    basis: str
    account_id: int | None
    school_sourced_id: str | None
    classes: int | None
    licence_id: int | None
    ends_on: date | None
    seated: bool


@dataclass(frozen=True)
class Person:
    """A person of the roster."""

    person: str
    rows: tuple[UserRow, ...]
    classes: tuple[Answers, ...]
    learns: tuple[Learns, ...]
    uncounted: tuple[Uncounted, ...]
    sign_ins: tuple[SignedIn, ...]
    accounts: tuple[Account, ...]
    entitlements: tuple[Right, ...]


@dataclass(frozen=True)
class Teacher:
    """A teacher of a class: the gates, and whether the class is theirs in the product."""

    person: str
    name: str | None
    answers: Answers


@dataclass(frozen=True)
class SchoolClass:
    """A class of the roster.

    Attributes:
        reason: Why it is not there today by its terms or the filters; None: it is.
        students: How many students would be in it.
        students_published: How many are.
    """

    class_sourced_id: str
    title: str | None
    status: str | None
    school_sourced_id: str | None
    opens_on: date | None
    closes_on: date | None
    reason: str | None
    published: bool | None
    removal: Removal | None
    students: int
    students_published: int
    teachers: tuple[Teacher, ...]
    uncounted: tuple[Uncounted, ...]
    place: Place


@dataclass(frozen=True)
class Rejected:
    """A row that was rejected, or a line that is no row: `rule:column` of all that it broke, and what is behind it."""

    place: Place
    rules: Sequence[str]
    caused_by: Place | None


@dataclass(frozen=True)
class Absent:
    """What is known of somebody, or of a class, that the roster does not have."""

    last_delivery: str | None = None
    sign_ins: tuple[SignedIn, ...] = ()
    published: bool | None = None
    removal: Removal | None = None

    @property
    def known(self) -> bool:
        """Whether anything is."""
        return bool(self.last_delivery or self.sign_ins or self.published is not None)


@dataclass(frozen=True)
class Explanation:
    """The answer.

    Attributes:
        several: The persons who have that address or username, where they are several: then no more is told of them.
        person: Who has it, where it is one.
        school_class: The class that has it.
        absent: What else is known, where the roster has neither.
        rejected: Rows by that name that were rejected.
    """

    district: str
    stage: str
    as_of: AsOf
    several: tuple[str, ...] = ()
    person: Person | None = None
    school_class: SchoolClass | None = None
    absent: Absent | None = None
    rejected: tuple[Rejected, ...] = ()

    @property
    def found(self) -> bool:
        """Whether anything is known by that name."""
        known = self.absent is not None and self.absent.known
        return bool(self.several or self.person or self.school_class or self.rejected or known)

    def as_json(self) -> dict[str, Any]:
        """Write it as data that JSON knows, with the words for every reason, outcome and rule in it."""
        told = asdict(self)
        used = set(_strings(told))
        return {
            **told,
            "reasons": {code: asdict(reason) for code, reason in REASONS.items() if code in used},
            "outcomes": {name: asdict(outcome) for name, outcome in OUTCOMES.items() if name in used},
        }


def _strings(value: object) -> list[str]:
    if isinstance(value, dict | list | tuple):
        return [text for item in (value.values() if isinstance(value, dict) else value) for text in _strings(item)]
    return [value] if isinstance(value, str) else []
