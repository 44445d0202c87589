"""What the real daemon, the real sFTP server and the real webserver do together."""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest
import sqlalchemy as sa

from roster_pipelines.cli import demo
from roster_pipelines.cli.playground import PLAYERS, Cast
from roster_pipelines.oneroster.standard import ROSTER
from roster_pipelines.platform import arrivals, deliveries
from roster_pipelines.platform.arrivals import Arrival
from roster_pipelines_tests.integration.conftest import PATIENCE_SECONDS, System, wait_for

# Several waits, each as long as it may be.
pytestmark = pytest.mark.timeout(4 * PATIENCE_SECONDS)

ASSETS = [
    ["delivery"],
    *(["validated", table] for table in ROSTER),
    ["identities"],
    ["entitlements"],
    ["gates"],
    ["roster_plan"],
    ["rostered_classes"],
]


@pytest.fixture(scope="module")
def delivered(system: System) -> System:
    """Two districts whose first delivery has come through, each with one teacher who signed in."""
    for name, seed in (("alder", 1), ("birch", 2)):
        system.register(name)
        system.upload(name, system.generate(name, seed=seed).folder)
    for name in ("alder", "birch"):
        assert system.run_of(name, "process_delivery").status == "SUCCESS"
        assert set(system.published(name).values()) == {0}
    for name in ("alder", "birch"):
        system.sign_in_with_code(name, system.made[name].teachers[0])
    for name in ("alder", "birch"):
        assert system.run_of(name, "refresh_entitlements").status == "SUCCESS"
    return system


def test_a_drop_becomes_rostered_classes_once_a_teacher_signs_in(delivered: System) -> None:
    for name in ("alder", "birch"):
        published = delivered.published(name)
        assert published["rostered_class"] > 0
        assert published["rostered_class_student"] >= published["student_account"] > 0
        triggers = [run.trigger for run in delivered.api.runs(name)]
        assert triggers[:2] == ["sftp drop", "platform rows"]


def test_partitions_are_kept_equal_to_the_registry(delivered: System) -> None:
    def keys() -> set[str]:
        data = delivered.api.query("""{ assetNodeOrError(assetKey: {path: ["delivery"]}) {
            ... on AssetNode { partitionKeys } } }""")
        return set(data["assetNodeOrError"]["partitionKeys"])

    delivered.register("cedar")
    wait_for(lambda: keys() == {"alder", "birch", "cedar"} or None, "the partition of cedar")
    with delivered.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM roster.district WHERE district = 'cedar'"))
    wait_for(lambda: keys() == {"alder", "birch"} or None, "the end of the partition of cedar")


def test_a_backfill_of_districts_launched_from_the_ui_ends_well_and_changes_nothing(delivered: System) -> None:
    before = {name: delivered.published(name) for name in ("alder", "birch")}
    data = delivered.api.query(
        """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
            __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
        params={
            "assetSelection": [{"path": path} for path in ASSETS],
            "partitionNames": ["alder", "birch"],
            "fromFailure": False,
        },
    )
    assert data["launchPartitionBackfill"]["__typename"] == "LaunchBackfillSuccess", data
    backfill = data["launchPartitionBackfill"]["backfillId"]

    def ended() -> str | None:
        found = delivered.api.query(
            """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
                ... on PartitionBackfill { status } } }""",
            id=backfill,
        )["partitionBackfillOrError"]["status"]
        return found if found not in ("REQUESTED", "CANCELING") else None

    assert wait_for(ended, "the end of the backfill") == "COMPLETED_SUCCESS"
    assert {name: delivered.published(name) for name in ("alder", "birch")} == before
    with delivered.engine.connect() as connection:
        landed = connection.scalar(sa.text("SELECT count(*) FROM roster.delivery WHERE district = 'alder'"))
    assert landed == 1


def test_a_single_run_can_be_run_again_from_the_ui(delivered: System) -> None:
    first = delivered.api.runs("alder")[0]
    data = delivered.api.query(
        """mutation ($params: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $params) {
            __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
        params={"parentRunId": first.run_id, "strategy": "ALL_STEPS"},
    )
    assert data["launchRunReexecution"]["__typename"] == "LaunchRunSuccess", data
    run_id = data["launchRunReexecution"]["run"]["runId"]

    def ended() -> str | None:
        return next((r.status for r in delivered.api.runs("alder") if r.run_id == run_id and r.ended), None)

    assert wait_for(ended, "the end of the second run") == "SUCCESS"


