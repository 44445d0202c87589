"""Classes, or a class's teachers, with the same answer together; and enrollments that do not count."""

from collections.abc import Collection, Iterable, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from roster_pipelines.catalogue import words
from roster_pipelines.reports.explain.data import Answers, AsOf, Learns, Removal, Uncounted, place_of
from roster_pipelines.reports.explain.ladder import LABELS, SIGNS, cut, grid, remedy, where
from roster_pipelines.reports.places import printable
from roster_pipelines.rostering.reasons import GATES, REASONS

NAMES_SHOWN = 12
UNCOUNTED_SHOWN = 5

Answer = tuple[int, str, tuple[str, ...], tuple[str, ...]]
"""How far it gets, a sign, what is so, and the reasons whose remedies are named; equal ones are shown once."""

_OF_A_CLASS = ("entitled", "class_current")
_OF_A_DAY = {"not-open-yet": "it opens on", "over": "since"}
_UNCOUNTED = {
    "tobedeleted": "marked tobedeleted",
    "ended": "ended",
    "not-begun": "not begun yet",
    "record-tobedeleted": "the class or the person is marked tobedeleted",
}


def answer(row: Answers, as_of: AsOf, told: Collection[str] = ()) -> Answer:
    """Say what becomes of a class for a teacher.

    Args:
        row: The gates, and what is published.
        as_of: For the plan.
        told: The reasons that are told elsewhere: of them no more is said than which gate is waited for.
    """
    if not row.gates:
        return -1, "!", ("not theirs any more", still_there(row.removal, as_of)), ()
    far = place_of(row.waiting_for)
    if row.waiting_for is None or row.reason is None:
        return (far, "✓", ("published",), ()) if row.published else (far, "!", (_not_yet(as_of),), ())
    lines, new = [f"waits for: {LABELS[row.waiting_for]}"], []
    for gate in GATES:
        code = row.gates[gate]
        if code and code not in told and gate in (row.waiting_for, *_OF_A_CLASS):
            lines.append(f"{LABELS[gate]}: {_what(code, row)}")
            new.append(code)
    if row.reason in new:
        lines.pop(0)
    if row.published:
        lines.append(still_there(row.removal, as_of))
    return far, "!" if row.published else "✗", tuple(lines), tuple(new)


def learns(row: Learns, as_of: AsOf) -> Answer:
    """Say what becomes of a class for a student."""
    if row.reason is None:
        there = len(GATES)
        return (there, "✓", ("published",), ()) if row.published else (there, "!", (_not_yet(as_of),), ())
    waits = f"its teacher: {REASONS[row.reason].what}" if row.reason in REASONS else "nobody teaches it today"
    lines = (waits, still_there(row.removal, as_of)) if row.published else (waits,)
    return place_of(row.waiting_for), "!" if row.published else "✗", lines, (row.reason,) if row.waiting_for else ()


def shared(rows: Sequence[Answers]) -> set[str]:
    """Find the reasons that are the same for all of a person's classes: the ladder tells them."""
    answered = [{code for code in row.gates.values() if code} for row in rows if row.gates]
    return set.intersection(*answered) - _OF_A_DAY.keys() if answered else set()


def groups(title: str, rows: Iterable[tuple[Answer, str]]) -> list[RenderableType]:
    """Draw each answer once, with the names that it is for; what is published first, then what gets furthest."""
    names: dict[Answer, list[str]] = {}
    for given, name in rows:
        names.setdefault(given, []).append(name)
    table = grid(1, max((len(f"{len(of)}") for of in names.values()), default=1))
    for given, of in sorted(names.items(), key=lambda item: ("✓!✗".index(item[0][1]), -item[0][0], item[0][2])):
        _, sign, lines, reasons = given
        remedies = [remedy(code) for code in reasons]
        more = f" and {len(of) - NAMES_SHOWN:,} more" if len(of) > NAMES_SHOWN else ""
        shown = Text(", ".join(of[:NAMES_SHOWN]) + more, "dim")
        table.add_row(SIGNS[sign], f"{len(of)}", Text("\n").join([*map(Text, lines), *remedies, shown]))
    return ["", Text(title, "bold"), Padding(table, (0, 0, 0, 2))] if names else []


def _what(code: str, row: Answers) -> str:
    day = row.opens_on if code == "not-open-yet" else row.closes_on
    return REASONS[code].what + (f" ({_OF_A_DAY[code]} {day})" if code in _OF_A_DAY and day else "")


def _not_yet(as_of: AsOf) -> str:
    return f"every gate is passed, and it is not published yet: plan {as_of.plan_id} is {as_of.state}"


def still_there(removal: Removal | None, as_of: AsOf) -> str:
    """Say why what should not be any more is published still, and how to decide on what is held."""
    if removal == "hold":
        decide = f"roster approve {as_of.plan_id} or roster discard {as_of.plan_id}"
        return f"still published: the removal is held until a person decides: {decide}"
    if removal == "keep":
        return "still published: the removal was discarded, until the next delivery"
    return f"still published: plan {as_of.plan_id} is {as_of.state}"


def uncounted(rows: Sequence[Uncounted]) -> list[RenderableType]:
    """Draw the enrollments that do not count."""
    if not rows:
        return []
    table = grid(1)
    for row in rows[:UNCOUNTED_SHOWN]:
        why = [broken(name, row.places[0].file) for name in row.rules] or [Text(_UNCOUNTED[row.why])]
        role = f" as {printable(row.role)}" if row.role else ""
        what = Text(f"{printable(row.class_sourced_id or 'no class')}{role}, {where(row.places)}: ")
        table.add_row(SIGNS["✗"], Text("\n").join([what.append_text(why[0]), *why[1:]]))
    title = Text("Enrollments that do not count", "bold")
    return ["", title, Padding(table, (0, 0, 0, 2)), *cut(len(rows) - UNCOUNTED_SHOWN)]


def broken(name: str, file: str) -> Text:
    """Say what a rule that a rejected row of a file broke means, and what to do."""
    rule, _, column = name.partition(":")
    return Text(f"{f'{column}: ' if column else ''}{' → '.join(words(rule, file))}")
