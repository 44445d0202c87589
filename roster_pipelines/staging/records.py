"""Read one table of a delivery that was pulled from an API: the texts that a CSV would hold, each with its record.

The files are our own, one record a line, but what is in the records is the district's: a record that is no object, or
a value of another kind, costs that row or value and nothing else.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb
import zstandard

from roster_pipelines.duck import count
from roster_pipelines.findings import Finding
from roster_pipelines.oneroster import rest
from roster_pipelines.oneroster.shape import SOURCED_ID, Table, Version
from roster_pipelines.staging.read import Loaded, create_empty

_BLOCK_BYTES = 1 << 18
_BITS = 24
"""Of a row's number that tell it from other rows of its record: DuckDB takes records of up to 16 MiB."""


def load(con: duckdb.DuckDBPyConnection, table: Table, version: Version, path: Path, *, can_refuse: bool) -> Loaded:
    """Load the rows of a table from its collection's file into `raw.<table>`, which is as `read.load` makes it.

    `_line` is the record's position, the first is 1. Rows that are items of a list have numbers of their own meanwhile,
    as the rules tell rows apart by `_line`; `name_records` puts the position in its place. What a list says twice is
    read once. A record that is to be deleted has no items.

    Args:
        con: The staging database, not in a transaction, with schema `raw`.
        table: One that has a `rest.source`.
        version: The API's version.
        path: The collection's file.
        can_refuse: As in `read.load`.

    Returns:
        What was read. Nothing is told of a key that no record has; of a file that is damaged no row is taken.
    """
    of = rest.in_lists(table)
    raw = f'raw."{table.name}"'
    try:
        lines = _lines(path)
        con.execute(rest.MACROS)
        query = _items(table, version, of) if of else _records(table, version)
        con.execute(f"CREATE TABLE {raw} AS {query}", [str(path)])
    except (zstandard.ZstdError, duckdb.IOException, duckdb.InvalidInputException):
        # DuckDB's message would quote the record.
        create_empty(con, table, version)
        return Loaded(0, False, frozenset(), (Finding("lines-lost", "fatal" if can_refuse else "warning", table.file),))
    # Of items nothing is told about what they do not have themselves.
    return (
        Loaded(count(con, raw), True, frozenset(rest.OF_THE_RECORD), ()) if of else Loaded(lines, True, frozenset(), ())
    )


def name_records(con: duckdb.DuckDBPyConnection, tables: Iterable[Table]) -> None:
    """Let what was found in items of lists name their records, once nothing has to be told apart any more.

    Args:
        con: Holds `main.<table>`, `rejected.<table>` and `findings`.
        tables: All that were read; those whose rows are records stay as they are.
    """
    for table in tables:
        of = rest.in_lists(table)
        if of is None:
            continue
        con.execute(
            f"""
            UPDATE findings SET sourced_id = o.id FROM (
                SELECT _line, "{of.owner}" AS id FROM main."{table.name}" WHERE _delivery IS NULL
                UNION ALL SELECT _line, tidy("{of.owner}") FROM rejected."{table.name}") o
            WHERE file = '{table.file}' AND line = o._line;
            UPDATE findings SET line = line >> {_BITS} WHERE file = '{table.file}';
            UPDATE findings SET cause_line = cause_line >> {_BITS} WHERE cause_file = '{table.file}';
            UPDATE main."{table.name}" SET _line = _line >> {_BITS} WHERE _delivery IS NULL;
            UPDATE rejected."{table.name}" SET _line = _line >> {_BITS};
            """
        )


def _lines(path: Path) -> int:
    """Count the lines without DuckDB, which takes a file that is cut short for one that ends there.

    Raises:
        ZstdError: The file is damaged or cut short.
    """
    lines, frame = 0, None
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            while block:
                if frame is None or frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                lines += frame.decompress(block).count(b"\n")
                block = frame.unused_data
    if frame is not None and not frame.eof:
        raise zstandard.ZstdError("the file ends in the middle of a frame")
    return lines


def _read_json(table: Table, version: Version) -> str:
    keys = ", ".join(f"'{key}': '{kind}'" for key, kind in rest.keys(table, version).items())
    return f"""
        read_json(?, format = 'newline_delimited', compression = 'zstd', ignore_errors = true, columns = {{{keys}}})
        """


def _records(table: Table, version: Version) -> str:
    values = ", ".join(f'{sql} AS "{name}"' for name, sql in rest.values(table, version).items())
    return f"SELECT row_number() OVER () AS _line, {values} FROM {_read_json(table, version)}"


def _items(table: Table, version: Version, of: rest.Source) -> str:
    """Write the SQL of rows that are items of lists; the id is made of what tells them apart, so that it stays."""
    values = rest.values(table, version)
    known_by = ", ".join(f"coalesce(trim(\"{name}\"), '')" for name in (of.owner, *of.known_by))
    return f"""
        WITH record AS (
            SELECT row_number() OVER () AS _position, * FROM {_read_json(table, version)}
        ),
        entry AS (
            SELECT * EXCLUDE ("{of.list}"), unnest(items_of("{of.list}")) AS item,
                   generate_subscripts(items_of("{of.list}"), 1) AS _place
            FROM record WHERE trim("{SOURCED_ID}") <> ''
            AND coalesce(lower(trim(status)), '') NOT IN ('tobedeleted', 'inactive')
        ),
        entry_once AS (
            SELECT _position, min(_place) AS _place, status, "dateLastModified",
                   {", ".join(f'{sql} AS "{name}"' for name, sql in values.items())}
            FROM entry WHERE item::VARCHAR NOT IN ('null', '""', '{{}}') GROUP BY ALL
        ),
        known AS (
            SELECT *, (_position << {_BITS}) + _place AS _line, md5(concat_ws(chr(31), {known_by})) AS _id
            FROM entry_once
        )
        SELECT _line,
               if(row_number() OVER again = 1, _id, md5(concat(_id, row_number() OVER again))) AS "{SOURCED_ID}",
               as_text(status) AS status, as_text("dateLastModified") AS "dateLastModified",
               {", ".join(f'"{name}"' for name in values)}
        FROM known WINDOW again AS (PARTITION BY _id ORDER BY _line) ORDER BY _line
        """
