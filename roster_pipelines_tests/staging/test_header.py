"""A header is read as the standard has it, or as near to that as it can be understood."""

import pytest

from roster_pipelines.findings import Finding
from roster_pipelines.oneroster.shape import Table, Version
from roster_pipelines.oneroster.standard import TABLES
from roster_pipelines.staging.header import MOST_COLUMNS, SEPARATORS, Header, match_header

ORGS = TABLES["orgs"]
NAMES = tuple(column.name for column in ORGS.columns)
REQUIRED = ("sourcedId", "name", "type")


def told(header: Header) -> list[tuple[str, str, str]]:
    """Rule, severity and column of what was found."""
    assert all(finding.line == 1 for finding in header.findings)
    return [(finding.rule, finding.severity, finding.column) for finding in header.findings]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_standards_header_has_nothing_to_be_found(table: Table, version: Version) -> None:
    names = tuple(column.name for column in table.of(version))
    for line in (",".join(names), ",".join(f'"{name}"' for name in names), ",".join([*names, "metadata.house"])):
        header = match_header(line, table, version)
        assert (header.readable, header.separator, header.absent, header.findings) == (True, ",", frozenset(), ())
        assert header.names[: len(names)] == names


@pytest.mark.parametrize("separator", SEPARATORS[1:])
def test_another_separator_is_told_by_the_names_between(separator: str) -> None:
    header = match_header(separator.join(NAMES), ORGS, "1.1")
    assert (header.separator, header.names) == (separator, NAMES)
    assert told(header) == [("separator", "warning", "")]


@pytest.mark.parametrize(
    ("delivered", "findings"),
    [
        (("sourcedid", *NAMES[1:]), [("column-case", "warning", "sourcedId")]),
        ((" sourcedId", *NAMES[1:]), [("column-case", "warning", "sourcedId")]),
        (("\ufeffsourcedId\u200b", *NAMES[1:]), [("column-case", "warning", "sourcedId")]),
        (
            (*NAMES, "colour", ""),
            [("column-unknown", "warning", "column 8"), ("column-unknown", "warning", "column 9")],
        ),
        (("colour", *NAMES), [("column-unknown", "warning", "column 1")]),
        ((*NAMES, "Metadata.house"), [("column-unknown", "warning", "column 8")]),
        ((NAMES[1], NAMES[0], *NAMES[2:]), [("column-order", "warning", "")]),
        (tuple(reversed(NAMES)), [("column-order", "warning", "")]),
        (("metadata.house", *NAMES), [("column-order", "warning", "")]),
        ((*NAMES[:-1], "metadata.house", NAMES[-1]), [("column-order", "warning", "")]),
        ((*NAMES[:-1], "colour", NAMES[-1]), [("column-unknown", "warning", "column 7")]),
        ((*NAMES, "password"), [("column-unknown", "warning", "column 8")]),
    ],
)
def test_what_is_understood_costs_a_warning_and_nothing_else(
    delivered: tuple[str, ...], findings: list[tuple[str, str, str]]
) -> None:
    header = match_header(",".join(delivered), ORGS, "1.1")
    assert told(header) == findings
    assert (header.readable, header.absent) == (True, frozenset())
    assert set(header.names) - {""} == set(NAMES)


@pytest.mark.parametrize("column", NAMES)
def test_a_column_that_is_missing_or_doubled_is_absent_and_fatal_where_it_is_required(column: str) -> None:
    required = column in REQUIRED
    without = ",".join(name for name in NAMES if name != column)
    missing = match_header(without, ORGS, "1.1")
    assert told(missing) == [("column-missing", "fatal", column) if required else ("column-absent", "warning", column)]
    doubled = match_header(",".join([*NAMES, column.upper()]), ORGS, "1.1")
    assert told(doubled) == [("column-doubled", "fatal" if required else "warning", column)]
    assert missing.absent == doubled.absent == {column}
    assert missing.readable
    assert doubled.readable


@pytest.mark.parametrize("column", NAMES)
def test_a_file_that_cannot_refuse_is_not_read_for_what_would_refuse(column: str) -> None:
    required = column in REQUIRED
    without = ",".join(name for name in NAMES if name != column)
    for line, rule in (
        (without, "column-missing" if required else "column-absent"),
        (",".join([*NAMES, column]), "column-doubled"),
    ):
        header = match_header(line, ORGS, "1.1", can_refuse=False)
        assert told(header) == [(rule, "warning", column)]
        assert header.readable is not required


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        "sourcedId",
        "sourcedId,colour",
        '"' + ",".join(NAMES),
        '"sourcedId"x,' + ",".join(NAMES[1:]),
        "o-1,,,Maple Elementary,school,530791900001,o-0",
        ",".join(NAMES) + "," * MOST_COLUMNS,
        "\ud7ff\ufffd",
    ],
)
@pytest.mark.parametrize(("can_refuse", "severity"), [(True, "fatal"), (False, "warning")])
def test_a_first_line_that_is_no_header_makes_the_file_unreadable(line: str, can_refuse: bool, severity: str) -> None:
    header = match_header(line, ORGS, "1.1", can_refuse=can_refuse)
    assert (header.readable, header.absent) == (False, frozenset(NAMES))
    assert told(header) == [("header-missing", severity, "")]


def test_what_stands_in_an_unknown_column_is_not_repeated() -> None:
    findings = match_header(",".join([*NAMES, "Maple Martin"]), ORGS, "1.1").findings
    assert findings == (Finding("column-unknown", "warning", "orgs.csv", line=1, column="column 8"),)


def test_each_version_knows_its_own_columns() -> None:
    users = TABLES["users"]
    of = {version: [column.name for column in users.of(version)] for version in ("1.1", "1.2")}
    only = {version: set(of[version]) - set(of[other]) for version, other in (("1.1", "1.2"), ("1.2", "1.1"))}
    for version, other in (("1.1", "1.2"), ("1.2", "1.1")):
        header = match_header(",".join([*of[version], *sorted(only[other])]), users, version)
        assert [rule for rule, *_ in told(header)] == ["column-unknown"] * len(only[other])
        assert header.readable
        assert not header.absent


def test_a_column_that_only_the_first_release_had_may_be_missing() -> None:
    users = TABLES["users"]
    names = [column.name for column in users.of("1.2") if not column.first_release_only]
    header = match_header(",".join(names), users, "1.2")
    assert header.findings == ()
    assert header.absent == {"resourceSourcedIds"}
