"""What people are told of a delivery, and deliveries of other kinds: refused at the door, delta, OneRoster 1.2."""

import logging
from pathlib import Path

import dagster as dg

from roster_pipelines.oneroster.standard import ROSTER
from roster_pipelines.oneroster.templates import data_files
from roster_pipelines.simulators.districts import District, generate, pack
from roster_pipelines_tests.assets.conftest import MAPLE, Deployment, expected, rewrite, shown
from roster_pipelines_tests.assets.test_deliveries import checks, failed, failure, materialized, metadata, taken
from roster_pipelines_tests.conftest import register


def told_of_failure(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    data = event.step_failure_data.user_failure_data
    assert data is not None
    return {name: value.value for name, value in data.metadata.items()}


def replace_all(delivered: Deployment, files: Path) -> None:
    """Take away what lies in the district's folder, and put other files there."""
    for path in delivered.site.folder().iterdir():
        path.unlink()
    delivered.site.upload(files)


def with_reports(delivered: Deployment) -> Path:
    """Have the reports put into the district's folder; say where they will be."""
    connection = delivered.site.connection().model_copy(update={"reports": "reports"})
    register(delivered.engine, MAPLE, connection=connection)
    return delivered.site.folder() / "reports"


def test_a_delivery_that_is_refused_at_the_door_says_why_and_has_a_report_as_every_other(
    delivered: Deployment, files: Path
) -> None:
    pack(files, files / "roster.zip")
    delivered.site.upload(files)
    before, roster = taken(delivered), delivered.roster()
    result = delivered.run()
    assert not result.success
    assert materialized(result) == {"delivery"}
    assert checks(result) == {}, "nothing was read, so nothing was checked"
    told = "a zip lies beside CSV files or another zip, so it is not clear which is the delivery"
    assert told in failure(result)
    report = Path(str(told_of_failure(result)["report"]))
    assert told[1:] in report.read_text("utf-8"), "whatever its first letter"
    (_, (status, reason)) = delivered.ledger()
    assert status == "refused"
    assert told in str(reason)
    assert delivered.roster() == roster
    assert taken(delivered) not in (None, before), "decided on, so not asked for again"


def test_the_report_is_put_into_the_districts_folder_and_linked(delivered: Deployment, files: Path) -> None:
    reports = with_reports(delivered)
    rewrite(files, "users", "SELECT * EXCLUDE (phone) FROM rows")
    delivered.site.upload(files)
    result = delivered.run()
    assert result.success
    told = metadata(result, "validated/users")
    assert told["report_delivered"] is True
    assert (reports / f"{delivered.roster()}.html").read_bytes() == Path(str(told["report"])).read_bytes()
    assert "phone" in (reports / f"{delivered.roster()}.html").read_text("utf-8")
    again = delivered.run()
    assert metadata(again, "delivery")["unchanged"] is True, "the report is no part of a delivery"


def test_a_report_that_cannot_be_put_there_is_a_warning_and_stops_nothing(delivered: Deployment) -> None:
    reports = with_reports(delivered)
    reports.touch()  # a file where the folder should be
    result = delivered.run()
    assert result.success
    assert {metadata(result, f"validated/{table}")["report_delivered"] for table in ROSTER} == {False}
    warnings = [log for log in delivered.instance.all_logs(result.run_id) if log.level == logging.WARNING]
    (told,) = [log.user_message for log in warnings]
    assert told.startswith("the report was not delivered: ")
    assert "\n" not in told
    assert reports.read_bytes() == b""


def test_delta_files_change_the_last_good_roster_and_absent_ones_say_nothing_of_theirs(
    delivered: Deployment, files: Path, teachers: list[str], tmp_path: Path
) -> None:
    delivered.sign_in(*teachers)
    assert delivered.refresh().success
    whole = expected(files, *teachers)
    assert shown(delivered.published()) == whole

    rewrite(files, "enrollments", f"{as_delta('tobedeleted')} WHERE role = 'student' ORDER BY \"sourcedId\" LIMIT 1")
    replace_all(delivered, only_delta(files, tmp_path / "delta", "enrollments"))
    result = delivered.run()
    assert result.success
    enrollments, users = metadata(result, "validated/enrollments"), metadata(result, "validated/users")
    assert (enrollments["read"], enrollments["accepted"]) == (1, 1)
    assert (users["read"], users["roster"], users["previous"]) == (0, 46, 46)
    after = shown(delivered.published())
    assert len(whole["rostered_class_student"] - after["rostered_class_student"]) == 1
    assert after["rostered_class"] == whole["rostered_class"]


def as_delta(status: str) -> str:
    return f"""
        SELECT * REPLACE ('{status}' AS status, '2026-11-20T08:00:00.000Z' AS "dateLastModified") FROM rows"""


def only_delta(files: Path, folder: Path, table: str) -> Path:
    """Write a delivery of one file in delta mode."""
    folder.mkdir()
    (folder / f"{table}.csv").write_bytes((files / f"{table}.csv").read_bytes())
    modes = [f"file.{name},{'delta' if name == table else 'absent'}" for name in data_files("1.1")]
    lines = ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.1", *modes]
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_delta_that_changes_no_roster_is_refused(deployment: Deployment, files: Path, tmp_path: Path) -> None:
    rewrite(files, "users", as_delta("active"))
    deployment.register()
    deployment.site.upload(only_delta(files, tmp_path / "delta", "users"))
    result = deployment.run()
    assert not result.success
    assert "there is no accepted delivery that it could change" in failure(result)


def test_a_district_that_changes_to_1_2_keeps_its_classes(
    delivered: Deployment, files: Path, teachers: list[str], clean_district: District, tmp_path: Path
) -> None:
    delivered.sign_in(*teachers)
    assert delivered.refresh().success
    before = shown(delivered.published())
    newer = generate(tmp_path / "1.2", students=40, version="1.2")
    replace_all(delivered, newer.folder)
    result = delivered.run()
    assert result.success
    assert failed(result) == {}
    users = metadata(result, "validated/users")
    assert (users["read"], users["roster"], users["previous"]) == (46, 46, 46)
    counted = checks(result)["users", "rows_add_up"].metadata["read"].value
    assert counted == 2 * 46, "the people, and the role of each"
    assert shown(delivered.published()) == before == expected(files, *teachers)
    assert metadata(result, "rostered_classes")["changes"] == 0
