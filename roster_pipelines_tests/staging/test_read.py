"""One file is read: its header by hand, its rows by DuckDB, every line accounted for."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipelines.oneroster.standard import TABLES
from roster_pipelines.findings import Finding
from roster_pipelines.staging.read import Unreadable, load, match_header, read_header

ORGS = TABLES["orgs"]
NAMES = [column.name for column in ORGS.columns]
HEADER = ",".join(NAMES)

Loaded = tuple[int, dict[int, tuple[str | None, ...]], set[int]]
"""Lines with content, rows by line, lines that are no rows."""
Read = Callable[[bytes], Loaded]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Read bytes as an orgs.csv."""
    path = tmp_path_factory.mktemp("read") / "orgs.csv"

    def run(content: bytes) -> Loaded:
        path.write_bytes(content)
        con.execute("CREATE OR REPLACE TABLE rejected.unreadable (file VARCHAR, line BIGINT, reason VARCHAR)")
        con.execute("DROP TABLE IF EXISTS raw.orgs")
        names, _ = match_header(ORGS, read_header(path, ORGS.file))
        lines = load(con, ORGS, path, names)
        rows = {line: tuple(cells) for line, *cells in con.execute("FROM raw.orgs ORDER BY _line").fetchall()}
        return lines, rows, {line for (line,) in con.execute("SELECT line FROM rejected.unreadable").fetchall()}

    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA raw; CREATE SCHEMA rejected")
        yield run


def header(path: Path, content: bytes) -> list[str]:
    path.write_bytes(content)
    return read_header(path, "orgs.csv")


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_header_is_read_whatever_ends_its_line_and_whatever_stands_before_it(
    line_end: bytes, mark: bytes, tmp_path: Path
) -> None:
    content = mark + b' sourcedId ,"status",name' + line_end + b"o-1,,Maple" + line_end
    assert header(tmp_path / "orgs.csv", content) == ["sourcedId", "status", "name"]


@pytest.mark.parametrize("content", ["sourcedId,\xe9".encode("latin-1"), "sourcedId,status".encode("utf-16")])
def test_a_header_that_is_not_utf_8_makes_the_file_unreadable(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as raised:
        header(tmp_path / "orgs.csv", content)
    assert raised.value.finding == Finding("encoding-unreadable", "fatal", "orgs.csv")


@pytest.mark.parametrize(
    "first_line",
    [
        "",
        "   ",
        HEADER.replace(",", ";"),
        HEADER.replace(",", "\t"),
        '"' + HEADER,
        "o-1,,,Maple Elementary,school,530791900001,o-0",
        "sourcedId",
    ],
)
def test_a_first_line_that_is_no_header_makes_the_file_unreadable(first_line: str, tmp_path: Path) -> None:
    delivered = header(tmp_path / "orgs.csv", f"{first_line}\no-2,,,Oak,school,,\n".encode())
    with pytest.raises(Unreadable) as raised:
        match_header(ORGS, delivered)
    assert raised.value.finding == Finding("header-missing", "fatal", "orgs.csv", line=1)


def test_columns_are_known_in_any_order_and_case_and_no_two_get_one_name() -> None:
    names, findings = match_header(ORGS, ["Name", "sourcedId", "colour", "type", "NAME", "colour", "metadata.x"])
    assert names == ["name", "sourcedId", "_unknown_2", "type", "_doubled_4", "_unknown_5", "_unknown_6"]
    assert {(f.rule, f.severity, f.column) for f in findings} == {
        ("column-case", "warning", "name"),
        ("column-unknown", "warning", "column 3"),
        ("column-doubled", "fatal", "name"),
        ("column-unknown", "warning", "column 6"),
        *(
            ("column-absent", "warning", name)
            for name in ("status", "dateLastModified", "identifier", "parentSourcedId")
        ),
    }


def test_empty_cells_behind_the_last_column_are_no_fault(read: Read) -> None:
    assert read(f"{HEADER}\no-1,,,Maple,school,,,,,\n".encode()) == (
        1,
        {2: ("o-1", None, None, "Maple", "school", None, None)},
        set(),
    )


@pytest.mark.parametrize("blanks", [" ", "\t", "\u00a0"])
def test_a_line_of_blanks_is_no_blank_line(blanks: str, read: Read) -> None:
    lines, rows, unreadable = read(f"{HEADER}\n{blanks}\n\no-1,,,Maple,school,,\n".encode())
    assert (lines, list(rows), unreadable) == (2, [4], {2})


def test_bytes_that_are_not_utf_8_anywhere_make_the_file_unreadable(read: Read) -> None:
    with pytest.raises(Unreadable) as raised:
        read(f"{HEADER}\no-1,,,Maple,school,,\n".encode() + b"o-2,,,\xd1u\xf1ez,school,,\n")
    assert raised.value.finding == Finding("encoding-unreadable", "fatal", "orgs.csv")


def test_a_line_end_within_a_row_makes_the_file_unreadable_and_is_not_quoted(read: Read) -> None:
    with pytest.raises(Unreadable) as raised:
        read(f"{HEADER}\no-1,,,Maple\rElementary,school,,\no-2,,,Oak,school,,\n".encode())
    assert raised.value.finding == Finding("line-ends-mixed", "fatal", "orgs.csv")
    assert "Maple" not in str(raised.value)


def test_a_row_of_three_megabytes_is_set_apart_alone(read: Read) -> None:
    long = "x" * 3_000_000
    lines, rows, unreadable = read(f"{HEADER}\no-1,,,{long},school,,\no-2,,,Oak,school,,\n".encode())
    assert (lines, list(rows), unreadable) == (2, [3], {2})


cells = st.text(st.characters(exclude_characters='",\r\n', exclude_categories=["Cs"]), max_size=3)
full_rows = st.lists(cells, min_size=7, max_size=7)
lines_of_cells = st.lists(full_rows | st.lists(cells, max_size=9), max_size=8)


@given(lines_of_cells, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_every_line_is_a_row_or_unreadable_or_blank_and_keeps_its_number(
    read: Read, lines: list[list[str]], line_end: str, ends: bool
) -> None:
    texts = [",".join(row) for row in lines]
    content = line_end.join([HEADER, *texts]) + (line_end if ends else "")
    rows, unreadable = {}, set()
    for number, text in enumerate(texts, start=2):
        found = re.sub(r"^((?:[^,]*,){6}[^,]*),+$", r"\1", text).split(",")
        if len(found) == len(NAMES):
            rows[number] = tuple(cell.replace("\0", "") if cell else None for cell in found)
        elif text:
            unreadable.add(number)
    assert read(content.encode()) == (len(rows) + len(unreadable), rows, unreadable)
