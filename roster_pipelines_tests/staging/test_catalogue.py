"""Every planted fault is found by its rule, at its place, and nothing else is."""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from roster_pipelines.oneroster.shape import Version
from roster_pipelines.simulators.districts import generate
from roster_pipelines.staging import lines, tidy
from roster_pipelines_tests.conformance import planted, unproven
from roster_pipelines_tests.staging.catalogue import across, files, manifest, package, time, values, version_1_2
from roster_pipelines_tests.staging.catalogue.fault import ANYTHING, Fault, Group, Lines
from roster_pipelines_tests.staging.catalogue.ground import Ground
from roster_pipelines_tests.staging.conftest import Found, Staged

MODULES = (package, manifest, files, values, across, time, version_1_2)
GROUPS = {group.name: group for module in MODULES for group in module.GROUPS}
GROUPS["clean"] = Group("clean", ())
FAULTS = [(name, place) for name, group in GROUPS.items() for place in range(len(group.faults))]
FINE = [(name, place) for name, group in GROUPS.items() for place in range(len(group.fine))]

Planted = tuple[Staged, tuple[Lines, ...], tuple[Lines, ...]]
"""What became of a group, and the lines of its faults and of what is fine."""
Plant = Callable[[str], Planted]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """Plant a group of faults into a clean district, and stage it; each group once."""

    @cache
    def ground(version: Version, *, resources: bool) -> Path:
        folder = tmp_path_factory.mktemp("clean")
        generate(folder, students=60, version=version, resources=("lessons-1", "lessons-2") if resources else ())
        return folder

    @cache
    def base(version: Version, *, resources: bool) -> Path:
        folder = tmp_path_factory.mktemp("base")
        return Ground(ground(version, resources=resources), folder / "base.duckdb").stage().database

    @cache
    def run(name: str) -> Planted:
        group = GROUPS[name]
        folder = tmp_path_factory.mktemp("planted")
        shutil.copytree(ground(group.version, resources=group.resources), folder / "delivered")
        here = Ground(folder / "delivered", folder / "staging.duckdb")
        group.prepare(here)
        found = tuple(fault.plant(here) for fault in group.faults)
        good = tuple(fault.plant(here) for fault in group.fine)
        with pytest.MonkeyPatch.context() as patch:
            for module in (lines, tidy) if group.longest else ():
                patch.setattr(module, "LONGEST", group.longest)
            before = base(group.version, resources=group.resources) if group.follows else None
            return here.stage(group.registration, base=before), found, good

    return run


def named(cases: list[tuple[str, int]], of: Callable[[Group], tuple[Fault, ...]]) -> list[object]:
    return [pytest.param(group, n, id=f"{group}: {of(GROUPS[group])[n].what}") for group, n in cases]


def each(lines: Lines) -> tuple[int | None, ...]:
    return lines if isinstance(lines, tuple) else (lines,)


def expected(fault: Fault, lines: Lines) -> set[Found]:
    return {(fault.rule, fault.severity, fault.file, line, fault.column) for line in each(lines)}


@pytest.mark.parametrize(("group", "place"), named(FAULTS, lambda group: group.faults))
def test_a_planted_fault_is_told_by_its_rule_severity_file_line_and_column(
    group: str, place: int, plant: Plant
) -> None:
    staged, lines, _ = plant(group)
    fault = GROUPS[group].faults[place]
    assert expected(fault, lines[place]) <= staged.found


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_else_is_told_but_what_comes_from_a_planted_fault(group: str, plant: Plant) -> None:
    staged, lines, _ = plant(group)
    faults = GROUPS[group].faults
    everything = set().union(*(expected(fault, at) for fault, at in zip(faults, lines, strict=True)))
    listed = staged.summary.listed
    assert {(f.rule, f.severity, f.file, f.line, f.column) for f in listed if f.caused_by is None} == everything
    causes = {(f.caused_by.rule, f.caused_by.file, f.caused_by.line) for f in listed if f.caused_by}
    assert causes <= {(rule, file, line) for rule, _, file, line, _ in everything}


@pytest.mark.parametrize("group", GROUPS)
def test_every_row_is_accepted_or_rejected_and_only_an_error_rejects(group: str, plant: Plant) -> None:
    staged, _, _ = plant(group)
    errors = {(f.file, f.line) for f in staged.summary.listed if f.severity == "error"}
    for table, counts in staged.summary.tables.items():
        lost = any(f.rule == "lines-lost" and f.file == f"{table}.csv" for f in staged.summary.listed)
        assert counts.add_up != lost, (table, counts)
        if not counts.read:
            continue
        file = f"{table}.csv"
        rejected = {(file, line) for (line,) in staged.rows(f'SELECT _line FROM rejected."{table}"')}
        unreadable = set(staged.rows("SELECT file, line FROM rejected.unreadable WHERE file = ?", [file]))
        assert rejected | unreadable == {(at, line) for at, line in errors if at == file}


@pytest.mark.parametrize(("group", "place"), named(FAULTS, lambda group: group.faults))
def test_only_a_row_the_product_cannot_use_is_rejected(group: str, place: int, plant: Plant) -> None:
    staged, lines, _ = plant(group)
    fault = GROUPS[group].faults[place]
    assert_becomes(staged, fault, lines[place])


@pytest.mark.parametrize(("group", "place"), named(FINE, lambda group: group.fine))
def test_what_is_as_the_standard_has_it_is_taken_without_a_word(group: str, place: int, plant: Plant) -> None:
    staged, _, lines = plant(group)
    fault = GROUPS[group].fine[place]
    assert not {found for found in staged.found if found[2:4] == (fault.file, lines[place])}
    assert_becomes(staged, fault, lines[place])


@pytest.mark.parametrize("group", ["encodings", "manifest", "a spreadsheet's manifest"])
def test_a_file_in_another_dialect_gives_the_roster_that_it_would_have_given(group: str, plant: Plant) -> None:
    staged, _, _ = plant(group)
    known, _, _ = plant("clean")
    for table in staged.summary.tables:
        if table not in ("courses", "classes"):  # in which something was written to show the encoding
            assert staged.accepted(table) == known.accepted(table)
    assert staged.rows("SELECT count(*) FROM courses WHERE subjects = ['Éducation']")[0] == (
        (7,) if group == "encodings" else (0,)
    )


def assert_becomes(staged: Staged, fault: Fault, lines: Lines) -> None:
    table = fault.file.removesuffix(".csv")
    for line in each(lines):
        if line is None or line == 1 or table not in staged.summary.tables:
            continue
        column = fault.column if fault.becomes is not ANYTHING else "sourcedId"
        accepted = staged.rows(f'SELECT "{column}" FROM main."{table}" WHERE _line = {line} AND _delivery IS NULL')
        assert len(accepted) == (0 if fault.severity == "error" or fault.rule == "line-blank" else 1)
        if fault.becomes is not ANYTHING:
            assert accepted == [(fault.becomes,)]


def test_every_rule_is_planted_with_every_severity() -> None:
    assert unproven(planted()) == set()