def test_every_validated_table_shows_schema_counts_and_a_check_of_its_own_district(delivered: System) -> None:
    for table in ("users", "enrollments"):
        node = _asset(delivered, ["validated", table], "alder")
        metadata = {entry["label"]: entry for entry in node["assetMaterializations"][0]["metadataEntries"]}
        assert metadata["dagster/row_count"]["intValue"] == delivered.made["alder"].counts[table]
        assert metadata["read"]["intValue"] == delivered.made["alder"].counts[table]
        columns = next(e for e in node["metadataEntries"] if e["label"] == "dagster/column_schema")
        assert columns["schema"]["columns"][0]["name"] == "sourcedId"
        for check in ("schema", "rows_add_up"):
            assert _check(delivered, ["validated", table], check, "alder")["success"] is True


def test_a_damaged_delivery_is_refused_and_says_why_for_that_district_alone(delivered: System) -> None:
    ended = len([r for r in delivered.api.runs("birch") if r.job == "process_delivery"])
    bad = delivered.folder / "without-role"
    shutil.copytree(delivered.made["birch"].folder, bad)
    lines = (bad / "users.csv").read_text().splitlines()
    (bad / "users.csv").write_text("\n".join([lines[0].replace(",role,", ",roll,"), *lines[1:]]) + "\n")
    delivered.upload("birch", bad)

    run = delivered.run_of("birch", "process_delivery", beyond=ended)
    assert run.status == "FAILURE"
    reason = delivered.api.failure(run.run_id)
    assert "users.csv, role: a required column is missing" in reason
    assert "last good roster stays" in reason
    with delivered.engine.connect() as connection:
        newest, roster = deliveries.newest(connection, "birch"), deliveries.roster(connection, "birch")
    assert newest is not None
    assert newest.status == "refused"
    assert roster.delivery_id != newest.delivery_id
    assert _check(delivered, ["validated", "users"], "schema", "birch")["success"] is False
    assert _check(delivered, ["validated", "users"], "schema", "alder")["success"] is True


def test_the_same_files_again_make_no_run_and_one_line_in_the_ledger(delivered: System) -> None:
    before = [run.run_id for run in delivered.api.runs("alder")]
    delivered.upload("alder", delivered.made["alder"].folder)

    def line() -> Arrival | None:
        with delivered.engine.connect() as connection:
            (newest,) = arrivals.newest(connection, "alder", 1)
        return newest if newest.state == "same" else None

    assert wait_for(line, "a line in the ledger").delivery_id
    assert [run.run_id for run in delivered.api.runs("alder")] == before


def test_a_pull_by_hand_is_done_by_the_daemon(delivered: System) -> None:
    environment = {**os.environ, "ROSTER_DATA": str(delivered.folder / "data")}
    command = [sys.executable, "-m", "roster_pipelines", "pull", "alder", "--json"]
    told = json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    run = next(run for run in delivered.api.runs("alder") if run.run_id == told["run"])
    assert (told["status"], told["unchanged"], run.trigger) == ("success", True, "roster pull")


def test_the_demo_fails_with_a_clear_line_when_a_step_does_not_come_true(delivered: System) -> None:
    """Its steps, on the system that is up already: it needs one of its own only to begin."""
    delivered.register("elder")
    made = delivered.generate("elder")
    (delivered.folder / "data" / "lake" / "deliveries" / "elder").write_text("a file where a folder should be")
    cast = Cast(PLAYERS[0], "elder", made.folder, made.counts, tuple(made.teachers))
    with pytest.raises(demo.NotSo) as told:
        demo.play(delivered.engine, delivered.api, [cast], demo.Steps())
    (line,) = str(told.value).splitlines()
    assert "process_delivery ended with FAILURE" in line
    assert "Not a directory" in line


def _asset(system: System, path: list[str], district: str) -> Any:
    return system.api.query(
        """query ($key: AssetKeyInput!, $partitions: [String!]) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
            metadataEntries { label ... on TableSchemaMetadataEntry { schema { columns { name } } } }
            assetMaterializations(partitions: $partitions, limit: 1) {
                metadataEntries { label ... on IntMetadataEntry { intValue } } } } } }""",
        key={"path": path},
        partitions=[district],
    )["assetNodeOrError"]


def _check(system: System, path: list[str], name: str, district: str) -> Any:
    executions = system.api.query(
        """query ($key: AssetKeyInput!, $name: String!, $partition: String) {
            assetCheckExecutions(assetKey: $key, checkName: $name, limit: 1, partition: $partition) {
                evaluation { success partition } } }""",
        key={"path": path},
        name=name,
        partition=district,
    )["assetCheckExecutions"]
    return executions[0]["evaluation"]
