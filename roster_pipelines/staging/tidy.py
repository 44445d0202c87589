"""A tidied copy of a file that cannot be read as it is: one line per record, and a note of everything else.

Each line of the copy begins with the delivered line's number and is well-formed UTF-8 with the header's number of
values. What cannot be made so is noted by its line, and every other line is kept.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from roster_pipelines.oneroster.shape import SOURCED_ID
from roster_pipelines.staging.header import Header
from roster_pipelines.staging.lines import LONGEST, QUOTED, End, Lines, decoded, fields, is_blank

MOST_JOINED = 20
"""Lines that one record may be broken into; after an unclosed quote nothing further is looked at."""


@dataclass(frozen=True)
class Tidied:
    """What was done.

    Attributes:
        written: Records in the copy.
        dropped: Lines that are no record although they have content.
        windows_1252: Whether a line had to be decoded as Windows-1252.
    """

    written: int
    dropped: int
    windows_1252: bool


def tidy(lines: Lines, header: Header, copy: Path, notes: Path) -> Tidied:
    """Write the tidied copy of a file, and the notes.

    Args:
        lines: The file's lines.
        header: Its header, which is line 1.
        copy: Where to write the records: the line's number, then the values, with the header's separator.
        notes: Where to write the notes: line, rule and sourcedId, with commas.

    Returns:
        What was done.
    """
    with copy.open("wb") as records, notes.open("wb") as noted:
        tidier = _Tidier(header, records, noted)
        for block, ended in lines:
            tidier.take(block, ended)
        # Whatever waited for more lines to come is judged without them.
        tidier.take([], True, more=False)
        return Tidied(tidier.written, tidier.dropped, tidier.windows_1252)


class _Tidier:
    def __init__(self, header: Header, records: BinaryIO, notes: BinaryIO) -> None:
        self.written = 0
        self.dropped = 0
        self.windows_1252 = False
        self._records = records
        self._notes = notes
        self._separator = header.separator.encode()
        self._width = len(header.names)
        self._has_form = _form(self._separator, self._width).fullmatch
        # What begins a broken line may be the rest of any text: only what looks like an id and has a digit is one.
        known = header.names[0] == SOURCED_ID
        an_id = re.compile(rb'("?)([\w./-]{0,200}[0-9][\w./-]{0,50})\1' + re.escape(self._separator), re.ASCII)
        self._id_of = an_id.match if known else lambda _: None
        self._waiting: list[bytes] = []
        self._number = 1
        self._cut = False

    def take(self, lines: list[bytes], ended: bool, *, more: bool = True) -> None:
        """Take the next lines: write the good ones as they are, and judge each other one."""
        lines = self._waiting + self._clean(lines, ended)
        self._waiting, self._cut = [], self._cut or not ended
        if self._number == 1 and lines:
            lines.pop(0)
            self._number = 2
        between, separator, has_form = self._width - 1, self._separator, self._has_form
        odd = [
            place
            for place, line in enumerate(lines)
            if line.count(separator) != between or b'"' in line or len(line) > LONGEST
            if len(line) > LONGEST or not has_form(line)
        ]
        done = 0
        for place in odd:
            if place < done:
                continue
            self._write(lines[done:place])
            done = place
            taken = self._judge(lines, place, more)
            if not taken:
                self._waiting = lines[place:]
                return
            done += taken
        self._write(lines[done:])

    def _clean(self, lines: list[bytes], ended: bool) -> list[bytes]:
        """Take NUL bytes out and make everything UTF-8."""
        whole = b"\n".join(lines)
        if whole.isascii() and b"\0" not in whole:
            return lines
        first = self._number + len(self._waiting)
        cleaned: list[bytes] = []
        for number, line in enumerate(lines, start=first):
            if b"\0" in line:
                # Of a line that was cut for its length nothing is taken out, lest it pass for one that is not so long.
                line = line if len(line) > LONGEST else line.replace(b"\0", b"")
                self._note(number, "nul-bytes")
            cleaned.append(line if line.isascii() else self._as_utf_8(line, ended or number < first + len(lines) - 1))
        return cleaned

    def _as_utf_8(self, line: bytes, whole: bool) -> bytes:
        if len(line) > LONGEST:
            return line
        text = decoded(line).encode()
        if text != line and not whole and line.count(self._separator) < self._width - 1:
            # A row that was cut may have been cut within a character, which says nothing of the encoding.
            return line.decode(errors="replace").encode()
        self.windows_1252 = self.windows_1252 or text != line
        return text

    def _write(self, lines: list[bytes]) -> None:
        """Write good lines."""
        if lines:
            numbers = range(self._number, self._number + len(lines))
            record = b"%d" + self._separator + b"%b\n"
            self._records.write(b"".join(map(record.__mod__, zip(numbers, lines, strict=True))))
            self._number += len(lines)
            self.written += len(lines)

    def _judge(self, lines: list[bytes], place: int, more: bool) -> int:
        """Judge a line that is not plainly good; return how many lines were used, none to wait for further lines."""
        line = lines[place]
        if is_blank(line):
            self._note(self._number, "line-blank")
            self._number += 1
            return 1
        values, end = fields(line, self._separator) if len(line) <= LONGEST else ([], End.BROKEN)
        used = 1
        if end is End.OPEN:
            if more and not self._cut and place + MOST_JOINED > len(lines):
                return 0
            values, end, used = self._join(lines, place)
        values = self._without_rest(values)
        if end is End.WHOLE and len(values) == self._width:
            self._rewrite(values)
            if used > 1:
                self._note(self._number, "line-break-in-field")
            self._number += used
            return used
        last = self._cut and place + 1 == len(lines)
        self._drop(line, "row-truncated" if last and end is not End.BROKEN else "row-unreadable")
        return 1

    def _join(self, lines: list[bytes], place: int) -> tuple[list[bytes], End, int]:
        """Join a line with an open quote and the next ones, up to the one that closes it."""
        joined = lines[place]
        for used, line in enumerate(lines[place + 1 : place + MOST_JOINED], start=2):
            joined += b" " + line
            if len(joined) > LONGEST:
                break
            if b'"' in line:
                values, end = fields(joined, self._separator)
                if end is not End.OPEN:
                    return (values, end, used) if len(self._without_rest(values)) == self._width else ([], End.OPEN, 1)
        return [], End.OPEN, 1

    def _without_rest(self, values: list[bytes]) -> list[bytes]:
        """Take off empty values behind the last column, which DuckDB does not mind either."""
        while len(values) > self._width and not values[-1]:
            values.pop()
        return values

    def _rewrite(self, values: list[bytes]) -> None:
        """Write a record with every value in quotes, so that there are no two ways to read it."""
        row = self._separator.join(b'"' + value.replace(b'"', b'""') + b'"' for value in values)
        self._records.write(b"%d%b%b\n" % (self._number, self._separator, row))
        self.written += 1

    def _drop(self, line: bytes, rule: str) -> None:
        found = self._id_of(line)
        self._note(self._number, rule, found[2] if found else b"")
        self.dropped += 1
        self._number += 1

    def _note(self, number: int, rule: str, sourced_id: bytes = b"") -> None:
        self._notes.write(b"%d,%b,%b\n" % (number, rule.encode(), sourced_id))


def _form(separator: bytes, width: int) -> re.Pattern[bytes]:
    """What a line with so many values looks like where nobody can doubt it."""
    between = re.escape(separator)
    value = b"(?:" + QUOTED + rb'|[^"' + between + rb"]*+)"
    return re.compile(value + rb"(?:" + between + value + rb"){%d}" % (width - 1))
