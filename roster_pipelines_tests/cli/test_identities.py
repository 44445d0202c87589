"""`roster identities` says who is nobody, why, what to do; and forgets who a sign-in was when told to."""

import json
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from roster_pipelines.cli.main import app
from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import derived, plans, registry
from roster_pipelines.platform.state import states
from roster_pipelines.rostering.identity import OUTCOMES
from roster_pipelines.sensors.sign_ins import decide
from roster_pipelines.simulators import product
from roster_pipelines_tests.conftest import accept, register, url_of

MAPLE, CEDAR = "maple-valley", "cedar-creek"
DELIVERY = "20261124T080002Z-3fa9c1d2"
DAY = date(2026, 11, 24)
SECRET = "zqxj@maple.example"


def roster(*words: object) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["identities", MAPLE, *map(str, words)])


@pytest.fixture
def sign_in_ids(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Three sign-ins of which the first is matched, the second held and the third nobody, as of the newest plan."""
    monkeypatch.setenv("ROSTER_DATABASE_URL", url_of(engine))
    with engine.begin() as connection:
        for district in (MAPLE, CEDAR):
            register(engine, district)
            accept(connection, district, DELIVERY)
            for number in range(3):
                product.sign_in(connection, district, f"t-{number}", None, email=SECRET)
            connection.execute(
                sa.text("""
                    INSERT INTO roster.identity
                    SELECT district, sign_in_id,
                        CASE sourced_id WHEN 't-0' THEN sourced_id END,
                        CASE sourced_id WHEN 't-0' THEN 'matched' WHEN 't-1' THEN 'moved' ELSE 'nobody' END,
                        CASE sourced_id WHEN 't-0' THEN 'sourced_id' WHEN 't-1' THEN 'email' END,
                        CASE sourced_id WHEN 't-1' THEN '["t-1", "t-9"]' ELSE '[]' END
                    FROM platform.sign_in WHERE district = :district;
                    INSERT INTO roster.identity_key
                    SELECT district, sourced_id, 'subject', provider || '|' || subject, DATE '2026-09-01', NULL::date
                    FROM platform.sign_in WHERE district = :district AND sourced_id <> 't-2'
                    UNION ALL
                    SELECT district, 'before', 'subject', provider || '|' || subject, DATE '2025-09-01',
                        DATE '2026-09-01'
                    FROM platform.sign_in WHERE district = :district AND sourced_id = 't-1'
                """),
                {"district": district},
            )
            state = states(connection, district)[district]
            record = registry.fingerprint(connection, district)
            derived.record_matching(connection, district, derived.MadeFrom(state, record, DAY), 3, 1)
            plans.record(connection, district, plans.new_id(connection), DELIVERY, {}, state, made_by=record)
        query = "SELECT sign_in_id FROM platform.sign_in WHERE district = :district ORDER BY sourced_id"
        return list(connection.scalars(sa.text(query), {"district": MAPLE}))


def due(engine: Engine) -> set[str]:
    """The districts that the sensor would run."""
    with engine.connect() as connection:
        return set(decide(plans.planned(connection), states(connection)))


def outdated(engine: Engine) -> bool:
    """Whether the district's newest plan is never applied."""
    with engine.connect() as connection:
        newest = plans.newest(connection, MAPLE)
        assert newest is not None
        return plans.outdated(connection, newest)


def known(engine: Engine) -> list[tuple[str, str, bool]]:
    """Whose subjects are remembered: district, person, and whether still."""
    query = "SELECT district, person_sourced_id, last_seen IS NULL FROM roster.identity_key ORDER BY 1, 2"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_whoever_is_nobody_is_listed_with_the_reason_and_the_remedy(sign_in_ids: list[int]) -> None:
    result = roster()
    assert result.exit_code == 0
    assert result.stdout.startswith("1 of 3 sign-ins of maple-valley match (33.3 %)")
    matched, moved, nobody = map(str, sign_in_ids)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.stdout.splitlines() if "│" in line]
    assert [moved, "moved", "email", "t-1, t-9"] in rows
    assert [nobody, "nobody", "", ""] in rows
    assert matched not in {row[0] for row in rows}
    assert {row[4] for row in rows if len(row) == 5 and row[0]} == {"integrations", "district"}
    assert "--forget" in result.stdout
    assert SECRET not in roster("--all").stdout + roster("--json").stdout


