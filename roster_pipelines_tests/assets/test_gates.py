"""What the assets tell of entitlements and gates: who waits for a seat, and how many wait for what."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from roster_pipelines_tests.assets import conftest
from roster_pipelines_tests.assets.conftest import LESSONS, Deployment, expected


def told(run: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    (event,) = run.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}


def rows(table: Any) -> list[tuple[Any, ...]]:
    return [tuple(record.data.values()) for record in table.records]


def test_who_waits_for_a_seat_and_how_many_wait_for_what_is_told_as_numbers(
    delivered: Deployment, files: Path, teachers: list[str]
) -> None:
    first, second, third, fourth = teachers
    with delivered.engine.begin() as connection:
        licence = connection.scalar(sa.text("UPDATE platform.licence SET seats = 1 RETURNING licence_id"))
    delivered.sign_in(first)
    delivered.sign_in(second)
    delivered.sign_in(third, with_code=False)
    run = delivered.refresh()

    entitlements = told(run, "entitlements")
    assert (entitlements["dagster/row_count"], entitlements["teachers"], entitlements["waiting for a seat"]) == (
        2,
        2,
        1,
    )
    assert rows(entitlements["licences"]) == [(licence, LESSONS, "whole district", 1, 1, 1)]

    gates = told(run, "gates")
    taught = {teacher: expected(files, teacher)["rostered_class"] for teacher in teachers}
    assert gates["dagster/row_count"] == sum(len(classes) for classes in taught.values())
    assert gates["teachers with a class"] == 4
    assert gates["classes planned"] == len(taught[first])
    more = len((taught[third] | taught[fourth]) - taught[first])
    assert gates["more classes if every waiting teacher signed in"] == more
    waiting = {name: count for name, count in gates.items() if name.startswith("waiting for")}
    assert waiting == {
        "waiting for signed_in: no-sign-in": 1,
        "waiting for account_active: account-inactive": 1,
        "waiting for entitled: no-seat": 1,
    }
    assert [(gate, reason, who) for gate, reason, _, _, _, who in rows(gates["reasons"])] == [
        ("signed_in", "no-sign-in", "teacher"),
        ("account_active", "account-inactive", "teacher"),
        ("entitled", "no-seat", "vendor"),
    ]


def test_a_run_over_midnight_goes_by_the_day_on_which_it_began(
    delivered: Deployment, teachers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With gates of the one day and a plan of the other, nobody would ask again for what the day in between changes."""
    tomorrow = date.fromisoformat(conftest.TODAY) + timedelta(days=1)
    delivered.sign_in(teachers[0])
    with delivered.engine.begin() as connection:
        connection.execute(sa.text("UPDATE platform.licence SET ends_on = :day"), {"day": tomorrow})
    assert delivered.run(job="refresh_entitlements", only=("identities",)).success
    monkeypatch.setattr(conftest, "TODAY", tomorrow.isoformat())
    for asset in ("entitlements", "gates", "roster_plan"):
        assert delivered.run(job="refresh_entitlements", only=(asset,)).success
    assert delivered.waiting()[teachers[0]] is None
    with delivered.engine.connect() as connection:
        query = "SELECT next_change FROM roster.plan ORDER BY plan_id DESC LIMIT 1"
        assert connection.scalar(sa.text(query)) == tomorrow
