"""The same district gives the same roster and the same findings, whether it comes as CSV files or by an API."""

from pathlib import Path

import pytest

from roster_pipelines.findings import Finding
from roster_pipelines.oneroster.shape import Registration, Version
from roster_pipelines.simulators.districts import generate
from roster_pipelines.staging.build import build
from roster_pipelines_tests.effort import cases
from roster_pipelines_tests.staging.catalogue import across, time, values, version_1_2
from roster_pipelines_tests.staging.catalogue.ground import Ground
from roster_pipelines_tests.staging.conftest import TODAY, Delivered, Staged
from roster_pipelines_tests.staging.pulled import COLLECTIONS, LISTS_IN, pulled, rows

GROUPS = {group.name: group for module in (values, across, version_1_2) for group in module.GROUPS}
GROUPS |= {group.name: group for group in time.GROUPS if group.name == "delta"}
ONLY_IN_FILES = ("delta-field-in-bulk", "list-item-empty", "password-sent", "profile-of-another")
"""What every record has, an API's null as it were, and what never lands."""
CLEAN: list[tuple[Version, tuple[str, ...], Registration]] = [
    ("1.1", ("lessons",), "auto_by_resource"),
    ("1.2", ("lessons",), "auto_by_resource"),
]


def staged(folder: Path, registration: Registration = "access_code", base: Path | None = None) -> Staged:
    database = folder.with_name("pulled.duckdb")
    files = pulled(folder, folder.with_name("pulled"))
    return Staged(database, build(files, [], database, registration, today=TODAY, base=base))


@pytest.mark.parametrize(("version", "resources", "registration"), CLEAN)
def test_a_clean_district_gives_the_same_roster_without_a_finding(
    version: Version, resources: tuple[str, ...], registration: Registration, tmp_path: Path
) -> None:
    folder = generate(tmp_path / "delivered", students=40, version=version, resources=resources).folder
    by_file = Delivered(folder, tmp_path / "files.duckdb").stage(registration)
    by_api = staged(folder, registration)
    assert by_api.summary.findings == ()
    assert by_api.summary.api
    assert by_api.summary.tables == by_file.summary.tables
    for table in by_api.summary.tables:
        links = ', "sourcedId"' + (", title" if table != "roles" else "") if table in LISTS_IN else ""
        own = f'status, "dateLastModified"{links}'
        sql = f'SELECT * EXCLUDE (_delivery, _line, {own}) FROM main."{table}" ORDER BY ALL'
        assert by_api.rows(sql) == by_file.rows(sql), table


@pytest.mark.parametrize("name", sorted(GROUPS)[: cases(2, len(GROUPS))])
def test_what_is_wrong_in_it_is_told_alike(name: str, tmp_path: Path) -> None:
    group = GROUPS[name]
    resources = ("lessons-1", "lessons-2") if group.resources else ()
    clean = generate(tmp_path / "delivered", students=60, version=group.version, resources=resources)
    here = Ground(clean.folder, tmp_path / "files.duckdb")
    base = Ground(clean.folder, tmp_path / "base.duckdb").stage().database if group.follows else None
    group.prepare(here)
    for fault in (*group.faults, *group.fine):
        fault.plant(here)
    by_file, by_api = here.stage(group.registration, base=base), staged(here.folder, group.registration, base)
    told = {through_api(here.folder, finding) for finding in by_file.summary.listed} - {None}
    assert {(f.rule, f.severity, f.file, f.column, f.line, f.sourced_id) for f in by_api.summary.listed} == told
    assert len(told) > len(group.faults) / 2
    for table in COLLECTIONS:
        if table in by_file.summary.tables:
            sql = f'SELECT * EXCLUDE (_line, status, "dateLastModified") FROM main."{table}" ORDER BY ALL'
            assert by_api.rows(sql) == by_file.rows(sql), table


def through_api(folder: Path, found: Finding) -> tuple[str, str, str, str, int | None, str] | None:
    """Say what a finding about a file must be in records; None where it cannot be there."""
    name, line, sourced_id = found.file.removesuffix(".csv"), found.line, found.sourced_id
    if found.rule in ONLY_IN_FILES or name in ("userProfiles", "userResources"):
        return None
    if name in LISTS_IN and line:
        collection, _, owner = LISTS_IN[name]
        sourced_id = rows(folder, name)[line - 2][owner]
        records = [row["sourcedId"] for row in rows(folder, collection)]
        if sourced_id not in records:
            return None
        line = records.index(sourced_id) + 2
    return found.rule, found.severity, name, found.column, line and line - 1, sourced_id