def test_programs_get_the_same(sign_in_ids: list[int]) -> None:
    told = json.loads(roster("--json").stdout)
    assert (told["sign_ins"], told["matched"], told["match_rate"]) == (3, 1, 33.3)
    assert [(row["sign_in_id"], row["outcome"], row["who"]) for row in told["identities"]] == [
        (sign_in_ids[1], "moved", OUTCOMES["moved"].who),
        (sign_in_ids[2], "nobody", OUTCOMES["nobody"].who),
    ]
    everybody = json.loads(roster("--json", "--all").stdout)["identities"]
    assert {row["person"] for row in everybody} == {"t-0", None}


def test_everybody_whom_a_subject_was_is_forgotten_it_is_worked_out_again_and_stands_in_the_history(
    engine: Engine, sign_in_ids: list[int]
) -> None:
    assert (due(engine), outdated(engine)) == (set(), False)
    result = roster("--forget", sign_in_ids[1], "--why", "the address was given to another teacher")
    assert result.exit_code == 0, result.output
    assert (due(engine), outdated(engine)) == ({MAPLE}, True)
    assert known(engine) == [
        (CEDAR, "before", False),
        (CEDAR, "t-0", True),
        (CEDAR, "t-1", True),
        (MAPLE, "t-0", True),
    ]
    with engine.connect() as connection:
        newest, before = registry.history(connection, MAPLE)
        assert registry.get(connection, MAPLE).district == MAPLE
    assert newest.version == before.version + 1
    assert newest.why.endswith("t-1 any more: the address was given to another teacher")


def test_a_run_that_had_matched_already_when_it_was_forgotten_applies_nothing_and_is_followed_by_another(
    engine: Engine, sign_in_ids: list[int]
) -> None:
    roster("--forget", sign_in_ids[1], "--why", "another teacher")
    with engine.begin() as connection:
        made = derived.matched_from(connection, MAPLE)
        number = plans.new_id(connection)
        plans.record(connection, MAPLE, number, DELIVERY, {}, made.state, made_by=made.record)
    assert (due(engine), outdated(engine)) == ({MAPLE}, True)


@pytest.mark.parametrize("whose", ["nobody's", "another district's"])
def test_nobody_can_be_forgotten_of_a_sign_in_that_is_nobody_or_of_another_district(
    engine: Engine, sign_in_ids: list[int], whose: str
) -> None:
    number = sign_in_ids[2] if whose == "nobody's" else sign_in_ids[1] + 3
    before = known(engine)
    result = roster("--forget", number, "--why", "by mistake")
    assert isinstance(result.exception, CallSomebody)
    assert known(engine) == before
    assert due(engine) == set()


def test_a_linked_account_is_handed_on_only_to_the_same_human_being(engine: Engine, sign_in_ids: list[int]) -> None:
    with engine.begin() as connection:
        account = product.open_account(connection, MAPLE)
        product.link(connection, sign_in_ids[1], account)
    before = known(engine)
    refused = roster("--forget", sign_in_ids[1], "--why", "another number").exception
    assert isinstance(refused, CallSomebody)
    assert f"account {account} is linked to sign-in {sign_in_ids[1]}," in str(refused)
    assert known(engine) == before
    assert roster("--forget", sign_in_ids[1], "--why", "another number", "--same-person").exit_code == 0
    with engine.connect() as connection:
        assert registry.history(connection, MAPLE)[0].why.endswith(f"keeps account {account}: another number")


def test_an_id_that_looks_like_a_name_or_an_address_is_shown_nowhere(engine: Engine, sign_in_ids: list[int]) -> None:
    with engine.begin() as connection:
        changed = {"person": SECRET, "persons": json.dumps([SECRET, "t-9"])}
        connection.execute(
            sa.text("UPDATE roster.identity SET person_sourced_id = :person WHERE outcome = 'matched'"), changed
        )
        connection.execute(sa.text("UPDATE roster.identity SET candidates = :persons WHERE outcome = 'moved'"), changed)
        connection.execute(
            sa.text("UPDATE roster.identity_key SET person_sourced_id = :person WHERE person_sourced_id = 't-1'"),
            changed,
        )
    shown = roster("--all").stdout + roster("--all", "--json").stdout
    shown += roster("--forget", sign_in_ids[1], "--why", "another number").stdout
    with engine.connect() as connection:
        shown += registry.history(connection, MAPLE)[0].why or ""
    assert SECRET not in shown
    assert shown.count("(masked)") >= 6


def test_to_forget_needs_a_reason(sign_in_ids: list[int]) -> None:
    assert roster("--forget", sign_in_ids[1]).exit_code == 2


def test_a_district_that_has_matched_nobody_yet_is_told_so(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTER_DATABASE_URL", url_of(engine))
    register(engine)
    assert "no sign-ins yet" in roster().stdout
    assert json.loads(roster("--json").stdout) is None
