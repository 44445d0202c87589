"""What becomes of a delivery: accepted, accepted in part, refused; and how Dagster and the ledger tell it."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from roster_pipelines.assets import failures
from roster_pipelines.connections import sftp
from roster_pipelines.connections.arrival import Look, Seen, movement
from roster_pipelines.connections.looking import Looked
from roster_pipelines.jobs import SFTP_DROP, TELL, TRIGGER
from roster_pipelines.oneroster.standard import ROSTER
from roster_pipelines.platform import drops, registry
from roster_pipelines.simulators.districts import District, generate
from roster_pipelines_tests.assets.conftest import CEDAR, MAPLE, Deployment, expected, rewrite, shown

DROPPED = {TRIGGER: SFTP_DROP}
DATA = Path(__file__).parent.parent / "data"
VALIDATED = {f"validated/{table}" for table in ROSTER}
DOWNSTREAM = {"identities", "entitlements", "gates", "roster_plan", "rostered_classes"}
NO_ROLE = "the delivery is refused, the last good roster stays: users.csv, role: a required column is missing"


def materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    (event,) = [e for e in result.get_asset_materialization_events() if e.asset_key == dg.AssetKey(asset.split("/"))]
    return {name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()}


def checks(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    """By table and check."""
    return {(check.asset_key.path[-1], check.check_name): check for check in result.get_asset_check_evaluations()}


def failed(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dg.AssetCheckSeverity]:
    return {key: check.severity for key, check in checks(result).items() if not check.passed}


def failure(result: dg.ExecuteInProcessResult) -> str:
    """What Dagster shows of the one step that failed."""
    (event,) = [event for event in result.all_events if event.is_step_failure]
    data = event.step_failure_data.user_failure_data
    assert data is not None
    return str(data.description)


def without_role(files: Path) -> None:
    rewrite(files, "users", "SELECT * EXCLUDE (role) FROM rows")


def with_bad_rows(files: Path) -> None:
    """Two students get a role that is none, so that their enrollments are those of nobody."""
    in_vain = """CASE WHEN "sourcedId" IN ('usr-000007', 'usr-000008') THEN 'wizard' ELSE role END AS role"""
    rewrite(files, "users", f"SELECT * REPLACE ({in_vain}) FROM rows")


def taken(deployment: Deployment) -> str | None:
    """The files that a run has decided on last, summed up."""
    with deployment.engine.connect() as connection:
        return drops.seen(connection, MAPLE).taken


def test_a_clean_delivery_materializes_every_asset_and_passes_every_check(
    deployment: Deployment, files: Path, clean_district: District
) -> None:
    deployment.register()
    deployment.site.upload(files)
    result = deployment.run()
    assert result.success
    assert materialized(result) == {"delivery", *VALIDATED, *DOWNSTREAM}
    found = checks(result)
    assert found.keys() == {(table, check) for table in ROSTER for check in ("schema", "rows_add_up")}
    assert all(check.passed and check.partition == MAPLE for check in found.values())
    for table, count in clean_district.counts.items():
        shown = metadata(result, f"validated/{table}")
        assert (shown["dagster/row_count"], shown["read"], shown["rejected"]) == (count, count, 0)


def test_the_same_files_again_are_the_delivery_that_is_there(delivered: Deployment) -> None:
    before = sorted(path.name for path in (delivered.lake / "deliveries" / MAPLE).iterdir())
    result = delivered.run()
    assert result.success
    assert metadata(result, "delivery")["unchanged"] is True
    assert metadata(result, "delivery")["delivery"] == delivered.roster()
    assert sorted(path.name for path in (delivered.lake / "deliveries" / MAPLE).iterdir()) == before
    assert metadata(result, "rostered_classes")["changes"] == 0


def test_a_refused_delivery_fails_the_run_and_everything_stays_as_it_was(
    delivered: Deployment, files: Path, teachers: list[str]
) -> None:
    delivered.sign_in(teachers[0])
    assert delivered.refresh().success
    before, roster = delivered.published(), delivered.roster()

    without_role(files)
    delivered.site.upload(files)
    result = delivered.run()
    assert not result.success
    assert failure(result).startswith(NO_ROLE)
    assert materialized(result) == {"delivery"}
    assert failed(result)["users", "schema"] == dg.AssetCheckSeverity.ERROR
    assert delivered.published() == before
    assert delivered.roster() == roster
    (_, (status, reason)) = delivered.ledger()
    assert status == "refused"
    assert str(reason).startswith("users.csv, role: a required column is missing (add the column to the header)")

    # A sign-in still works, on the last good roster.
    delivered.sign_in(teachers[1])
    assert delivered.refresh().success
    assert shown(delivered.published()).keys() == before.keys()
    assert len(shown(delivered.published())["rostered_class"]) > len(shown(before)["rostered_class"])


def test_after_a_refused_delivery_the_next_good_one_is_taken(delivered: Deployment, files: Path) -> None:
    good = (files / "users.csv").read_bytes()
    without_role(files)
    delivered.site.upload(files)
    assert not delivered.run().success
    (files / "users.csv").write_bytes(good)
    delivered.site.upload(files)
    result = delivered.run()
    assert result.success
    assert [status for status, _ in delivered.ledger()] == ["accepted", "refused", "accepted"]
    assert delivered.roster() == metadata(result, "delivery")["delivery"]


def test_a_delivery_with_some_bad_rows_goes_on_without_them_and_warns_for_that_district_only(
    delivered: Deployment, files: Path, teachers: list[str]
) -> None:
    delivered.register(CEDAR)
    delivered.site.upload(files, CEDAR)
    with_bad_rows(files)
    delivered.site.upload(files, MAPLE)
    delivered.sign_in(*teachers)
    bad, good = delivered.run(MAPLE), delivered.run(CEDAR)
    assert bad.success
    assert failed(bad) == {
        ("users", "schema"): dg.AssetCheckSeverity.WARN,
        ("enrollments", "schema"): dg.AssetCheckSeverity.WARN,
    }
    assert failed(good) == {}
    assert {check.partition for check in checks(bad).values()} == {MAPLE}
    assert {check.partition for check in checks(good).values()} == {CEDAR}
    users = metadata(bad, "validated/users")
    assert (users["read"], users["dagster/row_count"], users["rejected"]) == (46, 44, 2)
    published = shown(delivered.published())
    whole = expected(files, *teachers)
    assert published["rostered_class"] == whole["rostered_class"]
    assert len(published["student_account"]) == len(whole["student_account"]) - 2


def test_a_fault_that_a_person_must_mend_fails_at_once_and_says_where(delivered: Deployment) -> None:
    delivered.site.server.rotate_host_key()
    result = delivered.run()
    assert not result.success
    assert failure(result).startswith("the host key of 127.0.0.1 ")
    assert not [event for event in result.all_events if event.is_step_restarted or event.is_step_up_for_retry]
    assert delivered.ledger() == [("accepted", None)], "nothing came, so nothing is in the ledger"


def test_a_fault_that_may_pass_is_tried_again_and_in_the_end_says_what_it_was(
    delivered: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "SECONDS_BETWEEN", 0)
    delivered.site.server.stop()
    result = delivered.run()
    assert not result.success
    assert len([event for event in result.all_events if event.is_step_up_for_retry]) == failures.RETRIES
    assert "cannot be reached" in failure(result)


def test_a_folder_that_moves_between_the_look_and_the_run_is_not_taken(
    delivered: Deployment, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sensor saw the folder settle; before the run came to it, the next upload had begun."""
    monkeypatch.setattr(failures, "SECONDS_BETWEEN", 0)
    look_showed(delivered, Seen("what had settled", datetime(2026, 11, 1, tzinfo=UTC)))
    rewrite(files, "users", "FROM rows LIMIT 5")
    delivered.site.upload(files)
    roster = delivered.roster()
    result = delivered.run(tags=DROPPED)
    assert result.success, "nothing is wrong: the sensor asks again when the upload has ended"
    assert materialized(result) == set()
    assert delivered.ledger() == [("accepted", None)]
    assert delivered.roster() == roster


