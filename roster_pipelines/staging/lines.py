"""The lines of a delivered file, whatever its encoding and line ends, and the values of a line.

A delivered line is what ends in CRLF, LF or a carriage return alone, as in an editor; the header is line 1. Everything
here works on blocks of bytes, so that a file costs little more than reading it, and memory stays bounded even where a
file is one line.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal

Encoding = Literal["utf-8", "utf-16-le", "utf-16-be"]

BLOCK = 1 << 18
LONGEST = 900_000
"""Bytes that a line may have; longer ones are cut. DuckDB takes 2 MB, and quoting may double a line."""

_UTF_8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Scan:
    """What can be said of a file without telling its lines apart.

    Attributes:
        encoding: UTF-8, which stands for Windows-1252 too, or one of the two UTF-16.
        lines: Its lines, the header too; meaningless unless `plain`.
        plain: Nothing stands against reading it as it is: valid UTF-8 without NUL bytes, no endless line, and as many
            line feeds as carriage returns or no carriage return at all.
    """

    encoding: Encoding
    lines: int
    plain: bool


def scan(path: Path) -> Scan:
    """Look through a file's bytes once, until something is found that must be tidied."""
    with path.open("rb", buffering=0) as stream:
        block = stream.read(BLOCK)
        encoding = _encoding(block[:64])
        decoder = codecs.getincrementaldecoder("utf-8")()
        feeds = returns = 0
        last = b""
        plain = encoding == "utf-8"
        while block and plain:
            found = block.count(b"\n")
            feeds += found
            if b"\r" in block:
                returns += block.count(b"\r")
            # The only place where a block says that a line may be longer than it.
            plain = (found > 0 or len(block) < BLOCK) and b"\0" not in block and _decodes(decoder, block)
            last = block[-1:]
            block = stream.read(BLOCK)
        # DuckDB itself refuses a carriage return without a line feed anywhere but at the file's end.
        plain = plain and returns in (0, feeds) and last != b"\r" and not decoder.getstate()[0]
    return Scan(encoding, feeds + (last not in (b"", b"\n")), plain)


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes) -> bool:
    if block.isascii() and not decoder.getstate()[0]:
        return True
    try:
        decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True


def _encoding(start: bytes) -> Encoding:
    """Tell UTF-16 by its mark, or by the NUL that is every other byte of a header in English."""
    if start.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if start.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    even, odd = start[::2], start[1::2]
    if odd and odd.count(0) >= 0.8 * len(odd) and not even.count(0):
        return "utf-16-le"
    if even and even.count(0) >= 0.8 * len(even) and not odd.count(0):
        return "utf-16-be"
    return "utf-8"


class Lines:
    """A file's lines, in UTF-8 as far as the file is, without their ends and without a byte order mark.

    Iterating gives them in lists, each with whether its last line has an end; only the file's last may have none.
    """

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self._path = path
        self._encoding = encoding
        self._kinds = dict.fromkeys(("CRLF", "LF", "CR"), 0)

    @property
    def ends_oddly(self) -> bool:
        """Whether the lines gone by end in carriage returns alone, or in several ways."""
        return self._kinds["CR"] > 0 or (self._kinds["CRLF"] > 0 and self._kinds["LF"] > 0)

    def __iter__(self) -> Iterator[tuple[list[bytes], bool]]:
        rest = b""
        for block in self._blocks():
            lines = (rest + block).split(b"\n")
            # What is over the longest line is dropped, so that the rest never grows; its length still tells of it.
            rest = lines.pop()[: LONGEST + 1]
            if lines:
                yield lines, True
        if rest:
            yield [rest], False

    def first(self) -> bytes | None:
        """The first line; None where the file is empty."""
        return next((lines[0] for lines, _ in self), None)

    def _blocks(self) -> Iterator[bytes]:
        """The file's bytes with every line end as LF."""
        held = b""
        for block in self._decoded():
            text = held + block
            # Whether a carriage return is a line end alone is known with the next byte only.
            held = b"\r" if text.endswith(b"\r") else b""
            yield self._with_feeds(text[:-1] if held else text)
        if held:
            yield self._with_feeds(held)

    def _with_feeds(self, text: bytes) -> bytes:
        returns = text.count(b"\r") if b"\r" in text else 0
        with_feeds = text.replace(b"\r\n", b"\n")
        both = len(text) - len(with_feeds)
        self._kinds["CRLF"] += both
        self._kinds["CR"] += returns - both
        self._kinds["LF"] += with_feeds.count(b"\n") - both
        return with_feeds.replace(b"\r", b"\n")

    def _decoded(self) -> Iterator[bytes]:
        """The file's bytes, UTF-16 as UTF-8, without a byte order mark."""
        decoder = codecs.getincrementaldecoder(self._encoding)("replace")
        with self._path.open("rb") as stream:
            mark = _UTF_8_MARK
            while block := stream.read(BLOCK):
                if self._encoding != "utf-8":
                    block = decoder.decode(block).encode()
                yield block.removeprefix(mark)
                mark = b""
            if self._encoding != "utf-8":
                yield decoder.decode(b"", final=True).encode()


QUOTED = rb'"[^"]*+(?:""[^"]*+)*+"'
"""A value in quotes, as a regular expression."""

_QUOTED_PART = re.compile(QUOTED)
_QUOTED_PARTS = re.compile(QUOTED + rb"(?: +" + QUOTED + rb")*+")


class End(Enum):
    """How the values of a line end."""

    WHOLE = "every quote is closed"
    OPEN = "the last value's quote is not closed"
    BROKEN = "something follows a closing quote"


def fields(line: bytes, separator: bytes) -> tuple[list[bytes], End]:
    """Take a line's values apart as RFC 4180 says, and as DuckDB does.

    DuckDB allows quotes within text that has none around it, one blank before quotes, any number after them, and
    several quoted parts with blanks between them as one value. A file must not read otherwise for having been tidied.

    Args:
        line: One line or several, without a line end at its end.
        separator: What stands between values.

    Returns:
        The values, without their quotes, and how they end; only with `End.WHOLE` they are all.
    """
    if b'"' not in line:
        return line.split(separator), End.WHOLE
    values: list[bytes] = []
    pieces = iter(line.split(separator))
    for piece in pieces:
        if not piece.startswith((b'"', b' "')):
            values.append(piece)
            continue
        # A value goes on behind a separator as long as the number of its quotes is odd.
        quoted, quotes = [piece], piece.count(b'"')
        while quotes % 2:
            more = next(pieces, None)
            if more is None:
                return values, End.OPEN
            quoted.append(more)
            quotes += more.count(b'"')
        text = separator.join(quoted).strip(b" ")
        if not _QUOTED_PARTS.fullmatch(text):
            return values, End.BROKEN
        values.append(_QUOTED_PART.sub(lambda part: part[0][1:-1].replace(b'""', b'"'), text))
    return values, End.WHOLE


def decoded(line: bytes) -> str:
    """Decode a line: UTF-8, or else Windows-1252 with U+FFFD for the bytes that have no meaning there."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def is_blank(line: bytes) -> bool:
    """Say whether a line has nothing in it: 1A is the end-of-file mark of DOS."""
    return not line.strip(b" \t\0\x1a")
