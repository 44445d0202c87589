"""A district that is pulled from its API, through every asset: as one that drops its files, and nothing told."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from roster_pipelines.assets import failures
from roster_pipelines.connections import http
from roster_pipelines.jobs import BY_HAND, TRIGGER
from roster_pipelines.simulators.oneroster_api import NEVER_LANDS, ApiServer, Habits
from roster_pipelines.simulators.oneroster_api.habits import ProviderName
from roster_pipelines_tests.assets.conftest import Deployment, expected, rewrite, shown
from roster_pipelines_tests.assets.test_privacy import PERSON, PLANT, places, told
from roster_pipelines_tests.effort import cases


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again without a pause."""
    monkeypatch.setattr(http, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(failures, "SECONDS_BETWEEN", 0)
    monkeypatch.setattr(failures, "RETRIES", 1)


@contextmanager
def served(deployment: Deployment, files: Path, provider: ProviderName, **settings: Any) -> Iterator[ApiServer]:
    """A district behind an API, with a record that says so."""
    with ApiServer(files, provider) as server:
        deployment.register(connection=server.settings(page_size=40, **settings))
        yield server


@pytest.mark.parametrize("provider", get_args(ProviderName))
def test_a_pull_becomes_the_classes_that_the_files_would_have_become(
    deployment: Deployment, files: Path, teachers: list[str], provider: ProviderName
) -> None:
    with served(deployment, files, provider) as server:
        deployment.sign_in(*teachers[:2])
        first = deployment.run()
        assert first.success
        assert shown(deployment.published()) == expected(files, *teachers[:2])
        assert not [request for request in server.requests if "demographics" in request.path]
        in_use = deployment.roster()
        again = deployment.run()
    assert again.success
    assert deployment.roster() == in_use, "the same content is no new delivery"
    metadata = again.asset_materializations_for_node("delivery")[0].metadata
    assert metadata["unchanged"].value is True
    assert metadata["mode"].value == "bulk"
    assert not list((deployment.lake / "pulls").rglob("*.zst")), "what has landed is kept in one place"


def test_an_api_that_was_emptied_changes_nothing_and_says_so(
    deployment: Deployment, files: Path, teachers: list[str]
) -> None:
    with served(deployment, files, "classlink") as server:
        deployment.sign_in(*teachers)
        assert deployment.run().success
        before = deployment.published()
        server.habits = replace(server.habits, purged=True)
        failed = deployment.run()
    assert not failed.success
    (failure,) = [event.step_failure_data for event in failed.all_events if event.is_step_failure]
    assert failure.error
    assert "at all, so nothing is changed" in str(failure.error)
    assert deployment.published() == before
    assert [status for status, _ in deployment.ledger()] == ["accepted"]


def test_a_pull_of_changes_leaves_everybody_else_as_they_are(
    deployment: Deployment, files: Path, teachers: list[str], tmp_path: Path
) -> None:
    with served(deployment, files, "powerschool", changes_only=True) as server:
        deployment.sign_in(*teachers)
        assert deployment.run().success
        taught = min(row["class_sourced_id"] for row in deployment.published()["rostered_class"] if row["active"])
        before = {row["class_sourced_id"]: row["title"] for row in deployment.published()["rostered_class"]}
        rewrite(
            files, "classes", f"""SELECT * REPLACE (if("sourcedId" = '{taught}', 'Choir', title) AS title) FROM rows"""
        )
        server.serve(files)
        changed = deployment.run()
        by_hand = deployment.run(tags={TRIGGER: BY_HAND}, only=("delivery",))
    assert changed.success
    assert changed.asset_materializations_for_node("delivery")[0].metadata["mode"].value == "delta"
    assert by_hand.asset_materializations_for_node("delivery")[0].metadata["mode"].value == "bulk", "all of it"
    assert shown(deployment.published()) == expected(files, *teachers)
    titles = {row["class_sourced_id"]: row["title"] for row in deployment.published()["rostered_class"]}
    assert "Choir" not in before.values()
    assert titles == before | {taught: "Choir"}
    assert len(deployment.ledger()) == 3


FAULTS = (
    Habits(leaky_errors=True, error_every=1),
    Habits(leaky_errors=True, forbidden=("users",)),
    Habits(body="html"),
    Habits(body="message"),
    Habits(missing=("classes",)),
    Habits(cut_after=3),
)


@pytest.mark.parametrize("provider", get_args(ProviderName)[-cases(1, 3) :])
def test_nothing_that_a_pull_tells_holds_a_value_of_a_person_a_secret_or_a_token(
    deployment: Deployment,
    files: Path,
    provider: ProviderName,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    rewrite(files, "users", PLANT)
    with served(deployment, files, provider) as server:
        assert deployment.run().success
        for habits in FAULTS:
            server.habits = habits
            assert not deployment.run(only=("delivery",)).success, habits
        secrets = server.secrets
    text = told(deployment.instance, capfd, caplog)
    receipts = "\n".join(path.read_text() for path in (deployment.lake / "deliveries").rglob("receipt.json"))
    reports = "\n".join(path.read_text() for path in (deployment.lake / "reports").rglob("*.html"))
    assert len(text) > 50_000, "the events are there to be searched"
    assert len(secrets) >= 2
    for planted in (PERSON, NEVER_LANDS, *secrets):
        for where in (text, receipts, reports):
            assert places(where, planted) == []
    everything = b"".join(path.read_bytes() for path in deployment.lake.rglob("*") if path.is_file())
    for secret in (*secrets, NEVER_LANDS):
        assert secret.encode() not in everything
    assert re.search(rb"users\.ndjson\.zst", everything), "the receipt is there to be searched"
