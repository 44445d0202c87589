"""One file is read: every line accounted for by its number, whatever the bytes are."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roster_pipelines.catalogue import RULES
from roster_pipelines.oneroster.shape import Version
from roster_pipelines.oneroster.standard import TABLES
from roster_pipelines.staging import lines as of_lines
from roster_pipelines.staging import read as module
from roster_pipelines.staging.lines import BLOCK, LONGEST
from roster_pipelines.staging.read import load

ORGS = TABLES["orgs"]
NAMES = [column.name for column in ORGS.columns]
HEADER = ",".join(NAMES)
EVERY = frozenset(NAMES)

Row = tuple[str | None, ...]
Wrong = list[tuple[int, str]]
"""Lines, each with the rule that it breaks."""


@dataclass(frozen=True)
class Read:
    """What was read of a file."""

    read: int
    readable: bool
    absent: frozenset[str]
    findings: list[tuple[str, str]]
    rows: dict[int, Row]
    wrong: Wrong
    ids: dict[int, str]

    @property
    def names(self) -> dict[int, str | None]:
        """The column `name` of each row."""
        return {line: row[3] for line, row in self.rows.items()}

    @property
    def accounted(self) -> bool:
        """Whether each row that was read is there, or among the lines that are none."""
        lost = sum(rule in ("row-unreadable", "row-truncated") for _, rule in self.wrong)
        return self.read == len(self.rows) + lost and not any(rule == "lines-lost" for rule, _ in self.findings)


Reader = Callable[..., Read]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Read bytes as a file of a table."""
    folder = tmp_path_factory.mktemp("read")
    scratch = folder / "scratch"
    scratch.mkdir()

    def run(content: bytes, table: str = "orgs", version: Version = "1.1", *, can_refuse: bool = True) -> Read:
        path = folder / "delivered"
        path.write_bytes(content)
        con.execute(f"DELETE FROM line_finding; DROP TABLE IF EXISTS raw.{table}")
        loaded = load(con, TABLES[table], version, path, scratch, can_refuse=can_refuse)
        found = con.execute("SELECT file, line, rule, sourced_id FROM line_finding ORDER BY line, rule").fetchall()
        assert {file for file, *_ in found} <= {f"{table}.csv"}
        assert not list(scratch.iterdir())
        columns = [name for name, *_ in con.execute(f"DESCRIBE raw.{table}").fetchall()]
        assert columns == ["_line", *(c.name for c in TABLES[table].of(version) if c.stored)]
        for finding in loaded.findings:
            assert finding.severity in RULES[finding.rule].severities
        return Read(
            loaded.read,
            loaded.readable,
            loaded.absent,
            [(finding.rule, finding.severity) for finding in loaded.findings],
            {line: tuple(cells) for line, *cells in con.execute(f"FROM raw.{table} ORDER BY _line").fetchall()},
            [(line, rule) for _, line, rule, _ in found],
            {line: sourced_id for _, line, _, sourced_id in found if sourced_id},
        )

    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA raw")
        con.execute("CREATE TABLE line_finding (file VARCHAR, line BIGINT, rule VARCHAR, sourced_id VARCHAR)")
        yield run


