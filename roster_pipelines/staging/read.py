"""Read one delivered CSV file into the staging database: every value as text, every row with its line.

DuckDB's sniffer is never asked: on a ragged file it may take a later line for the header and drop the rest in
silence. The header is read here and the dialect is pinned. A file that looks plain is loaded as it is; as a record
is at least one line, as many records as lines prove that each line is one. Whenever that is in doubt, a tidied copy is
loaded in its place, in which each record is one line and knows its number.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from roster_pipelines.duck import count, one
from roster_pipelines.findings import Finding, Severity
from roster_pipelines.oneroster.shape import Column, Table, Version
from roster_pipelines.staging.header import Header, match_header
from roster_pipelines.staging.lines import Lines, Scan, decoded, is_blank, scan
from roster_pipelines.staging.tidy import tidy


@dataclass(frozen=True)
class Loaded:
    """What was read of a file.

    Attributes:
        read: Rows with content below the header, counted without the parser; a field with line breaks makes its lines
            one row.
        readable: False where no row could be taken, for want of a header: `raw.<table>` is empty and all rows are lost.
        absent: The names of the columns that nothing could be read from, each found once and not to be told again.
        findings: About the file and its header.
    """

    read: int
    readable: bool
    absent: frozenset[str]
    findings: tuple[Finding, ...]


def load(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    version: Version,
    path: Path,
    scratch: Path,
    *,
    can_refuse: bool = True,
) -> Loaded:
    """Load a file into `raw.<table>`, and what is wrong with its lines into `line_finding`.

    `raw.<table>` has `_line`, the physical line of the delivered file on which the row begins (the header is line 1),
    and every stored column of the version as text. A blank value is NULL, and so is all of a column that the file
    lacks. Columns that are unknown, doubled or never to be stored are parsed and dropped. `line_finding` gets one row
    for each line and rule; of a line that is `row-unreadable` or `row-truncated` there is no row in `raw.<table>`, so
    that both together are what was read. A line break within a value becomes a blank.

    Args:
        con: The staging database, not in a transaction, with schema `raw` and the table
            `line_finding (file, line, rule, sourced_id)`.
        table: The standard's table.
        version: The delivery's version.
        path: The delivered file.
        scratch: A folder for a tidied copy, which is removed again.
        can_refuse: Whether what is wrong with the file may refuse the delivery. Otherwise it costs the file.

    Returns:
        What was read. An empty file is readable, and has no rows.
    """
    columns = [column for column in table.of(version) if column.stored]
    seen = scan(path)
    first = Lines(path, seen.encoding).first()
    if first is None:
        create_empty(con, table, version)
        return Loaded(0, True, frozenset(column.name for column in table.of(version)), ())
    header = match_header(decoded(first.replace(b"\0", b"")), table, version, can_refuse=can_refuse)
    if not header.readable:
        create_empty(con, table, version)
        return Loaded(_rows_lost(path, seen), False, header.absent, header.findings)
    source = _Source(con, table, columns, header)
    if seen.plain and source.load_plain(path, seen.lines - 1):
        read, about_file = seen.lines - 1, list[Finding]()
    else:
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            read, about_file = source.load_tidied(path, seen, Path(folder), "fatal" if can_refuse else "warning")
    if source.has_passwords():
        about_file.append(Finding("password-sent", "info", table.file))
    return Loaded(read, True, header.absent, (*about_file, *header.findings))


def create_empty(con: duckdb.DuckDBPyConnection, table: Table, version: Version) -> None:
    """Create `raw.<table>` for a file of which no row was read."""
    texts = ", ".join(f'"{column.name}" VARCHAR' for column in table.of(version) if column.stored)
    con.execute(f'CREATE TABLE raw."{table.name}" (_line BIGINT, {texts})')


def _rows_lost(path: Path, seen: Scan) -> int:
    """Count the lines with content below the first."""
    lines = (line for block, _ in Lines(path, seen.encoding) for line in block)
    next(lines)
    return sum(1 for line in lines if not is_blank(line))


class _Source:
    """A file with its header, on its way into `raw.<table>`."""

    def __init__(self, con: duckdb.DuckDBPyConnection, table: Table, columns: list[Column], header: Header) -> None:
        self.con = con
        self.table = table
        self.columns = columns
        self.header = header
        self.raw = f'raw."{table.name}"'
        self.passwords = [f"c{place}" for place, name in enumerate(header.names) if name == "password"]

    def load_plain(self, path: Path, lines: int) -> bool:
        """Load a file as it is; return whether each of its lines below the header is a row."""
        try:
            self._create(path, tidied=False)
        except duckdb.Error:
            # A row that does not parse, or line ends of several kinds; DuckDB's message would quote the row.
            return False
        rows, last = one(self.con, f"SELECT count(*), coalesce(max(rowid) + 1, 0) FROM {self.raw}")
        if not lines == rows == last:
            return False
        self.con.execute(f"UPDATE {self.raw} SET _line = rowid + 2")
        return True

    def load_tidied(self, path: Path, seen: Scan, folder: Path, worst: Severity) -> tuple[int, list[Finding]]:
        """Load a file's tidied copy; return how many rows were read and what is wrong with the file."""
        file = self.table.file
        lines = Lines(path, seen.encoding)
        copy, notes = folder / "records", folder / "notes"
        tidied = tidy(lines, self.header, copy, notes)
        self._create(copy, tidied=True)
        self.con.execute(
            f"""
            INSERT INTO line_finding (file, line, rule, sourced_id)
            SELECT '{file}', line, rule, coalesce(sourced_id, '')
            FROM read_csv(?, auto_detect = false, header = false, delim = ',', quote = '', escape = '',
                          columns = {{'line': 'BIGINT', 'rule': 'VARCHAR', 'sourced_id': 'VARCHAR'}})
            """,
            [str(notes)],
        )
        found = {
            "encoding-utf-16": seen.encoding != "utf-8",
            "encoding-windows-1252": tidied.windows_1252,
            "line-ends": lines.ends_oddly,
        }
        findings = [Finding(rule, "warning", file) for rule, is_so in found.items() if is_so]
        if count(self.con, self.raw) != tidied.written:
            findings.append(Finding("lines-lost", worst, file))
        return tidied.written + tidied.dropped, findings

    def has_passwords(self) -> bool:
        """Say whether a password was delivered, and forget in which rows."""
        if not self.passwords:
            return False
        found = count(self.con, self.raw, "_password") > 0
        self.con.execute(f"ALTER TABLE {self.raw} DROP COLUMN _password")
        return found

    def _create(self, path: Path, *, tidied: bool) -> None:
        """Create `raw.<table>` from the file, or from its tidied copy, where the line's number stands first."""
        names, absent = self.header.names, self.header.absent
        values = [
            f'NULL::VARCHAR AS "{column.name}"'
            if column.name in absent
            else f'c{names.index(column.name)} AS "{column.name}"'
            for column in self.columns
        ]
        if self.passwords:
            filled = " OR ".join(f"coalesce(trim({password}), '') <> ''" for password in self.passwords)
            values.append(f"({filled}) AS _password")
        types = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(names)))
        numbered = "'_line': 'BIGINT', " if tidied else ""
        self.con.execute(
            f"""
            CREATE OR REPLACE TABLE {self.raw} AS
            SELECT {"_line" if tidied else "NULL::BIGINT AS _line"}, {", ".join(values)}
            FROM read_csv(?, auto_detect = false, header = false, skip = {0 if tidied else 1}, ignore_errors = {tidied},
                          delim = '{self.header.separator}', quote = '"', escape = '"',
                          columns = {{{numbered}{types}}})
            """,
            [str(path)],
        )