def look_showed(deployment: Deployment, seen: Seen) -> None:
    with deployment.engine.begin() as connection:
        task = drops.task(registry.get(connection, MAPLE), seen)
        drops.remember(connection, [Looked(task, Look(seen, "settled"))])


def test_half_an_upload_is_fetched_by_a_run_that_a_person_asks_for_and_not_by_one_that_a_drop_does(
    deployment: Deployment, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "SECONDS_BETWEEN", 0)
    deployment.register(connection=deployment.site.connection(wait_seconds=3600))
    (files / "enrollments.csv").unlink()
    deployment.site.upload(files)
    with sftp.opened(deployment.site.connection()) as session:
        shown = movement(session.folder().files())
    look_showed(deployment, Seen(shown, datetime.now(UTC)))
    assert materialized(deployment.run(tags=DROPPED)) == set()
    assert materialized(deployment.run(tags={TRIGGER: "not reached"})) == set(), "which would have told of a problem"
    assert deployment.ledger() == []
    assert failure(deployment.run()).startswith("the delivery is refused")


def test_a_run_that_is_made_to_tell_something_fails_with_it_and_fetches_nothing(delivered: Deployment) -> None:
    result = delivered.run(tags={TELL: "changes were replaced before they had been taken"})
    assert failure(result) == (
        f"changes were replaced before they had been taken: roster deliveries {MAPLE} tells more; ask the district"
    )
    assert delivered.ledger() == [("accepted", None)]


