"""Set the rows apart that the product cannot use, and remember what will be missed for it."""

import duckdb
import ibis.expr.types as ir

from roster_pipelines.duck import count
from roster_pipelines.oneroster.shape import SOURCED_ID, Table
from roster_pipelines.staging.record import OF_COLUMNS, Record, lost
from roster_pipelines.staging.schema import RowRule, failing_rows

TEACHER = "teacher of"
"""What a class is missing when its teacher's enrollment was rejected."""


def reject(con: duckdb.DuckDBPyConnection, record: Record, table: Table, failed: list[RowRule], raw: ir.Table) -> None:
    """Record every rule that fails in a raw table, and put the rows that an `error` makes unusable aside.

    Gives `rejected.<table>`: the delivered texts, and the names of the rules that they broke.

    Args:
        con: Holds `raw.<table>`.
        record: Where findings go.
        table: The standard's table.
        failed: The rules that fail somewhere.
        raw: The raw table.
    """
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE broken (
            _line BIGINT, name VARCHAR, rule VARCHAR, "column" VARCHAR,
            cause_rule VARCHAR, cause_file VARCHAR, cause_column VARCHAR, cause_line BIGINT)
        """
    )
    # Of two rows with one id the first that is not rejected for something else counts: so this comes last.
    for rule in sorted(failed, key=lambda rule: rule.rule == "id-doubled"):
        rows = _later_rows_of_an_id(table) if rule.rule == "id-doubled" else failing_rows(rule, raw)
        name = rule.refers_by or rule.column
        column = next((c for c in table.columns if c.name == name), None)
        items = f'items("{name}")' if column and column.many else f'[tidy("{name}")]'
        record.rows(rule, table.file, rows, items)
        if rule.severity == "error":
            con.execute(
                f"INSERT INTO broken SELECT _line, ?, ?, ?, cause_rule, cause_file, cause_column, cause_line "
                f"FROM ({record.broken()})",
                [rule.name, rule.rule, rule.column],
            )
    rejects_rows = any(rule.severity == "error" for rule in failed) or lost(con, table.file)
    if not rejects_rows and count(con, f'raw."{table.name}"'):
        con.execute(
            f'CREATE TABLE rejected."{table.name}" AS SELECT *, []::VARCHAR[] AS rules FROM raw."{table.name}" LIMIT 0'
        )
        return
    con.execute(
        f"""
        CREATE TABLE rejected."{table.name}" AS
        SELECT r.*, b.rules FROM raw."{table.name}" r
        JOIN (SELECT _line, list(name ORDER BY name) AS rules FROM broken GROUP BY _line) b USING (_line) ORDER BY _line
        """
    )
    _remember(con, table)


def _later_rows_of_an_id(table: Table) -> str:
    return f"""
        SELECT * EXCLUDE (_id) FROM (
            SELECT *, whole("sourcedId") AS _id FROM raw."{table.name}"
        ) WHERE _id IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY _id ORDER BY _line IN (SELECT _line FROM broken), _line) > 1
        """


def _remember(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Note the lost ids, each with the one finding behind it: the row's own error, or where all are derived, theirs."""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE root AS
        WITH behind AS (
            SELECT _line, true AS derived, cause_rule, cause_file, cause_column, cause_line
            FROM broken WHERE cause_rule IS NOT NULL
            UNION ALL SELECT _line, false, rule, '{table.file}', "column", _line FROM broken WHERE cause_rule IS NULL
        )
        SELECT * EXCLUDE (derived) FROM behind
        QUALIFY row_number() OVER (PARTITION BY _line ORDER BY derived, cause_line, cause_rule) = 1
        """
    )
    _lose(con, table, table.name, SOURCED_ID, "true")
    if table.name == "enrollments":
        _lose(con, table, TEACHER, "classSourcedId", "lower(tidy(role)) = 'teacher'")
    con.execute(
        f"""
        INSERT INTO cut_short SELECT '{table.name}', rule, file, '', line FROM line_finding
        WHERE file = '{table.file}' AND rule = 'row-truncated';
        INSERT INTO cut_short SELECT '{table.name}', rule, file, "column", line FROM findings
        WHERE file = '{table.file}' AND {OF_COLUMNS} AND (SELECT count(*) FROM raw."{table.name}") = 0
        AND '{table.name}' NOT IN (SELECT missing_from FROM cut_short) LIMIT 1
        """
    )


def _lose(con: duckdb.DuckDBPyConnection, table: Table, missing_from: str, column: str, where: str) -> None:
    unreadable = f"""
        UNION ALL SELECT sourced_id, rule, file, '', line FROM line_finding
        WHERE file = '{table.file}' AND rule IN ('row-unreadable', 'row-truncated') AND sourced_id <> ''
        """
    con.execute(
        f"""
        INSERT INTO lost
        SELECT ?, * FROM (
            SELECT tidy("{column}") AS id, cause_rule, cause_file, cause_column, cause_line
            FROM rejected."{table.name}" JOIN root USING (_line) WHERE {where}
            {unreadable if column == SOURCED_ID else ""})
        WHERE id IS NOT NULL QUALIFY row_number() OVER (PARTITION BY id ORDER BY cause_line) = 1
        """,
        [missing_from],
    )
