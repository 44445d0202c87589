"""Read docs/scenarios.md: each row of its tables is a district, and what becomes of it.

A cell holds phrases parted by semicolons. A phrase is a verb with its words, `class music ada students=kim`; the verbs
are `VERBS`, the methods of `World` and the settings of a district. A row that begins with `...` goes on where the row
before it ended.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from roster_pipelines.district import Filters, SignIn, Terms
from roster_pipelines_tests.rostering.world import World

SOURCE = Path(__file__).parents[2] / "docs" / "scenarios.md"
GOES_ON = "..."


@dataclass(frozen=True)
class Scenario:
    """One row.

    Attributes:
        name: What it is about.
        given: Its phrases, those of the rows that it goes on from left out.
        classes: By class that is there, its teachers and its students.
        waiting: By teacher and class (None: teaches none), the reason of the first gate that does not hold.
    """

    name: str
    given: tuple[str, ...]
    classes: dict[str, tuple[set[str], set[str]]]
    waiting: dict[tuple[str, str | None], str]


def scenarios(text: str | None = None) -> list[list[Scenario]]:
    """Read the tables.

    Returns:
        By story, its rows: most have one, the others go on from row to row.
    """
    stories: list[list[Scenario]] = []
    always: tuple[str, ...] = ()
    for line in (text or SOURCE.read_text("utf-8")).splitlines():
        if line.startswith("#"):
            always = ()
        elif found := re.match(r"In each of them: `(.*)`", line):
            always = phrases(found[1])
        elif line.startswith("| ") and not line.startswith(("| scenario", "| ---")):
            name, roster, vendor, classes, waiting = (cell.strip() for cell in line.strip("|").split("|"))
            given = (*phrases(roster), *phrases(vendor))
            goes_on = name.startswith(GOES_ON)
            row = Scenario(name, given if goes_on else (*always, *given), _classes(classes), _waiting(waiting))
            if goes_on:
                stories[-1].append(row)
            else:
                stories.append([row])
    return stories


def phrases(cell: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in cell.replace("`", "").split(";") if phrase.strip())


def _classes(cell: str) -> dict[str, tuple[set[str], set[str]]]:
    """Read `music: ada, bea > kim, lee`: a class, its teachers, its students."""
    found = {}
    for phrase in phrases(cell):
        name, _, people = phrase.partition(":")
        teachers, _, students = people.partition(">")
        found[name.strip()] = (set(_words(teachers)), set(_words(students)))
    return found


def _waiting(cell: str) -> dict[tuple[str, str | None], str]:
    """Read `ada music: no-licence; bea: no-class`: a teacher, a class, the reason."""
    found = {}
    for phrase in phrases(cell):
        who, _, reason = phrase.partition(":")
        person, *school_class = who.split()
        found[person, school_class[0] if school_class else None] = reason.strip()
    return found


def _words(text: str) -> Iterator[str]:
    return (word.strip() for word in text.split(",") if word.strip())


# the phrases

_NUMBERS = ("account", "seats")
_DATES = ("starts", "ends", "beginDate", "endDate")
_FLAGS = ("primary", "enabledUser", "school_choice")
_LISTS = ("grades", "subjects", "termSourcedIds", "userIds", "orgSourcedIds")


def _value(key: str, text: str) -> Any:
    if text == "blank":
        return None
    if key in _NUMBERS:
        return int(text)
    if key in _DATES:
        return date.fromisoformat(text)
    if key in _FLAGS:
        return text == "true"
    return list(_words(text)) if key in _LISTS else text


def _district(world: World, **settings: str) -> None:
    for key, text in settings.items():
        many = key in ("pilots", "teaching_roles")
        setattr(world, key, tuple(_words(text)) if many else _value(key, text))


def _sso(world: World, **settings: str) -> None:
    many = {key: tuple(_words(text)) for key, text in settings.items() if key in ("match", "email_domains")}
    assert world.sso is not None
    world.sso = SignIn.model_validate({**world.sso.model_dump(), **settings, **many})


def _filters(world: World, **settings: str) -> None:
    world.filters = Filters.model_validate({key: tuple(_words(text)) for key, text in settings.items()})


def _terms(world: World, **settings: str) -> None:
    world.terms = Terms.model_validate(settings)


def _today(world: World, day: str) -> None:
    world.today = date.fromisoformat(day)


def _without(world: World, table: str, sourced_id: str) -> None:
    """Take a row out of the roster, and the enrollments that hang on it."""
    columns = {"users": "userSourcedId", "classes": "classSourcedId"}
    world.rows[table] = [row for row in world.rows[table] if _id(table, row) != sourced_id]
    if table in columns:
        world.rows["enrollments"] = [r for r in world.rows["enrollments"] if r[columns[table]] != sourced_id]


def _change(world: World, table: str, key: str, /, **values: str) -> None:
    (row,) = (row for row in world.rows[table] if _id(table, row) == key)
    row.update({name: _value(name, text) for name, text in values.items()})


def _rename(world: World, table: str, old: str, new: str) -> None:
    """Give a record another sourcedId, and all that points to it."""
    column = {"users": "userSourcedId", "classes": "classSourcedId"}[table]
    _change(world, table, old, sourcedId=new)
    for row in world.rows["enrollments"]:
        if row[column] == old:
            row[column] = new


def _code(world: World, account: str, product: str) -> None:
    world.add("access_code", account_id=int(account), product_id=product)


def _id(table: str, row: dict[str, Any]) -> str:
    return str(row[{"sign_in": "sign_in_id", "account": "account_id", "licence": "licence_id"}.get(table, "sourcedId")])


def _close(world: World, teacher: str) -> None:
    """The vendor closes the account that auto-registration has opened for a teacher."""
    world.rows.setdefault("closed", []).append({"provisioned_for": teacher})


def _world(method: str) -> Callable[..., object]:
    def call(world: World, *words: str, **settings: str) -> object:
        values = [_word(method, word) for word in words]
        return getattr(world, method)(*values, **{key: _value(key, text) for key, text in settings.items()})

    return call


def _word(method: str, word: str) -> object:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", word):
        return date.fromisoformat(word)
    return int(word) if method == "account" and word.isdigit() else _value("", word)


VERBS: dict[str, Callable[..., object]] = {
    "district": _district,
    "sso": _sso,
    "filters": _filters,
    "terms": _terms,
    "today": _today,
    "without": _without,
    "change": _change,
    "rename": _rename,
    "code": _code,
    "close": _close,
    "class": _world("school_class"),
    "sign-in": _world("signed_in"),
    **{
        verb: _world(verb)
        for verb in (
            "school",
            "person",
            "teacher",
            "student",
            "enrolled",
            "session",
            "course",
            "resource",
            "product",
            "account",
            "licence",
            "ready",
        )
    },
}


def say(world: World, phrase: str) -> None:
    """Do to a world what a phrase says."""
    verb, *words = shlex.split(phrase)
    settings = dict(word.split("=", 1) for word in words if re.match(r"\w+=", word))
    VERBS[verb](world, *(word for word in words if not re.match(r"\w+=", word)), **settings)