def test_an_arrival_counts_as_taken_only_once_its_delivery_was_decided_on(delivered: Deployment, files: Path) -> None:
    """A run that dies before leaves the sensor asking."""

    before = taken(delivered)
    without_role(files)
    delivered.site.upload(files)
    assert delivered.run(only=("delivery",)).success
    assert taken(delivered) == before
    assert not delivered.run().success
    assert taken(delivered) not in (None, before), "refused is decided too"


def test_the_roster_in_use_stays_even_when_checked_again_by_other_rules(deployment: Deployment, tmp_path: Path) -> None:
    """Without orgs a delivery does for access codes and not for auto-registration."""
    generate(tmp_path / "no-orgs", students=13, orgs_and_courses=False)
    deployment.register(stage="onboarding")
    deployment.site.upload(tmp_path / "no-orgs")
    assert deployment.run().success
    roster = deployment.roster()
    deployment.register(stage="onboarding", registration="auto_by_school")
    result = deployment.run()
    assert not result.success
    assert failure(result).startswith("the delivery is refused, the last good roster stays (it is this one): ")
    assert deployment.ledger() == [("accepted", None)]
    assert deployment.roster() == roster
    assert deployment.refresh().success


@pytest.mark.parametrize("job", ["process_delivery", "refresh_entitlements"])
def test_a_district_that_is_not_ready_says_what_is_missing(deployment: Deployment, job: str) -> None:
    deployment.register()
    result = deployment.run(job=job)
    assert not result.success
    assert (
        failure(result)
        == {
            "process_delivery": "there is no OneRoster file: deliver the CSV files, or one zip with them",
            "refresh_entitlements": (
                f"{MAPLE} has no accepted delivery yet: run the district's whole job once a delivery is there"
            ),
        }[job]
    )


def test_a_district_of_4441_people_delivered_as_one_zip_is_accepted_row_by_row(deployment: Deployment) -> None:
    """Written by a generator that is not ours, with its own oddities; nothing in it makes a row unusable."""
    deployment.register()
    deployment.site.upload(DATA / "district-4k.zip")
    result = deployment.run()
    assert result.success
    with zipfile.ZipFile(DATA / "district-4k.zip") as archive:
        lines = {name: archive.read(name).count(b"\n") for name in ("users.csv", "enrollments.csv")}
    assert lines == {"users.csv": 4442, "enrollments.csv": 31046}
    for table, count in (("users", 4441), ("enrollments", 31045)):
        shown = metadata(result, f"validated/{table}")
        assert (shown["read"], shown["dagster/row_count"], shown["rejected"]) == (count, count, 0)
    assert failed(result) == {}
    staging = deployment.lake / "staging" / MAPLE / f"{deployment.roster()}.duckdb"
    with duckdb.connect(str(staging), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM users").fetchall() == [(4441,)]
        assert con.execute("SELECT count(*) FROM enrollments").fetchall() == [(31045,)]
    assert not list((deployment.lake / "deliveries" / MAPLE).rglob("demographics.csv"))
