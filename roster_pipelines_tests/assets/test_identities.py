"""Who each sign-in is, through the asset: what it tells, what it keeps, and what it works out again."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from roster_pipelines.district import District, SignIn
from roster_pipelines.platform import derived, identities, registry
from roster_pipelines.platform.state import states
from roster_pipelines.simulators import product
from roster_pipelines_tests.assets.conftest import MAPLE, Deployment


def matched(delivered: Deployment) -> dict[str, Any]:
    """Run the asset, and give its metadata."""
    result = delivered.run(job="refresh_entitlements", only=("identities",))
    assert result.success
    (event,) = result.asset_materializations_for_node("identities")
    return {name: value.value for name, value in event.metadata.items()}


def kept(delivered: Deployment) -> list[tuple[Any, ...]]:
    """Every row that is kept of identities, with the transaction that wrote it."""
    query = """
        SELECT sign_in_id::text, person_sourced_id, outcome, xmin::text FROM roster.identity
        UNION ALL SELECT kind, person_sourced_id, last_seen::text, xmin::text FROM roster.identity_key ORDER BY 1, 2
    """
    with delivered.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_the_match_rate_is_told_as_numbers_the_unmatched_by_opaque_id_and_a_person_may_have_one_matched_afresh(
    delivered: Deployment, teachers: list[str]
) -> None:
    ada, bea, *_ = teachers
    with delivered.engine.begin() as connection:
        product.sign_in(connection, MAPLE, ada, None, subject="s-ada")
        product.sign_in(connection, MAPLE, "stranger", None, email="zqxj@maple.example", subject="s-stranger")
    told = matched(delivered)
    assert (told["dagster/row_count"], told["matched"], told["nobody"], told["moved"]) == (2, 1, 1, 0)
    assert (told["match rate"], told["match rate by sourced_id"], told["matched by sourced_id"]) == (50.0, 50.0, 1)
    assert told["teachers without sign-in"] == len(teachers) - 1
    (row,) = told["unmatched"].records
    assert (row.data["outcome"], row.data["candidates"]) == ("nobody", "")
    before = kept(delivered)
    matched(delivered)
    assert kept(delivered) == before, "nothing has changed, and nothing was written"

    with delivered.engine.begin() as connection:
        product.sign_in(connection, MAPLE, bea, None, subject="s-ada")
    told = matched(delivered)
    assert (told["matched"], told["moved"]) == (0, 1)
    assert told["unmatched"].records[0].data["candidates"] == f"{ada}, {bea}"
    with delivered.engine.begin() as connection:
        found = identities.latest(connection, MAPLE)
        assert found is not None
        (held,) = [identity for identity in found.identities if identity.outcome == "moved"]
        assert identities.forget(connection, MAPLE, held.sign_in_id, by="me", why="her address") == ada
    told = matched(delivered)
    assert (told["matched"], told["moved"]) == (1, 0)
    with delivered.engine.connect() as connection:
        found = identities.latest(connection, MAPLE)
    assert found is not None
    assert [identity.person for identity in found.identities if identity.sign_in_id == held.sign_in_id] == [bea]


def test_a_record_that_changes_while_it_is_read_is_seen_as_a_change(
    delivered: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(connection: Connection, district: str) -> District:
        record = get(connection, district)
        delivered.register(sign_in=SignIn(provider="another", match=("email",)))
        return record

    get = registry.get
    monkeypatch.setattr(registry, "get", late)
    matched(delivered)
    with delivered.engine.connect() as connection:
        made = derived.matched_from(connection, MAPLE)
        assert made.state != states(connection, MAPLE)[MAPLE]
        assert made.record != registry.fingerprint(connection, MAPLE)
