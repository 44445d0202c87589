"""The state that a plan is made from: equal exactly when nothing that matters has changed."""

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.district import SignIn
from roster_pipelines.platform import plans, registry, state
from roster_pipelines.simulators import product
from roster_pipelines_tests.conftest import register

PRODUCT = "lessons"
OF_MAPLE = "WHERE district = 'maple'"
MINE = f"sign_in_id IN (SELECT sign_in_id FROM platform.sign_in {OF_MAPLE})"


@pytest.fixture
def teacher(engine: Engine) -> Engine:
    """Two districts alike, each with a licence and a teacher who has signed in with an active account."""
    for district in ("maple", "cedar"):
        register(engine, district, registration="auto_by_resource")
        with engine.begin() as connection:
            product.sell(connection, district, PRODUCT, seats=20, resources=("Q-1",))
            account = product.open_account(connection, district, PRODUCT)
            product.sign_in(connection, district, "ada", account, email="ada@maple.example")
            product.open_account(connection, district)
    with engine.begin() as connection:
        product.sell(connection, "maple", "health")
        plans.record(connection, "maple", plans.new_id(connection), "delivery", {}, "state")
    return engine


def states(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return state.states(connection)


def do(engine: Engine, sql: str) -> None:
    with engine.begin() as connection:
        assert connection.execute(sa.text(sql)).rowcount != 0, "it does something"


RELEVANT: dict[str, tuple[str, str]] = {
    # what happens, and what undoes it
    **{
        f"another claim: {claim}": (
            f"UPDATE platform.sign_in SET {claim} = 'bea' {OF_MAPLE}",
            f"UPDATE platform.sign_in SET {claim} = {before} {OF_MAPLE}",
        )
        for claim, before in {
            "sourced_id": "'ada'",
            "email": "'ada@maple.example'",
            "user_id": "NULL",
            "identifier": "NULL",
            "username": "NULL",
            "provider": "'classlink'",
            "subject": "'sso-ada'",
            "legacy_subject": "NULL",
        }.items()
    },
    "the claim of the id is gone": (
        f"UPDATE platform.sign_in SET sourced_id = NULL {OF_MAPLE}",
        f"UPDATE platform.sign_in SET sourced_id = 'ada' {OF_MAPLE}",
    ),
    "a blank claim is another than none": (
        f"UPDATE platform.sign_in SET username = '' {OF_MAPLE}",
        f"UPDATE platform.sign_in SET username = NULL {OF_MAPLE}",
    ),
    "the order in which people have signed in first": (
        f"UPDATE platform.sign_in SET first_signed_in_at = first_signed_in_at + interval '1 s' {OF_MAPLE}",
        f"UPDATE platform.sign_in SET first_signed_in_at = first_signed_in_at - interval '1 s' {OF_MAPLE}",
    ),
    "one more person signs in": (
        "INSERT INTO platform.sign_in (district, provider, subject) VALUES ('maple', 'classlink', 'new')",
        "DELETE FROM platform.sign_in WHERE subject = 'new'",
    ),
    "the account is unlinked": (
        f"DELETE FROM platform.account_link WHERE {MINE}",
        "INSERT INTO platform.account_link SELECT sign_in_id, account_id"
        " FROM platform.sign_in JOIN platform.account USING (district) WHERE district = 'maple' AND status = 'active'",
    ),
    "another account is linked": (
        "UPDATE platform.account_link SET account_id = a.account_id FROM platform.account a"
        f" WHERE district = 'maple' AND status = 'inactive' AND {MINE}",
        "UPDATE platform.account_link SET account_id = a.account_id FROM platform.account a"
        f" WHERE district = 'maple' AND status = 'active' AND {MINE}",
    ),
    "a school is picked": (
        f"INSERT INTO platform.school_choice SELECT sign_in_id, '530000000001' FROM platform.sign_in {OF_MAPLE}",
        "DELETE FROM platform.school_choice",
    ),
    "the account is closed": (
        f"UPDATE platform.account SET status = 'closed' {OF_MAPLE} AND status = 'active'",
        f"UPDATE platform.account SET status = 'active' {OF_MAPLE} AND status = 'closed'",
    ),
    "an account that was never activated is closed": (
        f"UPDATE platform.account SET status = 'closed' {OF_MAPLE} AND status = 'inactive'",
        f"UPDATE platform.account SET status = 'inactive' {OF_MAPLE} AND status = 'closed'",
    ),
    "the account that a code has activated is so no more": (
        f"UPDATE platform.account SET status = 'inactive', email = 'x' {OF_MAPLE} AND status = 'active'",
        f"UPDATE platform.account SET status = 'active' {OF_MAPLE} AND email = 'x'",
    ),
    "one more code": (
        "INSERT INTO platform.access_code (account_id, product_id)"
        f" SELECT account_id, 'health' FROM platform.account {OF_MAPLE}",
        "DELETE FROM platform.access_code WHERE product_id = 'health'",
    ),
    "the licence runs out today": (
        f"UPDATE platform.licence SET starts_on = current_date - 9, ends_on = current_date - 2 {OF_MAPLE}",
        f"UPDATE platform.licence SET ends_on = current_date + 90 {OF_MAPLE}",
    ),
    "the licence is put off": (
        f"UPDATE platform.licence SET starts_on = current_date + 9 {OF_MAPLE}",
        f"UPDATE platform.licence SET starts_on = current_date - 9 {OF_MAPLE}",
    ),
    "the licence covers one school": (
        f"UPDATE platform.licence SET school_nces_id = '530000000001' {OF_MAPLE}",
        f"UPDATE platform.licence SET school_nces_id = NULL {OF_MAPLE}",
    ),
    "the licence has more seats": (
        f"UPDATE platform.licence SET seats = seats + 1 {OF_MAPLE}",
        f"UPDATE platform.licence SET seats = seats - 1 {OF_MAPLE}",
    ),
    "a licensed product has one more resource": (
        "UPDATE platform.product SET vendor_resource_ids = '{Q-9}' WHERE product_id = 'health'",
        "UPDATE platform.product SET vendor_resource_ids = '{}' WHERE product_id = 'health'",
    ),
    "a person decides on a hold": (
        "INSERT INTO roster.decision (plan_id, district, delivery_id, decision, decided_by, why)"
        " SELECT plan_id, district, delivery_id, 'approve', 'test', 'test' FROM roster.plan",
        "DELETE FROM roster.decision",
    ),
}


def test_a_relevant_change_shows_in_that_district_alone_and_going_back_gives_the_former_state(teacher: Engine) -> None:
    before = states(teacher)
    assert set(before) == {"maple", "cedar"}
    seen = {before["maple"]}
    for what, (change, undo) in RELEVANT.items():
        do(teacher, change)
        changed = states(teacher)
        assert changed["maple"] not in seen, what
        assert changed["cedar"] == before["cedar"], what
        do(teacher, undo)
        assert states(teacher) == before, what
        seen.add(changed["maple"])


IRRELEVANT = {
    "the same teacher signs in the next morning": (
        "UPDATE platform.sign_in SET last_signed_in_at = last_signed_in_at + interval '1 day'"
    ),
    "the provider claims another role": "UPDATE platform.sign_in SET role = 'administrator'",
    "a licence in force is prolonged": "UPDATE platform.licence SET ends_on = ends_on + 365",
    "a product gets another name": "UPDATE platform.product SET name = 'Other'",
    "a product that the district does not hold": "INSERT INTO platform.product VALUES ('sel', 'SEL', '{Q-7}')",
    "an account that nobody has linked": "INSERT INTO platform.account (district, status) VALUES ('maple', 'inactive')",
    "auto-registration opens an account": (
        "INSERT INTO platform.account (district, status, activated_by, provisioned_for, given_name, family_name, email)"
        " VALUES ('maple', 'active', 'auto_registration', 'bea', 'Bea', 'B', 'bea@maple.example')"
    ),
    "auto-registration follows its teacher": (
        "UPDATE platform.account SET provisioned_for = 'bea-2', email = 'b@maple.example' WHERE provisioned_for = 'bea'"
    ),
    "auto-registration activates an account that was linked": (
        "UPDATE platform.account SET status = 'active', activated_by = 'auto_registration' WHERE status = 'inactive'"
    ),
    "auto-registration lets an account use a product": (
        "INSERT INTO platform.account_product SELECT district, account_id, 'lessons', 'auto_by_school'"
        " FROM platform.account"
    ),
}


def test_what_does_not_matter_or_is_our_own_work_changes_no_state(teacher: Engine) -> None:
    before = states(teacher)
    for what, change in IRRELEVANT.items():
        do(teacher, change)
        assert states(teacher) == before, what


def test_resources_count_only_where_a_districts_registration_asks_for_them(teacher: Engine) -> None:
    register(teacher, "maple", registration="auto_by_school")
    before = states(teacher)
    do(teacher, "UPDATE platform.product SET vendor_resource_ids = '{Q-8}'")
    after = states(teacher)
    assert after["maple"] == before["maple"]
    assert after["cedar"] != before["cedar"]


def test_signing_in_again_with_the_same_claims_changes_no_state(teacher: Engine) -> None:
    before = states(teacher)
    with teacher.begin() as connection:
        product.sign_in(connection, "maple", "ada", None, email="ada@maple.example")
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
