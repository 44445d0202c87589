"""Bytes become lines, and lines values, whatever the encoding, the line ends and the quotes."""

from pathlib import Path

import pytest

from roster_pipelines.staging import lines as module
from roster_pipelines.staging.lines import BLOCK, LONGEST, End, Lines, Scan, decoded, fields, scan


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", 0),
        (b"a,b", 1),
        (b"a,b\n1,2\n", 2),
        (b"a,b\n1,2", 2),
        (b"a,b\r\n1,2\r\n", 2),
        (b"\xef\xbb\xbfa,b\n\xc3\xa9,2\n", 2),
        (b"a,b\n" + b"\xc3\xa9,2\n" * BLOCK, BLOCK + 1),
    ],
)
def test_a_plain_file_is_counted_in_lines(content: bytes, lines: int, file: Path) -> None:
    file.write_bytes(content)
    assert scan(file) == Scan("utf-8", lines, plain=True)


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1\0,2\n",
        b"a,b\n\xe9,2\n",
        b"a,b\n\xed\xa0\x80,2\n",
        b"a,b\n1,2\xc3",
        b"a,b\r1,2\r",
        b"a,b\r\n1,2\n",
        b"a,b\n1,2\r",
        b"a,b\n1\r,2\n3,4\n",
        b"a,b\n" + b"x" * (2 * BLOCK) + b",2\n",
        b"a,b\n" * BLOCK + b"\xff",
        "a,b\n1,2\n".encode("utf-16"),
    ],
)
def test_a_file_that_must_be_tidied_is_not_plain(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    assert not scan(file).plain


HEADER = "sourcedId,status,dateLastModified,name"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (HEADER.encode("utf-16"), "utf-16-le"),
        (HEADER.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + HEADER.encode("utf-16-be"), "utf-16-be"),
        (HEADER.encode("utf-16-be"), "utf-16-be"),
        ("sourcedId,naïveté".encode("utf-16-le"), "utf-16-le"),
        (HEADER.encode(), "utf-8"),
        (b"", "utf-8"),
        (b"\0" * 100, "utf-8"),
        (b"\xff\xff\xff", "utf-8"),
    ],
)
def test_utf_16_is_told_by_its_mark_or_by_its_nul_bytes(content: bytes, encoding: str, file: Path) -> None:
    file.write_bytes(content)
    assert scan(file).encoding == encoding


def taken(file: Path, content: bytes, encoding: module.Encoding = "utf-8") -> tuple[list[bytes], bool, bool]:
    """The lines, whether the last has an end, whether they end oddly."""
    file.write_bytes(content)
    lines = Lines(file, encoding)
    blocks = list(lines)
    assert all(ended for _, ended in blocks[:-1])
    return [line for block, _ in blocks for line in block], not blocks or blocks[-1][1], lines.ends_oddly


@pytest.mark.parametrize("block", [1, 2, 3, 7, BLOCK])
@pytest.mark.parametrize(
    ("content", "lines", "ended", "oddly"),
    [
        (b"", [], True, False),
        (b"\xef\xbb\xbfa\nb\n", [b"a", b"b"], True, False),
        (b"a\nb", [b"a", b"b"], False, False),
        (b"a\r\nb\r\n", [b"a", b"b"], True, False),
        (b"a\rb\r", [b"a", b"b"], True, True),
        (b"a\r\nb\n", [b"a", b"b"], True, True),
        (b"a\nb\rc\n", [b"a", b"b", b"c"], True, True),
        (b"a\r\r\nb\n\r\n", [b"a", b"", b"b", b""], True, True),
        (b"\n\na", [b"", b"", b"a"], False, False),
        (b"a\r\nb", [b"a", b"b"], False, False),
    ],
)
def test_whatever_ends_a_line_ends_it_wherever_a_block_ends(
    block: int,
    content: bytes,
    lines: list[bytes],
    ended: bool,
    oddly: bool,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A byte order mark is whole in the first block of any true size.
    monkeypatch.setattr(module, "BLOCK", max(block, 3) if content.startswith(b"\xef") else block)
    assert taken(file, content) == (lines, ended, oddly)


@pytest.mark.parametrize("block", [2, 3, 5, BLOCK])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_becomes_utf_8(
    block: int, encoding: module.Encoding, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    content = "\ufeffa\r\né😀,漢\r\n".encode(encoding)
    expected = [b"a", "é😀,漢".encode()]
    if block != 3:
        assert taken(file, content, encoding) == (expected, True, False)
    assert taken(file, content[2:] + b"\0\xd8"[:: 1 if encoding == "utf-16-le" else -1], encoding) == (
        [*expected, "\ufffd".encode()],
        False,
        False,
    )


def test_a_line_of_any_length_is_cut_and_still_tells_that_it_was_too_long(file: Path) -> None:
    lines, ended, _ = taken(file, b"a\n" + b"x" * (5 * LONGEST) + b"\nb\n" + b"y" * (2 * LONGEST))
    assert [line[:1] for line in lines] == [b"a", b"x", b"b", b"y"]
    assert not ended
    assert all(LONGEST < len(lines[place]) <= LONGEST + BLOCK + 1 for place in (1, 3))


def test_the_first_line_is_taken_without_the_rest(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\n")
    assert Lines(file, "utf-8").first() == b"a,b"
    file.write_bytes(b"")
    assert Lines(file, "utf-8").first() is None


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (b"", [b""]),
        (b"a,,b", [b"a", b"", b"b"]),
        (b'"a","",b', [b"a", b"", b"b"]),
        (b'"a,b","c""d",""""', [b"a,b", b'c"d', b'"']),
        (b'5" pipe,a"b"', [b'5" pipe', b'a"b"']),
        (b' "a" ,  "b",c ', [b"a", b'  "b"', b"c "]),
        (b'"a" "b,c"  "",d', [b"a b,c  ", b"d"]),
    ],
)
def test_values_are_taken_apart_as_duckdb_does(line: bytes, values: list[bytes]) -> None:
    assert fields(line, b",") == (values, End.WHOLE)


@pytest.mark.parametrize(
    ("line", "end"),
    [
        (b'a,"b', End.OPEN),
        (b'a,"b,c,d', End.OPEN),
        (b'a,"b""', End.OPEN),
        (b'a,"', End.OPEN),
        (b'"a"b,c', End.BROKEN),
        (b'a,"b"\t,c', End.BROKEN),
        (b'"a" b,"c', End.BROKEN),
        (b'"a" "b" c,d', End.BROKEN),
    ],
)
def test_quotes_that_do_not_fit_are_told_apart(line: bytes, end: End) -> None:
    assert fields(line, b",")[1] is end


def test_a_line_is_utf_8_or_else_windows_1252() -> None:
    assert decoded("é€".encode()) == "é€"
    assert decoded("€é!".encode("cp1252") + b"\x81") == "€é!\ufffd"
