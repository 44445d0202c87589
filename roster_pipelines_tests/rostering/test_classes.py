"""Which classes are there: by their terms, by the dates of enrollments, by the district's filters."""

from datetime import date
from typing import Any

import duckdb
import pytest

from roster_pipelines.district import Filters, Terms
from roster_pipelines.rostering.classes import class_states
from roster_pipelines.rostering.current import current, next_change
from roster_pipelines_tests.rostering.world import DAY, NORTH, TODAY, World

WEEK = 7 * DAY


def states(world: World) -> dict[str, str | None]:
    """By class, why it is not there."""
    with duckdb.connect(config={"threads": 1}) as con:
        world.write_roster(con)
        class_states(con, world.today, world.district)
        return dict(con.execute("SELECT class_sourced_id, reason FROM class_state").fetchall())


# terms


@pytest.mark.parametrize(("opens", "archived"), [(14, 14), (0, 0), (3, 30)])
def test_a_class_is_there_from_some_days_before_its_first_session_until_some_days_after_its_last(
    opens: int, archived: int
) -> None:
    """A session's endDate is the first day after it."""
    world = World(terms=Terms(opens_days_before=opens, archived_days_after=archived))
    sessions = {
        "opens-today": (TODAY + opens * DAY, TODAY + 300 * DAY),
        "opens-tomorrow": (TODAY + (opens + 1) * DAY, TODAY + 300 * DAY),
        "archived-tomorrow": (TODAY - 300 * DAY, TODAY - (archived - 1) * DAY),
        "archived-today": (TODAY - 300 * DAY, TODAY - archived * DAY),
    }
    for name, (starts, ends) in sessions.items():
        world.session(name, starts, ends).school_class(name, termSourcedIds=[name])
    assert states(world) == {
        "opens-today": None,
        "opens-tomorrow": "not-open-yet",
        "archived-tomorrow": None,
        "archived-today": "over",
    }


def test_a_class_of_several_sessions_is_there_from_the_first_to_the_last_between_them_too() -> None:
    world = (
        World()
        .session("fall", TODAY - 100 * DAY, TODAY - 30 * DAY)
        .session("spring", TODAY + 30 * DAY, TODAY + WEEK * 9)
    )
    assert states(world.school_class("music", termSourcedIds=["fall", "spring"])) == {"music": None}


def test_a_class_whose_terms_are_not_known_is_there() -> None:
    world = World().session("gone", TODAY - 90 * DAY, TODAY - 60 * DAY, status="tobedeleted")
    world.school_class("none").school_class("empty", termSourcedIds=[])
    world.school_class("nowhere", termSourcedIds=["nowhere"]).school_class("gone", termSourcedIds=["gone"])
    assert states(world) == dict.fromkeys(("none", "empty", "nowhere", "gone"))


# filters


def filtered(**filters: tuple[str, ...]) -> dict[str, str | None]:
    """What becomes of four classes."""
    world = World(filters=Filters.model_validate(filters)).school(
        "north-high", "530000000003", name="North High School"
    )
    world.course("c-choir", title="Choir 5", courseCode="MUS-05", grades=["05"], subjects=["Music"])
    world.school_class("choir", courseSourcedId="c-choir")
    world.school_class("choir-own", courseSourcedId="c-choir", grades=["06"], subjects=["Lunch"])
    world.school_class("Lunch Club", grades=["KG", "05"], subjects=["General Music"], school="south")
    world.school_class("bare", school="north-high")
    return states(world)


@pytest.mark.parametrize(
    ("filters", "left_out"),
    [
        ({}, {}),
        ({"schools": ("north",)}, {"Lunch Club": "school", "bare": "school"}),
        ({"schools": (NORTH,)}, {"Lunch Club": "school", "bare": "school"}),
        ({"schools": ("*high*",)}, {"choir": "school", "choir-own": "school", "Lunch Club": "school"}),
        ({"schools": ("!south",)}, {"Lunch Club": "school"}),
        ({"grades": ("05",)}, {"choir-own": "grade", "bare": "grade"}),
        ({"grades": ("0?",)}, {"bare": "grade"}),
        ({"grades": ("!kg",)}, {"Lunch Club": "grade"}),
        ({"subjects": ("*MUSIC*",)}, {"choir-own": "subject", "bare": "subject"}),
        ({"subjects": ("!Lunch",)}, {"choir-own": "subject"}),
        ({"courses": ("choir*",)}, {"Lunch Club": "course", "bare": "course"}),
        ({"courses": ("mus-*", "bare")}, {"Lunch Club": "course"}),
        ({"courses": ("*", "!*lunch*")}, {"Lunch Club": "course"}),
        ({"courses": ("choir-own",)}, dict.fromkeys(("choir", "choir-own", "Lunch Club", "bare"), "course")),
        (
            {"schools": ("north", "south"), "grades": ("05",), "courses": ("!*lunch*",)},
            {"choir-own": "grade", "Lunch Club": "course", "bare": "school"},
        ),
    ],
)
def test_a_class_is_taken_where_each_list_has_a_pattern_that_fits_and_none_that_leaves_it_out(
    filters: dict[str, tuple[str, ...]], left_out: dict[str, str]
) -> None:
    assert {name: reason for name, reason in filtered(**filters).items() if reason} == {
        name: f"filtered-{kind}" for name, kind in left_out.items()
    }


