"""Read one delivered CSV file into the staging database: every value as text, every row with its line.

DuckDB's sniffer is never asked: on a ragged file it may take a later line for the header and drop the rest in
silence. The header is read here, the dialect is pinned, and rows that do not parse are kept apart by line.
"""

import csv
from pathlib import Path

import duckdb

from roster_pipelines.duck import count
from roster_pipelines.oneroster.standard import Table
from roster_pipelines.staging.findings import Finding

DIALECT = "auto_detect = false, header = false, skip = 1"

# A header longer than this is no header; it also bounds what a file without line ends costs.
MAX_HEADER_BYTES = 64 * 1024


class Unreadable(Exception):
    """The file cannot be read at all; carries the finding that says why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.rule)


def read_header(path: Path, file: str) -> list[str]:
    """Read a CSV file's column names.

    Args:
        path: The delivered file.
        file: The standard's name for it, for the finding.

    Returns:
        The names as delivered, in their order, without a byte order mark; none where the first line is blank.

    Raises:
        Unreadable: The first line is not UTF-8.
    """
    with path.open("rb") as stream:
        line = stream.readline(MAX_HEADER_BYTES)
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(Finding("encoding-unreadable", "fatal", file)) from None
    # A carriage return alone ends a line too, so that the whole file may have come as "the first line".
    first = text.rstrip("\r\n").partition("\r")[0]
    return [name.strip() for name in next(csv.reader([first]), [])]


def match_header(table: Table, delivered: list[str]) -> tuple[list[str], list[Finding]]:
    """Give each delivered column its standard name.

    Args:
        table: The standard's table.
        delivered: The header as delivered.

    Returns:
        One name per delivered column (unknown and doubled ones get a name that starts with `_`), and findings:
        fatal for a missing required column, warnings for the rest. An unknown column is told by its place: where a
        header was cut or lost, what stands there is a value of a person.

    Raises:
        Unreadable: It is no header of this table, such as a first row of data, or names parted by semicolons.
    """
    by_case = {column.name.lower(): column.name for column in table.columns}
    if len(delivered) < 2 or not any(header.lower() in by_case for header in delivered):
        raise Unreadable(Finding("header-missing", "fatal", table.file, line=1))
    names: list[str] = []
    findings: list[Finding] = []
    for position, header in enumerate(delivered):
        name = by_case.get(header.lower(), "")
        if not name:
            names.append(f"_unknown_{position}")
            if not header.startswith("metadata."):
                place = f"column {position + 1}"
                findings.append(Finding("column-unknown", "warning", table.file, line=1, column=place))
        elif name in names:
            names.append(f"_doubled_{position}")
            findings.append(Finding("column-doubled", "fatal", table.file, line=1, column=name))
        else:
            names.append(name)
            if header != name:
                findings.append(Finding("column-case", "warning", table.file, line=1, column=name))
    for column in table.columns:
        if column.name not in names:
            rule = "column-missing" if column.required else "column-absent"
            findings.append(
                Finding(rule, "fatal" if column.required else "warning", table.file, line=1, column=column.name)
            )
    return names, findings


def load(con: duckdb.DuckDBPyConnection, table: Table, path: Path, names: list[str]) -> int:
    """Load a file into `raw.<table>`, with `_line`, and its unparsable lines into `rejected.unreadable`.

    Columns that are unknown, doubled or never to be stored are parsed and dropped; columns of the standard that the
    file lacks are there and NULL. A blank value is NULL.

    Args:
        con: The staging database; schemas `raw` and `rejected` are there.
        table: The standard's table.
        path: The delivered file.
        names: One name per delivered column, from `match_header`.

    Returns:
        How many lines with content stand below the header, counted without parsing them: what read, accepted and
        rejected rows are held against.

    Raises:
        Unreadable: The file is not UTF-8, or its line ends are of several kinds.
    """
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    # PostgreSQL takes no NUL in a text.
    value = "replace({0}, chr(0), '') AS {0}" if has_nul(path) else "{0}"
    wanted = ", ".join(
        value.format(f'"{column.name}"') if column.name in names else f'NULL::VARCHAR AS "{column.name}"'
        for column in table.columns
        if column.stored
    )
    try:
        con.execute(
            f"""
            CREATE TEMP TABLE record AS
            SELECT row_number() OVER () AS _record, {wanted}
            FROM read_csv(?, {DIALECT}, delim = ',', quote = '"', escape = '"', columns = {{{columns}}},
                          store_rejects = true, rejects_table = 'unparsed', rejects_scan = 'unparsed_scan')
            """,
            [str(path)],
        )
        if count(con, "unparsed", "error_type = 'INVALID ENCODING'"):
            raise Unreadable(Finding("encoding-unreadable", "fatal", table.file))
        con.execute(
            f"""
            INSERT INTO rejected.unreadable
            SELECT '{table.file}', line::BIGINT, lower(min(error_type::VARCHAR)) FROM unparsed GROUP BY line
            """
        )
        filled = _find_gaps(con, table, path)
        con.execute(
            f"""
            CREATE TABLE raw."{table.name}" AS
            SELECT _record + 1 + coalesce(n, 0) AS _line, record.* EXCLUDE (_record)
            FROM record ASOF LEFT JOIN gap ON _record > records_before
            ORDER BY _record
            """
            if count(con, "gap")
            else f'CREATE TABLE raw."{table.name}" AS SELECT _record + 1 AS _line, * EXCLUDE (_record) FROM record'
        )
    except duckdb.InvalidInputException:
        # Whatever else is wrong with a row is among the rejects; DuckDB's message would quote the row.
        raise Unreadable(Finding("line-ends-mixed", "fatal", table.file)) from None
    finally:
        for temporary in ("record", "gap", "unparsed", "unparsed_scan"):
            con.execute(f"DROP TABLE IF EXISTS {temporary}")
    return filled


def _find_gaps(con: duckdb.DuckDBPyConnection, table: Table, path: Path) -> int:
    """Find the lines that are no records, blank or unreadable, and count the lines with content.

    Gives the temporary table `gap`: after `records_before` records, n lines without one have gone by. That makes
    every row's line exact as long as no field has a line break in it.
    """
    filled, blank = count_lines(path)
    con.execute(
        f"""
        CREATE TEMP TABLE gap AS
        WITH without_record AS (
            SELECT line, row_number() OVER (ORDER BY line) AS n
            FROM (SELECT unnest(?::BIGINT[]) AS line
                  UNION ALL SELECT line FROM rejected.unreadable WHERE file = '{table.file}')
        )
        SELECT line - 1 - n AS records_before, max(n) AS n FROM without_record GROUP BY ALL
        """,
        [blank],
    )
    return filled


def count_lines(path: Path) -> tuple[int, list[int]]:
    """Count the lines with content below the header, and list the numbers of the blank ones."""
    blank: list[int] = []
    number = 1
    # Every byte is a character of Latin-1, and CR, LF and CRLF all end a line.
    with path.open(encoding="latin-1") as lines:
        next(lines, None)
        for number, line in enumerate(lines, start=2):
            if line == "\n":
                blank.append(number)
    return number - 1 - len(blank), blank


def has_nul(path: Path) -> bool:
    """Say whether there is a NUL byte anywhere in a file."""
    with path.open("rb") as stream:
        return any(b"\0" in block for block in iter(lambda: stream.read(1 << 20), b""))