@pytest.fixture
def tidied_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no file be loaded as it is."""
    monkeypatch.setattr(module._Source, "load_plain", lambda *_: False)


def row(number: int, name: str = "Maple") -> str:
    return f"o-{number},,,{name},school,,"


def lines(*texts: str, end: str = "\n") -> bytes:
    return "".join(text + end for text in (HEADER, *texts)).encode()


GOOD: Row = ("o-1", None, None, "Maple", "school", None, None)


@pytest.mark.parametrize(
    "content",
    [
        lines(row(1)),
        lines(row(1), end="\r\n"),
        lines(row(1))[:-1],
        b"\xef\xbb\xbf" + lines(row(1)),
        b"\xef\xbb\xbf"
        + lines(",".join(f'"{cell}"' for cell in row(1).split(","))).replace(b"sourcedId", b'"sourcedId"'),
        lines('o-1,"",,"Maple","school",,'),
        lines(row(1) + ",,,"),
        lines(row(1) + ',"",'),
    ],
)
@pytest.mark.parametrize("tidied", [False, True])
def test_a_good_file_gives_its_rows_and_nothing_to_be_found(
    content: bytes, tidied: bool, reader: Reader, request: pytest.FixtureRequest
) -> None:
    if tidied:
        request.getfixturevalue("tidied_only")
    assert reader(content) == Read(1, True, frozenset(), [], {2: GOOD}, [], {})


def test_a_good_file_is_loaded_as_it_is(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "tidy", None)
    for end in ("\n", "\r\n"):
        rows = [row(number, '"Mäple, ""5"""') for number in range(1, 1001)]
        found = reader(lines(*rows, end=end))
        assert list(found.rows) == list(range(2, 1002))
        assert set(found.names.values()) == {'Mäple, "5"'}
        assert [cells[0] for cells in found.rows.values()] == [f"o-{number}" for number in range(1, 1001)]


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (lines(row(1, "Ñandú 漢")).decode().encode("utf-16"), "encoding-utf-16"),
        (lines(row(1, "Ñandú 漢")).decode().encode("utf-16-le"), "encoding-utf-16"),
        (lines(row(1, "Ñandú 漢"), end="\r\n").decode().encode("utf-16-be"), "encoding-utf-16"),
        (lines(row(1, "Ñandú 漢"), row(2, "X")).replace(b"X", b"\xd1\x80\x81"), "encoding-windows-1252"),
        (lines(row(1, "Ñandú 漢"), end="\r"), "line-ends"),
        (lines(row(1, "Ñandú 漢"), end="\r")[:-1], "line-ends"),
        (HEADER.encode() + b"\r\n" + row(1, "Ñandú 漢").encode() + b"\n", "line-ends"),
        (HEADER.encode() + b"\n" + row(1, "Ñandú 漢").encode() + b"\r", "line-ends"),
        (lines(row(1, "Ñandú 漢")).replace(b",", b";"), "separator"),
        (lines(row(1, "Ñandú 漢")).replace(b",", b"\t"), "separator"),
        (lines(row(1, "Ñandú 漢")).replace(b",", b"|"), "separator"),
    ],
)
def test_another_encoding_line_end_or_separator_costs_one_warning(content: bytes, finding: str, reader: Reader) -> None:
    found = reader(content)
    assert found.findings == [(finding, "warning")]
    assert found.rows[2] == ("o-1", None, None, "Ñandú 漢", "school", None, None)
    assert found.accounted
    assert not found.wrong


def test_only_the_lines_that_are_not_utf_8_are_read_as_windows_1252(reader: Reader) -> None:
    found = reader(lines(row(1, "José"), row(2, "Jos?"), row(3, "Jos?")).replace(b"?", b"\xe9\x81"))
    assert found.names == {2: "José", 3: "José\ufffd", 4: "José\ufffd"}


def test_a_row_cut_within_a_character_says_nothing_of_the_encoding(reader: Reader) -> None:
    found = reader(lines(row(1), "o-2,,,José")[:-2])
    assert (found.findings, found.wrong, list(found.rows)) == ([], [(3, "row-truncated")], [2])


OPEN = 'o-2,,,"Oak,school,,'
JOINED = ['o-2,,,"Oak', 'Elementary",school,,']


