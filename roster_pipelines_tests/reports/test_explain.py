"""What is told of a person or a class: the first gate that is shut, how it opens, who must act, the lines behind it."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from roster_pipelines.oneroster.standard import ROSTER
from roster_pipelines.reports.explain import AsOf, Explanation, View, explain, was_in
from roster_pipelines.reports.explain.data import Person, SignedIn
from roster_pipelines.reports.explain.ladder import LABELS, WHO
from roster_pipelines.reports.explain.text import text
from roster_pipelines.rostering.access import holders
from roster_pipelines.rostering.current import current
from roster_pipelines.rostering.entitlement import entitlements
from roster_pipelines.rostering.gates import gates
from roster_pipelines.rostering.identity import identities
from roster_pipelines.rostering.plan import PUBLISHED
from roster_pipelines.rostering.reasons import GATES, REASONS
from roster_pipelines_tests.rostering.world import DAY, NORTH, TODAY, VENDOR, World, insert, quoted

DELIVERY = "20261123T080002Z-3fa9c1d2"
AS_OF = AsOf(12, "applied", DELIVERY, datetime(2026, 11, 23, 8, 1, tzinfo=UTC), DELIVERY)
ADA, BO, KIM = "usr-17", "usr-18", "stu-1"
PEOPLE = ("Ada", "Acorn", "ada@maple.example", "aacorn", "Music One")
"""What stands in the roster of a teacher and a class."""
REJECTED = {
    "users": {"sourcedId": " usr-50", "email": "Cy@maple.example", "_line": 41, "rules": ["value-missing:role"]},
    "classes": {"sourcedId": "cls-9", "_line": 9, "rules": ["reference-nowhere:schoolSourcedId"]},
    "enrollments": {
        "userSourcedId": BO,
        "classSourcedId": "cls-8",
        "role": "Teacher",
        "_line": 88,
        "rules": ["reference-nowhere:classSourcedId"],
    },
}

Row = dict[str, Any]
Ask = Callable[..., Explanation]


def maple() -> World:
    """Ada has two classes of this term and one of the next; Bo has enrollments that do not count."""
    names = {"givenName": "Ada", "familyName": "Acorn", "email": "ada@maple.example", "username": "aacorn"}
    world = World().licence("lessons", NORTH).teacher(ADA, **names).teacher(BO).student(KIM)
    world.teacher("usr-8", status="tobedeleted").person("usr-9", "guardian")
    world.session("now", TODAY - DAY, TODAY + 60 * DAY).session("next", TODAY + 60 * DAY, TODAY + 160 * DAY)
    for name, term in {"cls-1": "now", "cls-2": "now", "cls-3": "next"}.items():
        world.school_class(name, ADA, students=KIM, termSourcedIds=[term])
    world.school_class("cls-4", students=KIM)
    world.rows["classes"][0]["title"] = "Music One"
    world.rows["classes"][1]["_delivery"] = "earlier"
    for dates in {"endDate": TODAY}, {"beginDate": TODAY + 60 * DAY}, {"status": "tobedeleted"}:
        world.enrolled(BO, "cls-4", "teacher", **dates)
    return world


@contextmanager
def solved(
    world: World,
    published: Sequence[tuple[str, str | None]] = (),
    new: int | None = None,
    *,
    pulled: bool = False,
) -> Iterator[Ask]:
    """Work everything out, and give what asks about somebody.

    Args:
        world: The district.
        published: Classes of Ada's that are, each with what the plan does in place of its removal.
        new: A sign-in that came after the plan was made.
        pulled: The roster came through an API.
    """
    with duckdb.connect(config={"threads": 1}) as con:
        write(world, con, ":memory:")
        if pulled:
            con.execute("CREATE TABLE roster.about AS SELECT true AS api")
            con.execute("UPDATE roster.findings SET file = replace(file, '.csv', '')")
        current(con, TODAY, world.district)
        for table, columns in VENDOR.items():
            con.execute(f"CREATE TABLE {table} ({columns})")
            fill(con, table, world.rows[table])
        identities(con, world.sso, TODAY)
        holders(con)
        entitlements(con, TODAY, world.district)
        gates(con, TODAY, world.district)
        con.execute("DELETE FROM identity WHERE sign_in_id = ?", [new])
        publish(con, published)
        yield lambda name, as_of=AS_OF, *, values=False: explain(
            con, name, world.district, as_of, View(DELIVERY, TODAY, values)
        )


def write(world: World, con: duckdb.DuckDBPyConnection, path: Path | str) -> None:
    """Write what of a staging database is looked at, attached as `roster`."""
    con.execute("ATTACH ':memory:' AS written; USE written")
    world.write_roster(con)
    con.execute(f"USE memory; ATTACH '{path}' AS roster; CREATE SCHEMA roster.rejected")
    for name in ROSTER:
        con.execute(f'CREATE TABLE roster.main."{name}" AS FROM written.roster."{name}"')
    for name, row in REJECTED.items():
        columns = con.execute(f"DESCRIBE roster.main.{name}").fetchall()
        texts = ", ".join(f'"{column}" VARCHAR' for column, *_ in columns if not column.startswith("_"))
        con.execute(f"CREATE TABLE roster.rejected.{name} (_line BIGINT, {texts}, rules VARCHAR[])")
        fill(con, f"roster.rejected.{name}", [row])
    con.execute(
        """
        CREATE TABLE roster.main.findings (
            rule VARCHAR, file VARCHAR, line BIGINT, sourced_id VARCHAR, cause_file VARCHAR, cause_line BIGINT);
        INSERT INTO roster.main.findings VALUES ('row-unreadable', 'users.csv', 66, 'usr-66', NULL, NULL),
            ('reference-nowhere', 'classes.csv', 9, 'cls-9', 'orgs.csv', 3)
        """
    )


def fill(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row]) -> None:
    names = sorted({name for row in rows for name in row})
    insert(con, f"{table} ({', '.join(map(quoted, names))})", [[row.get(name) for name in names] for row in rows])


def publish(con: duckdb.DuckDBPyConnection, classes: Sequence[tuple[str, str | None]]) -> None:
    for table in PUBLISHED:
        columns = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
        con.execute(f"CREATE TABLE current_{table.name} ({columns}, active BOOLEAN)")
    con.execute(
        "CREATE TABLE removal (class_sourced_id VARCHAR, account_id BIGINT, student_sourced_id VARCHAR, action VARCHAR)"
    )
    for name, action in classes:
        keys = {"class_sourced_id": name, "active": True}
        fill(con, "current_rostered_class", [keys])
        fill(con, "current_rostered_class_teacher", [{**keys, "account_id": 1, "teacher_sourced_id": ADA}])
        fill(con, "current_rostered_class_student", [{**keys, "student_sourced_id": KIM}])
        of_rows: list[Row] = [{}, {"account_id": 1}, {"student_sourced_id": KIM}] if action else []
        fill(con, "removal", [{"class_sourced_id": name, "action": action, **row} for row in of_rows])


@pytest.fixture(scope="module")
def waiting() -> Iterator[Ask]:
    """Ada has not signed in."""
    with solved(maple()) as ask:
        yield ask


@pytest.fixture(scope="module")
def ready() -> Iterator[Ask]:
    """Ada has signed in, with an account and a code; a class of hers is published, the other not yet."""
    with solved(maple().ready(ADA).enrolled(BO, "cls-1", "teacher"), published=[("cls-1", None)]) as ask:
        yield ask


def person(told: Explanation) -> Person:
    assert told.person
    return told.person


def shown(told: Explanation) -> str:
    """Render it as on a terminal of 100 columns, in one line."""
    console = Console(file=StringIO(), width=100)
    console.print(text(told))
    assert isinstance(console.file, StringIO)
    return " ".join(console.file.getvalue().split())


def test_the_first_gate_that_is_shut_is_told_first_with_what_opens_it_and_who_acts(waiting: Ask) -> None:
    told, reason = shown(waiting(ADA)), REASONS["no-sign-in"]
    assert told.startswith(f"{ADA} teacher ✗ 0 of 3 classes open: {reason.what} ✓ in the roster users.csv 2")
    assert f"✗ signed in {reason.what} → {WHO[reason.who]}: {reason.opens}" in told
    assert told.count(f"→ {WHO[reason.who]}") == 1
    # Nobody can know whether there is a code before there is an account.
    assert "? account active" in told
    assert "? entitled" in told
    assert "✓ stage allows live ✓ class there today 2 of 3 classes" in told
    assert f"As of plan 12 (applied), 2026-11-23 08:01 UTC, delivery {DELIVERY}." in told


def test_what_each_gate_rests_on_is_told(ready: Ask) -> None:
    told = shown(ready(ADA))
    assert "✓ 2 of 3 classes passed every gate, 1 published" in told
    assert "✓ signed in sign-in 1, matched by sourced_id" in told
    assert "✓ account active account 1, active, code for lessons" in told
    assert f"✓ entitled lessons by access_code, school north, licence 1 until {TODAY + 200 * DAY}" in told


def test_classes_with_the_same_answer_stand_together_each_with_what_only_it_waits_for(waiting: Ask, ready: Ask) -> None:
    ahead = f"class there today: {REASONS['not-open-yet'].what} (it opens on {TODAY + 46 * DAY}) → the district:"
    told = shown(waiting(ADA))
    assert f"✗ 2 waits for: signed in cls-1, cls-2 ✗ 1 waits for: signed in {ahead}" in told
    assert "✓ 1 published cls-1 ! 1 every gate is passed, and it is not published yet: plan 12 is applied cls-2" in (
        shown(ready(ADA))
    )
    assert f"cls-2 ✗ 1 {ahead}" in shown(ready(ADA))


def test_of_a_roster_that_was_pulled_collections_and_records_are_named() -> None:
    with solved(maple(), pulled=True) as ask:
        told = shown(ask(ADA))
        assert "✓ in the roster users record 2" in told
        assert "cls-1 classes record 2, enrollments record 2" in told
        assert "enrollments record 88" in shown(ask(BO))
        assert "✗ users record 41 role: the value is missing" in shown(ask("usr-50"))
        assert "✗ users record 66 the row does not have" in shown(ask("usr-66"))


def test_every_class_and_enrollment_names_its_line_and_an_earlier_delivery(waiting: Ask) -> None:
    assert "cls-1 classes.csv 2, enrollments.csv 2" in shown(waiting(ADA))
    assert "cls-2 classes.csv 3 of delivery earlier, enrollments.csv 4" in shown(waiting(ADA))
    places = waiting(ADA).as_json()["person"]["classes"][1]["places"]
    assert [(place["file"], place["line"], place["delivery"]) for place in places] == [
        ("classes.csv", 3, "earlier"),
        ("enrollments.csv", 4, DELIVERY),
    ]


@pytest.mark.parametrize("name", [ADA, f" {ADA} ", "ada@maple.example", " ADA@Maple.example", "AAcorn"])
def test_a_person_is_found_by_sourced_id_address_or_username(waiting: Ask, name: str) -> None:
    assert person(waiting(name)).person == ADA


def test_of_several_people_with_one_address_only_who_they_are_is_told() -> None:
    world = maple().teacher("usr-19", email="ada@maple.example").teacher("usr-20", username=ADA).ready(ADA)
    world.add("known_key", person_sourced_id="usr-5", kind="subject", value="classlink|subject-1", first_seen=TODAY)
    with solved(world) as ask:
        told = ask("ada@maple.example")
        assert (told.several, told.person) == ((ADA, "usr-19"), None)
        assert f"Ask for one of them: {ADA} usr-19" in shown(told)
        # A sourcedId goes before an address, and counts byte by byte; an earlier one of theirs is known.
        assert person(ask(ADA)).person == ADA
        assert ask(ADA.upper()).several == ()
        assert person(ask(ADA.upper())).person == "usr-20"
        assert person(ask("usr-5")).person == ADA


def test_sign_ins_that_may_be_theirs_or_carry_a_claim_of_theirs_are_named() -> None:
    world = maple().signed_in(email="ada@maple.example", provider="google").signed_in(username="AACORN ")
    world.signed_in(email="ada@maple.example").signed_in("usr-99").teacher("usr-19", email="ada@maple.example")
    world.add("known_key", person_sourced_id=ADA, kind="subject", value="classlink|was-hers", first_seen=TODAY)
    world.signed_in(BO, subject="was-hers")
    with solved(world, new=2) as ask:
        told = ask(ADA)
    assert person(told).sign_ins == (
        SignedIn(1, "other-provider", None, (), theirs=False),
        SignedIn(2, None, None, (), theirs=False),
        SignedIn(3, "ambiguous", "email", (ADA, "usr-19"), theirs=False),
        SignedIn(5, "moved", "sourced_id", (ADA, BO), theirs=False),
    )
    assert "sign-in 2 came after the plan was made: ask again" in shown(told)
    assert f"sign-in 3, ambiguous: one of its claims fits several people of the roster; held ({ADA}, usr-19)" in (
        shown(told)
    )


def test_a_class_that_stays_though_a_gate_is_shut_says_why_and_how_to_decide() -> None:
    world = maple().ready(ADA)
    world.rows["licence"][0]["ends_on"] = TODAY
    with solved(world, published=[("cls-1", "hold"), ("cls-2", "keep"), ("cls-7", None)]) as ask:
        told, of_class, of_student = (shown(ask(name)) for name in (ADA, "cls-1", KIM))
    assert "✗ 0 of 3 classes open, 3 still published: the licence has ended" in told
    held = "still published: the removal is held until a person decides: roster approve 12 or roster discard 12"
    assert f"{held} cls-1" in told
    assert "still published: the removal was discarded, until the next delivery cls-2" in told
    assert "! 1 not theirs any more still published: plan 12 is applied cls-7" in told
    assert "cls-7 not in the roster any more" in told
    assert held in of_class
    assert f"{held} → sales or support: renewing it cls-1" in of_student


def test_an_account_that_two_people_linked_is_said_and_lends_neither_the_others_classes() -> None:
    world = maple().ready(ADA).signed_in(BO, account=1)
    with solved(world, published=[("cls-1", None)]) as ask:
        told = person(ask(BO))
        assert (told.accounts[0].others, [row for row in told.classes if row.class_sourced_id]) == ((ADA,), [])
        assert f"account 1, active, code for lessons, which {BO} linked too" in shown(ask(ADA))


def test_enrollments_that_do_not_count_say_why(waiting: Ask) -> None:
    told = shown(waiting(BO))
    assert f"✗ No class: {REASONS['no-sign-in'].what}" in told
    assert "✗ class there today no class of the roster has them as its teacher today" in told
    assert "cls-4 as teacher, enrollments.csv 9: ended" in told
    assert "cls-4 as teacher, enrollments.csv 10: not begun yet" in told
    assert "cls-4 as teacher, enrollments.csv 11: marked tobedeleted" in told
    assert "cls-8 as teacher, enrollments.csv 88: classSourcedId: the record it names is not in the delivery →" in told


def test_whoever_gets_no_classes_by_their_own_row_is_told_so(waiting: Ask) -> None:
    assert f"usr-8 teacher ✗ No class: {REASONS['to-be-deleted'].what}" in shown(waiting("usr-8"))
    assert "usr-9 guardian ! In the roster, but neither staff nor student of a class today" in shown(waiting("usr-9"))


def test_a_student_is_told_which_classes_are_there_and_what_the_others_wait_for(ready: Ask) -> None:
    told = ready(KIM)
    assert [(row.class_sourced_id, row.published, row.reason) for row in person(told).learns] == [
        ("cls-1", True, None),
        ("cls-2", None, None),
        ("cls-3", None, "not-open-yet"),
        ("cls-4", None, "no-teacher"),
    ]
    assert shown(told).startswith(f"{KIM} student ✓ In 1 of 4 classes now Classes as a student ✓ 1 published cls-1")


def test_a_class_is_told_with_its_days_its_teachers_and_its_students(waiting: Ask, ready: Ask) -> None:
    there = shown(ready("cls-1"))
    assert there.startswith("cls-1 class ✓ Published, 1 student ✓ in the roster classes.csv 2 ✓ there today from")
    assert f"✓ 1 published {ADA} ✗ 1 signed in: {REASONS['no-sign-in'].what}" in there
    assert f"{ADA} enrollments.csv 2 {BO} enrollments.csv 12" in there
    ahead = shown(waiting("cls-3"))
    assert ahead.startswith("cls-3 class ✗ Not published, 1 student would be in it")
    assert f"✗ there today {REASONS['not-open-yet'].what} → the district:" in ahead
    assert "! Nobody teaches it today Enrollments that do not count ✗ cls-4 as teacher" in shown(waiting("cls-4"))


@pytest.mark.parametrize("name", ["usr-50", "CY@maple.example"])
def test_somebody_who_was_rejected_is_told_the_rules_and_the_line(waiting: Ask, name: str) -> None:
    assert shown(waiting(name)).startswith(
        "✗ Not in the roster Rejected by that name ✗ users.csv 41 role: the value is missing → fill it in"
    )


def test_a_line_that_is_no_row_and_a_cause_elsewhere_are_told(waiting: Ask) -> None:
    assert "✗ users.csv 66 the row does not have one value for each column" in shown(waiting("usr-66"))
    assert "it comes from orgs.csv 3" in shown(waiting("cls-9"))


def test_what_is_known_besides_the_roster_is_told() -> None:
    world = maple().teacher("usr-19", email="cy@maple.example").signed_in("usr-40")
    with solved(world, published=[("cls-7", None), ("cls-8", "hold")]) as ask:
        told = ask("cy@maple.example")
        assert (person(told).person, told.rejected[0].place.line) == ("usr-19", 41)
        assert "! sign-in 1, nobody: its claims fit nobody in the roster; district:" in shown(ask("usr-40"))
        assert "! is a published class" in shown(ask("cls-7"))
        assert "roster approve 12 or roster discard 12" in shown(ask("cls-8"))
        assert not ask("usr-404").found


def test_an_earlier_roster_is_asked_by_the_same_names(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        write(maple(), con, tmp_path / "earlier.duckdb")
    names = ("cls-1", ADA, " AACORN", "usr-404")
    assert [was_in(tmp_path / "earlier.duckdb", name) for name in names] == [True, True, True, False]


def test_a_ladder_that_is_not_up_to_date_says_so(waiting: Ask) -> None:
    stale = AsOf(12, "applied", DELIVERY, AS_OF.planned_at, DELIVERY, ("somebody has signed in since",))
    assert shown(waiting(ADA, stale)).endswith("! Not up to date: somebody has signed in since.")
    assert "There is no plan yet" in shown(waiting(ADA, AsOf(None, None, None, None, DELIVERY)))


@pytest.mark.parametrize("name", [ADA, "ada@maple.example", "cls-1"])
def test_names_and_titles_are_shown_only_where_they_are_asked_for(ready: Ask, name: str) -> None:
    opaque, plain = ready(name), ready(name, values=True)
    for told in (shown(opaque), json.dumps(opaque.as_json(), default=str)):
        assert not [value for value in PEOPLE if value in told]
    assert "Ada" in shown(plain)
    assert "Music One" in json.dumps(plain.as_json(), default=str)


def test_an_id_that_looks_like_a_person_is_shown_only_with_values() -> None:
    with solved(World().teacher("ada.acorn").school_class("cls-1", "ada.acorn")) as ask:
        for name in ("ada.acorn", "cls-1"):
            assert "ada.acorn" not in json.dumps(ask(name).as_json(), default=str) + shown(ask(name))
        assert shown(ask("ada.acorn", values=True)).startswith("ada.acorn teacher")


def test_programs_get_the_words_for_every_reason_and_outcome_in_it(waiting: Ask) -> None:
    told = waiting(ADA).as_json()
    assert set(told["reasons"]) == {"no-sign-in", "no-account", "code-unknown", "not-open-yet"}
    assert told["reasons"]["no-sign-in"]["who"] == "teacher"
    assert set(told["person"]["classes"][0]["gates"]) == set(GATES) == set(LABELS)
