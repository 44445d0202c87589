"""The vendor's rows of one district, and their state: equal exactly when nothing that matters has changed."""

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.district import SignIn
from roster_pipelines.platform import registry, state, vendor
from roster_pipelines.simulators import product
from roster_pipelines_tests.conftest import register

PRODUCT = "lessons"


@pytest.fixture
def teacher(engine: Engine) -> Engine:
    """Two districts alike, each with a licence and a teacher who has signed in with an active account."""
    for district in ("maple", "cedar"):
        register(engine, district)
        with engine.begin() as connection:
            product.sell(connection, district, PRODUCT)
            account = product.open_account(connection, district, PRODUCT)
            product.sign_in(connection, district, "ada", account, email="ada@maple.example")
    return engine


def states(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return state.states(connection)


OF_MAPLE = "WHERE district = 'maple'"
RELEVANT: dict[str, tuple[str, str]] = {
    # what happens, and what undoes it
    "another claim of the id": (
        f"UPDATE platform.sign_in SET sourced_id = 'bea' {OF_MAPLE}",
        f"UPDATE platform.sign_in SET sourced_id = 'ada' {OF_MAPLE}",
    ),
    "another claim of the e-mail": (
        f"UPDATE platform.sign_in SET email = 'bea@maple.example' {OF_MAPLE}",
        f"UPDATE platform.sign_in SET email = 'ada@maple.example' {OF_MAPLE}",
    ),
    "the claim of the id is gone": (
        f"UPDATE platform.sign_in SET sourced_id = NULL {OF_MAPLE}",
        f"UPDATE platform.sign_in SET sourced_id = 'ada' {OF_MAPLE}",
    ),
    "another provider": (
        f"UPDATE platform.sign_in SET provider = 'google' {OF_MAPLE}",
        f"UPDATE platform.sign_in SET provider = 'classlink' {OF_MAPLE}",
    ),
    "the account is unlinked": (
        f"UPDATE platform.sign_in SET account_id = NULL {OF_MAPLE}",
        "UPDATE platform.sign_in s SET account_id = a.account_id FROM platform.account a"
        " WHERE a.district = s.district AND s.district = 'maple'",
    ),
    "one more person signs in": (
        "INSERT INTO platform.sign_in (district, provider, subject) VALUES ('maple', 'classlink', 'new')",
        "DELETE FROM platform.sign_in WHERE subject = 'new'",
    ),
    "the account is deactivated": (
        f"UPDATE platform.account SET status = 'inactive' {OF_MAPLE}",
        f"UPDATE platform.account SET status = 'active' {OF_MAPLE}",
    ),
    "one more account": (
        "INSERT INTO platform.account (district, status) VALUES ('maple', 'inactive')",
        "DELETE FROM platform.account WHERE district = 'maple' AND status = 'inactive'",
    ),
    "one more code": (
        "INSERT INTO platform.product VALUES ('health', 'Health');"
        " INSERT INTO platform.access_code (account_id, product_id)"
        f" SELECT account_id, 'health' FROM platform.account {OF_MAPLE}",
        "DELETE FROM platform.access_code WHERE product_id = 'health'",
    ),
    "the licence runs out today": (
        f"UPDATE platform.licence SET starts_on = current_date - 9, ends_on = current_date - 2 {OF_MAPLE}",
        f"UPDATE platform.licence SET ends_on = current_date + 90 {OF_MAPLE}",
    ),
    "the licence covers one school": (
        f"UPDATE platform.licence SET school_nces_id = '530000000001' {OF_MAPLE}",
        f"UPDATE platform.licence SET school_nces_id = NULL {OF_MAPLE}",
    ),
}


@pytest.mark.parametrize("what", RELEVANT)
def test_a_relevant_change_shows_in_that_district_alone_and_going_back_gives_the_former_state(
    teacher: Engine, what: str
) -> None:
    change, undo = RELEVANT[what]
    before = states(teacher)
    with teacher.begin() as connection:
        connection.execute(sa.text(change))
    changed = states(teacher)
    assert changed["maple"] != before["maple"]
    assert changed["cedar"] == before["cedar"]
    with teacher.begin() as connection:
        connection.execute(sa.text(undo))
    assert states(teacher) == before


IRRELEVANT = {
    "the same teacher signs in the next morning": (
        "UPDATE platform.sign_in SET last_signed_in_at = last_signed_in_at + interval '1 day'"
    ),
    "a licence in force is prolonged": "UPDATE platform.licence SET ends_on = ends_on + 365",
    "a product gets another name": "UPDATE platform.product SET name = 'Other'",
}


@pytest.mark.parametrize("what", IRRELEVANT)
def test_what_does_not_matter_changes_no_state(teacher: Engine, what: str) -> None:
    before = states(teacher)
    with teacher.begin() as connection:
        connection.execute(sa.text(IRRELEVANT[what]))
    assert states(teacher) == before


def test_signing_in_again_with_the_same_claims_changes_no_state(teacher: Engine) -> None:
    before = states(teacher)
    with teacher.begin() as connection:
        account = connection.scalar(sa.text(f"SELECT account_id FROM platform.sign_in {OF_MAPLE}"))
        product.sign_in(connection, "maple", "ada", account, email="ada@maple.example")
    assert states(teacher) == before


def test_a_licence_begins_and_ends_at_midnight_of_the_districts_own_time_zone(engine: Engine) -> None:
    """Kiritimati is 25 hours ahead of Pago Pago: a licence of today there has ended here, whatever the hour."""
    for district, zone in (("early", "Pacific/Kiritimati"), ("late", "Pacific/Pago_Pago")):
        register(engine, district, time_zone=zone)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO platform.product VALUES ('lessons', 'Lessons');"
                " INSERT INTO platform.licence (district, product_id, starts_on, ends_on)"
                " SELECT unnest(ARRAY['early', 'late']), 'lessons', day, day + 1"
                " FROM (SELECT (now() AT TIME ZONE 'Pacific/Pago_Pago')::date AS day) AS today"
            )
        )
        before = state.states(connection)
        connection.execute(sa.text("UPDATE platform.licence SET ends_on = ends_on + 9"))
        after = state.states(connection)
    assert after["late"] == before["late"]
    assert after["early"] != before["early"]