@pytest.mark.parametrize(
    ("texts", "kept", "wrong"),
    [
        (["1,2", row(1)], {3}, [(2, "row-unreadable")]),
        ([row(1), row(2) + ",x", row(3)], {2, 4}, [(3, "row-unreadable")]),
        ([row(1), OPEN, row(3), row(4)], {2, 4, 5}, [(3, "row-unreadable")]),
        ([row(1), OPEN, row(3, '"a ""b"" c, d"'), row(4)], {2, 4, 5}, [(3, "row-unreadable")]),
        ([OPEN, OPEN, row(3), OPEN], {4}, [(2, "row-unreadable"), (3, "row-unreadable"), (5, "row-unreadable")]),
        ([row(1), 'o-2,,,"Oak" x,school,,', row(3)], {2, 4}, [(3, "row-unreadable")]),
        ([row(1), 'o-2,,,"Oak"x",school,,', row(3)], {2, 4}, [(3, "row-unreadable")]),
        (["", row(1), " ", "\t", row(3), ""], {3, 6}, [(2, "line-blank"), *((n, "line-blank") for n in (4, 5, 7))]),
        ([row(1), "\x1a"], {2}, [(3, "line-blank")]),
        ([row(1), *JOINED, row(3)], {2, 3, 5}, [(3, "line-break-in-field")]),
        (
            [row(1), 'o-2,,,"', "", 'Oak",school,"', '",', "1,2"],
            {2, 3},
            [(3, "line-break-in-field"), (7, "row-unreadable")],
        ),
        ([JOINED[0], *["x"] * 18, JOINED[1], row(3)], {2, 22}, [(2, "line-break-in-field")]),
        ([JOINED[0], 'x",school,', row(3)], {4}, [(2, "row-unreadable"), (3, "row-unreadable")]),
        ([row(1), "o-2,,,O\0ak,sch\0ool,,", row(3)], {2, 3, 4}, [(3, "nul-bytes")]),
        ([row(1), "\0", row(3)], {2, 4}, [(3, "line-blank"), (3, "nul-bytes")]),
        ([row(1), "\x001,2", row(3)], {2, 4}, [(3, "nul-bytes"), (3, "row-unreadable")]),
        (
            [row(1, "x" * (LONGEST + 1)), row(2), row(3, '"' * LONGEST)],
            {3},
            [(2, "row-unreadable"), (4, "row-unreadable")],
        ),
        ([row(1), row(2, "x" * 3 * LONGEST), row(3)], {2, 4}, [(3, "row-unreadable")]),
        (
            [row(1), row(2) + "\0" * 2 * LONGEST + ",x" + "\0" * LONGEST, row(3)],
            {2, 4},
            [(3, "nul-bytes"), (3, "row-unreadable")],
        ),
        ([row(1), row(2, '5" ' * (LONGEST // 4)), "1,2"], {2, 3}, [(4, "row-unreadable")]),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_that_is_no_row_is_told_by_its_number_and_all_others_are_kept(
    texts: list[str], kept: set[int], wrong: Wrong, end: str, reader: Reader
) -> None:
    found = reader(lines(*texts, end=end))
    assert (set(found.rows), found.wrong) == (kept, wrong)
    assert found.accounted
    assert found.findings == ([("line-ends", "warning")] if end == "\r" else [])


@pytest.mark.parametrize(
    ("last", "rule"),
    [
        ("o-2,,,Oak", "row-truncated"),
        (OPEN, "row-truncated"),
        ("o", "row-truncated"),
        (row(2, "x" * LONGEST), "row-unreadable"),
        ('o-2,,,"Oak" x,school,,', "row-unreadable"),
    ],
)
def test_a_file_that_ends_within_a_row_is_told_apart(last: str, rule: str, reader: Reader) -> None:
    assert reader(lines(row(1), last)[:-1]).wrong == [(3, rule)]
    assert reader(lines(row(1), last)).wrong == [(3, "row-unreadable")]


def test_a_quote_that_a_cut_file_left_open_costs_only_its_own_line(reader: Reader) -> None:
    found = reader(lines(row(1), OPEN, row(3), "o-4,,")[:-1])
    assert (set(found.rows), found.wrong) == ({2, 4}, [(3, "row-unreadable"), (5, "row-truncated")])


def test_a_line_break_in_a_field_becomes_a_blank(reader: Reader) -> None:
    found = reader(lines(*JOINED, 'o-3,,,"The ""Oak""', "", 'School",school,,'))
    assert found.names == {2: "Oak Elementary", 4: 'The "Oak"  School'}
    assert found.read == 2


def test_more_than_twenty_lines_are_not_joined(reader: Reader) -> None:
    found = reader(lines(JOINED[0], *[row(1)] * 19, JOINED[1]))
    assert (list(found.rows), found.wrong) == (list(range(3, 22)), [(2, "row-unreadable"), (22, "row-unreadable")])


@pytest.mark.parametrize("block", [20, 61, 64, 997])
def test_lines_keep_their_numbers_where_blocks_of_bytes_meet(
    block: int, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_lines, "BLOCK", block)
    of_seven = [row(0), JOINED[0], "\0", JOINED[1], "1,2\0", "", OPEN.replace("a", "\0a")]
    found = reader(lines(*of_seven * 20))
    starts = range(2, 142, 7)
    assert list(found.rows) == sorted([*starts, *(start + 1 for start in starts)])
    rules = {1: "line-break-in-field", 2: "nul-bytes", 4: "nul-bytes row-unreadable", 5: "line-blank"}
    rules[6] = rules[4]
    assert found.wrong == [(start + step, rule) for start in starts for step in rules for rule in rules[step].split()]
    assert found.accounted


def test_the_id_of_a_row_that_cannot_be_read_is_told_only_if_it_is_one(reader: Reader) -> None:
    texts = ["o-2,x", '"o-3",x', "Maple,o-4", "maple.martin1@example.org,5", "Maple Martin 6,x", "7", '8",x']
    assert reader(lines(*texts)).ids == {2: "o-2", 3: "o-3"}
    swapped = ",".join([NAMES[1], NAMES[0], *NAMES[2:]])
    assert reader(f"{swapped}\n2010,x\n".encode()).ids == {}


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_file_is_readable_and_has_no_rows(content: bytes, reader: Reader) -> None:
    assert reader(content) == Read(0, True, EVERY, [], {}, [], {})


@pytest.mark.parametrize("content", [lines(), lines()[:-1], lines(end="\r\n")])
def test_a_header_alone_has_no_rows_and_no_fault(content: bytes, reader: Reader) -> None:
    assert reader(content) == Read(0, True, frozenset(), [], {}, [], {})


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b"\n", 0),
        (b"\n" + lines(row(1)), 2),
        (lines(row(1), "", row(2)).split(b"\n", 1)[1], 1),
        (b"\0" * 3 * BLOCK, 0),
        (b"\xff\xff\0\x01" * 10 + b"\nx\n \n\0\ny", 2),
        (b"x" * 3 * LONGEST, 0),
        (b"PK\x03\x04" + bytes(range(256)), 2),
    ],
)
@pytest.mark.parametrize(("can_refuse", "severity"), [(True, "fatal"), (False, "warning")])
def test_a_file_without_a_header_loses_all_rows(
    content: bytes, read: int, can_refuse: bool, severity: str, reader: Reader
) -> None:
    found = reader(content, can_refuse=can_refuse)
    assert found == Read(read, False, EVERY, [("header-missing", severity)], {}, [], {})


def test_a_required_column_that_is_missing_costs_a_file_that_cannot_refuse_all_its_rows(reader: Reader) -> None:
    content = f"sourcedId,status,dateLastModified,name,identifier,parentSourcedId\n{row(1)}\n".replace("school,", "")
    refusing = reader(content.encode())
    assert refusing.findings == [("column-missing", "fatal")]
    assert refusing.rows == {2: ("o-1", None, None, "Maple", None, None, None)}
    letting_off = reader(content.encode(), can_refuse=False)
    assert letting_off == Read(1, False, frozenset({"type"}), [("column-missing", "warning")], {}, [], {})


def test_columns_go_where_the_standard_has_them_and_the_others_nowhere(reader: Reader) -> None:
    header = "NAME,colour,sourcedId,type,metadata.x,status,status,dateLastModified,identifier"
    found = reader(f"{header}\nMaple,red,o-1,school,x,active,tobedeleted,,5\n".encode())
    assert found.rows == {2: ("o-1", None, None, "Maple", "school", "5", None)}
    assert found.absent == {"status", "parentSourcedId"}
    assert sorted(found.findings) == [
        ("column-absent", "warning"),
        ("column-case", "warning"),
        ("column-doubled", "warning"),
        ("column-order", "warning"),
        ("column-unknown", "warning"),
    ]


@pytest.mark.parametrize(("table", "version"), [("users", "1.1"), ("users", "1.2"), ("userProfiles", "1.2")])
@pytest.mark.parametrize("spoilt", [False, True])
def test_a_password_is_told_of_and_not_stored(table: str, version: Version, spoilt: bool, reader: Reader) -> None:
    names = [column.name for column in TABLES[table].of(version)]

    def delivered(*passwords: str, doubled: bool = False) -> bytes:
        rows = [[password if name == "password" else "1" for name in names] for password in passwords]
        cells = [[*names, "PASSWORD"], *([*row[:-1], "", row[-1]] for row in rows)] if doubled else [names, *rows]
        return "\n".join([*map(",".join, cells), *(["1,2"] if spoilt else []), ""]).encode()

    assert reader(delivered("", " "), table, version).findings == []
    found = reader(delivered("", "pw"), table, version)
    assert found.findings == [("password-sent", "info")]
    assert len(found.rows) == 2
    assert "pw" not in repr(found.rows)
    doubled = reader(delivered("", "pw", doubled=True), table, version)
    assert doubled.findings == [("password-sent", "info"), ("column-doubled", "warning")]
    assert "pw" not in repr(doubled.rows)


def test_several_files_may_be_read_into_one_database(reader: Reader) -> None:
    assert reader(lines("1,2")).wrong == [(2, "row-unreadable")]
    assert reader(lines(row(1))).wrong == []


def test_rows_that_were_lost_in_spite_of_everything_are_fatal(
    reader: Reader, tidied_only: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tidy = module.tidy

    def losing(*args: object) -> object:
        tidied = tidy(*args)  # type: ignore[arg-type]
        args[2].write_bytes(b"2,spoilt\n")  # type: ignore[attr-defined]
        return tidied

    monkeypatch.setattr(module, "tidy", losing)
    assert reader(lines(row(1))).findings == [("lines-lost", "fatal")]
    assert reader(lines(row(1)), can_refuse=False).findings == [("lines-lost", "warning")]


SPOILT = lines(*itertools.chain.from_iterable([row(n), row(n, '"a, ""b"""'), row(n, "é")] for n in range(1, 4)))
dirt = st.sampled_from([b'"', b'""', b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xc3", b",", b";", b" ", b'" "', b"\x1a"])


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A good file with a few bytes put in, in place of others, or cut off."""
    content = SPOILT
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(len(HEADER) - 3, len(content)))
        content = content[:place] + draw(dirt) + content[place + draw(st.integers(0, 2)) :]
    return content[: draw(st.integers(len(content) - 60, len(content)))]


@settings(max_examples=60)
@example(lines('" x",  "k"," x",  "k",  "k","c,d",'))
@example(lines('o-1,,,"Oak', 'x",,,\xe9').decode().encode("latin-1")[:-1])
@given(
    st.binary(max_size=40).map(lambda content: HEADER.encode() + b"\n" + content) | st.binary(max_size=60) | mutations()
)
def test_any_bytes_are_read_and_every_row_is_accounted_for(reader: Reader, content: bytes) -> None:
    found = reader(content)
    assert found.accounted or not found.readable
    assert len(set(found.wrong)) == len(found.wrong)


cells = st.sampled_from(
    ["", "a", "é", '""', '"a"', ' "a" ', '  "a"', '"a""b"', '"c,d"', '"a" "b"', 'a"b', '"a"b', '"', " "]
)


@settings(max_examples=40)
@given(
    st.lists(st.lists(cells, min_size=6, max_size=9).map(",".join), max_size=4),
    st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=2, max_size=2) | st.just(["\n"] * 2),
    st.booleans(),
)
def test_a_file_reads_the_same_whether_it_was_tidied_or_not(
    reader: Reader, texts: list[str], ends: list[str], ended: bool
) -> None:
    content = "".join([HEADER + ends[0], *(text + ends[1] for text in texts)]).encode()[: None if ended else -1]
    found = reader(content)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module._Source, "load_plain", lambda *_: False)
        assert reader(content) == found
