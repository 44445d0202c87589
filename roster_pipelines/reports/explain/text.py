"""An explanation for the terminal: what it comes to, the gates, classes with the same answer together, the lines."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from roster_pipelines.reports.explain.data import (
    Absent,
    Answers,
    AsOf,
    Explanation,
    Learns,
    Person,
    Place,
    Rejected,
    SchoolClass,
    furthest,
)
from roster_pipelines.reports.explain.groups import answer, broken, groups, learns, shared, still_there, uncounted
from roster_pipelines.reports.explain.ladder import SIGNS, cut, grid, ladder, remedy, signed_in, where
from roster_pipelines.reports.places import printable
from roster_pipelines.rostering.reasons import REASONS

LINES_SHOWN = 8
"""Classes whose lines are named; --json has all."""


def text(told: Explanation) -> RenderableType:
    """Draw an explanation in which something was found."""
    parts: list[RenderableType] = []
    if told.several:
        parts.append(Text("Several people have that e-mail address or username. Ask for one of them:", "bold"))
        parts += [Text(f"  {person}") for person in told.several]
    if told.person:
        parts += _person(told.person, told)
    if told.school_class:
        parts += _class(told.school_class, told.as_of)
    if told.absent:
        parts += [_signed("Not in the roster", holds=False), *_absent(told.absent, told.as_of)]
    parts += _rejected(told.rejected)
    return Group(*parts, *_as_of(told.as_of))


def _person(person: Person, told: Explanation) -> list[RenderableType]:
    roles = ", ".join(dict.fromkeys(row.role or "no role" for row in person.rows))
    shown = person.rows[0].shown or {}
    name = " ".join(filter(None, (shown.get("givenName"), shown.get("familyName"))))
    names = dict.fromkeys(printable(value) for value in (name, shown.get("email"), shown.get("username")) if value)
    parts: list[RenderableType] = [
        Text.assemble((person.person, "bold"), f"  {'  '.join([roles, *names])}"),
        _verdict(person),
    ]
    rungs = ladder(person, told.stage)
    if rungs:
        parts += ["", Padding(rungs, (0, 0, 0, 2))]
    taught = [row for row in person.classes if row.class_sourced_id]
    same = shared(taught)
    parts += groups("Classes", [(answer(row, told.as_of, same), _name(row)) for row in taught])
    parts += groups("Classes as a student", [(learns(row, told.as_of), _name(row)) for row in person.learns])
    parts += uncounted(person.uncounted)
    rows: list[Answers | Learns] = [*taught, *person.learns]
    return [*parts, *_lines([(row.class_sourced_id or "", row.places) for row in rows])]


def _name(row: Answers | Learns) -> str:
    return f"{row.class_sourced_id} {printable(row.title)}" if row.title else f"{row.class_sourced_id}"


def _verdict(person: Person) -> Text:
    rows = [row for row in person.classes if row.gates]
    there = sum(bool(row.published) for row in person.classes) + sum(bool(row.published) for row in person.learns)
    best = furthest(rows)
    if best is None and not person.learns:
        return Text("! In the roster, but neither staff nor student of a class today", "bold yellow")
    if best is None:
        return _signed(f"In {there} of {_classes(len(person.learns))} now", holds=there > 0)
    if best.reason:
        of = f"0 of {_classes(len(rows))} open" if best.class_sourced_id else "No class"
        still = f", {there} still published" if there else ""
        return _signed(f"{of}{still}: {REASONS[best.reason].what}", holds=False)
    passed = [row for row in rows if row.waiting_for is None]
    published = sum(bool(row.published) for row in passed)
    return _signed(f"{len(passed)} of {_classes(len(rows))} passed every gate, {published} published", holds=True)


def _classes(number: int) -> str:
    return f"{number:,} class{'' if number == 1 else 'es'}"


def _signed(line: str, *, holds: bool) -> Text:
    return Text.assemble(SIGNS["✓" if holds else "✗"], (f" {line}", "bold green" if holds else "bold red"))


def _lines(rows: Sequence[tuple[str, Sequence[Place]]]) -> list[RenderableType]:
    """Name the lines that the classes, or the enrollments of teachers, come from."""
    if not rows:
        return []
    table = grid(max(len(name) for name, _ in rows[:LINES_SHOWN]))
    for name, places in rows[:LINES_SHOWN]:
        table.add_row(Text(name), Text(where(places) or "not in the roster any more"))
    return ["", Text("Lines", "bold"), Padding(table, (0, 0, 0, 2)), *cut(len(rows) - LINES_SHOWN)]


def _class(of: SchoolClass, as_of: AsOf) -> list[RenderableType]:
    rostered = of.published is True
    state = "Published" if rostered else "Not published" + (" any more" if of.published is False else "")
    title = f"  {printable(of.title)}" if of.title else ""
    number = of.students_published if rostered else of.students
    students = f"{number:,} student{'' if number == 1 else 's'}" + ("" if rostered else " would be in it")
    parts: list[RenderableType] = [
        Text.assemble((of.class_sourced_id, "bold"), f"  class{title}"),
        _signed(f"{state}, {students}", holds=rostered),
        "",
        Padding(_today(of), (0, 0, 0, 2)),
    ]
    teachers = [
        (answer(teacher.answers, as_of, [of.reason or ""]), f"{teacher.person} {printable(teacher.name or '')}".strip())
        for teacher in of.teachers
    ]
    parts += groups("Teachers", teachers) or ["", Text("! Nobody teaches it today", "bold yellow")]
    parts += uncounted(of.uncounted)
    return [*parts, *_lines([(teacher.person, teacher.answers.places) for teacher in of.teachers])]


def _today(of: SchoolClass) -> RenderableType:
    """Say whether the class is there today by its terms and the filters, and where it is."""
    table = grid(1, 13)
    gone = of.status == "tobedeleted"
    table.add_row(SIGNS["✗" if gone else "✓"], "in the roster", f"{where([of.place])}{', tobedeleted' if gone else ''}")
    days = f"from {of.opens_on} until {of.closes_on}" if of.opens_on else "always: its terms are not known"
    told = [Text(REASONS[of.reason].what, "bold red"), remedy(of.reason)] if of.reason else []
    table.add_row(SIGNS["✗" if of.reason else "✓"], "there today", Text("\n").join([*told, Text(days)]))
    table.add_row("", "school", of.school_sourced_id or "none")
    return table


def _absent(absent: Absent, as_of: AsOf) -> list[RenderableType]:
    told = [signed_in(sign_in) for sign_in in absent.sign_ins]
    if absent.last_delivery:
        told.insert(0, f"was in the roster last with delivery {absent.last_delivery}")
    if absent.removal:
        told.append(still_there(absent.removal, as_of))
    elif absent.published is not None:
        told.append("is a published class" if absent.published else "was a published class")
    table = grid(1)
    for line in told:
        table.add_row(SIGNS["!"], Text(line))
    return ["", Padding(table, (0, 0, 0, 2))] if told else []


def _rejected(rows: Sequence[Rejected]) -> list[RenderableType]:
    table = grid(1)
    for row in rows:
        cause = [Text(f"it comes from {where([row.caused_by])}")] if row.caused_by else []
        told = [broken(name, row.place.file) for name in row.rules]
        table.add_row(SIGNS["✗"], Text("\n").join([Text(where([row.place])), *told, *cause]))
    return ["", Text("Rejected by that name", "bold"), Padding(table, (0, 0, 0, 2))] if rows else []


def _as_of(as_of: AsOf) -> Iterable[RenderableType]:
    yield ""
    if as_of.plan_id is None:
        yield Text(f"There is no plan yet; the rows are of delivery {as_of.roster}.", "yellow")
    else:
        when = f"{as_of.planned_at:%Y-%m-%d %H:%M %Z}"
        yield Text(f"As of plan {as_of.plan_id} ({as_of.state}), {when}, delivery {as_of.delivery}.", "dim")
    for change in as_of.stale:
        yield Text(f"! Not up to date: {change}.", "bold yellow")