def test_the_record_is_part_of_the_state_but_for_the_connection(teacher: Engine) -> None:
    before = states(teacher)
    with teacher.begin() as connection:
        record = registry.get(connection, "maple")
        moved = record.connection.model_copy(update={"port": 2022})
        registry.apply(connection, record.model_copy(update={"connection": moved}), by="test", why="moved")
    assert states(teacher) == before
    with teacher.begin() as connection:
        other = record.model_copy(update={"sign_in": SignIn(provider="other")})
        registry.apply(connection, other, by="test", why="another SSO")
    assert states(teacher)["maple"] != before["maple"]
    assert states(teacher)["cedar"] == before["cedar"]


def test_the_state_of_one_district_is_the_same_asked_for_alone(teacher: Engine) -> None:
    with teacher.connect() as connection:
        assert state.states(connection, "maple") == {"maple": states(teacher)["maple"]}


def test_only_the_districts_own_rows_are_read(teacher: Engine) -> None:
    with teacher.connect() as connection, duckdb.connect() as con:
        vendor.read(connection, con, "maple")
        theirs = connection.scalar(sa.text(f"SELECT account_id FROM platform.account {OF_MAPLE}"))
        assert con.execute("SELECT sourced_id, email, account_id FROM sign_in").fetchall() == [
            ("ada", "ada@maple.example", theirs)
        ]
        assert con.execute("FROM account").fetchall() == [(theirs, "active")]
        assert con.execute("FROM access_code").fetchall() == [(theirs, PRODUCT)]
        assert con.execute("SELECT product_id, school_nces_id FROM licence").fetchall() == [(PRODUCT, None)]