def test_a_class_that_is_not_taken_has_the_reason_at_its_gate_and_its_teacher_is_not_written() -> None:
    world = World(filters=Filters(subjects=("Music",))).teacher().student().ready().licence()
    world.school_class("music", "ada", subjects=["Music"]).school_class("art", "ada", students="kim", subjects=["Art"])
    assert world.reasons() == {("ada", "music"): None, ("ada", "art"): "filtered-subject"}


# enrollments


def taught(world: World) -> set[tuple[Any, ...]]:
    with duckdb.connect(config={"threads": 1}) as con:
        world.write_roster(con)
        current(con, world.today, world.district)
        return set(con.execute("SELECT person, class_sourced_id, teacher_sourced_id FROM teaching").fetchall())


def test_an_enrollment_counts_from_as_early_as_classes_open_until_its_end_date() -> None:
    world = World(terms=Terms(opens_days_before=3)).school_class("music")
    enrollments: dict[str, dict[str, date]] = {
        "always": {},
        "begins-in-time": {"beginDate": TODAY + 3 * DAY},
        "begins-later": {"beginDate": TODAY + 4 * DAY},
        "ends-today": {"endDate": TODAY},
        "ends-tomorrow": {"endDate": TODAY + DAY},
    }
    for name, dates in enrollments.items():
        world.teacher(name).enrolled(name, "music", "teacher", **dates)
    assert {person for person, _, _ in taught(world)} == {"always", "begins-in-time", "ends-tomorrow"}


def test_a_united_persons_enrollments_are_one_persons_and_the_primary_one_is_shown() -> None:
    same = {"username": "ada.may", "givenName": "Ada", "familyName": "May"}
    world = World().person("a-1", "administrator", **same).teacher("t-1", **same).school_class("music", "t-1")
    assert taught(world.enrolled("a-1", "music", "teacher", primary=True)) == {("t-1", "music", "a-1")}


@pytest.mark.parametrize("placeholder", ["N/A", "none ", "0"])
def test_two_adults_of_one_name_are_not_united_by_a_placeholder_for_a_username(placeholder: str) -> None:
    same = {"username": placeholder, "givenName": "Ada", "familyName": "May"}
    world = World().teacher("t-1", **same).teacher("t-2", **same).school_class("music", "t-2")
    assert taught(world) == {("t-2", "music", "t-2")}


# the next change


def test_the_next_day_on_which_the_calendar_alone_changes_something_is_known() -> None:
    world = World(terms=Terms(opens_days_before=3, archived_days_after=3)).teacher().school_class("music")

    def next_day() -> date | None:
        with duckdb.connect(config={"threads": 1}) as con:
            world.write_roster(con)
            con.execute("CREATE TABLE licence (starts_on DATE, ends_on DATE)")
            for row in world.rows["licence"]:
                con.execute("INSERT INTO licence VALUES (?, ?)", [row["starts_on"], row["ends_on"]])
            current(con, world.today, world.district)
            return next_change(con, world.today, world.district)

    assert next_day() is None
    world.licence(starts=TODAY - DAY, ends=TODAY + 60 * DAY)
    assert next_day() == TODAY + 60 * DAY
    world.licence(starts=TODAY + 50 * DAY)
    assert next_day() == TODAY + 50 * DAY
    world.session("term", TODAY - 90 * DAY, TODAY + 37 * DAY).school_class("art", termSourcedIds=["term"])
    assert next_day() == TODAY + 40 * DAY
    world.session("next", TODAY + 33 * DAY, TODAY + 90 * DAY).school_class("math", termSourcedIds=["next"])
    assert next_day() == TODAY + 30 * DAY
    world.enrolled("ada", "music", "teacher", endDate=TODAY + 20 * DAY)
    assert next_day() == TODAY + 20 * DAY
    world.enrolled("ada", "art", "teacher", beginDate=TODAY + 13 * DAY)
    assert next_day() == TODAY + 10 * DAY
