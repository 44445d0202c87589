"""The findings of one staging database: true counts, the first lines, and what each comes from.

A finding that comes from another one (a class whose school was rejected) is derived: it points at its cause, never at
another derived finding, so that the few causes can be told apart from the many that follow.
"""

import duckdb

from roster_pipelines.duck import count, one
from roster_pipelines.findings import Cause, Finding, FindingCount, Severity
from roster_pipelines.staging.schema import RowRule

LISTED_PER_RULE = 100
"""Findings kept per rule and column: enough to work from, bounded when every row is wrong."""
LINES_NAMED = 5
"""Lines that a count names."""

_WHERE = 'rule VARCHAR, severity VARCHAR, file VARCHAR, "column" VARCHAR'
_CAUSE = "cause_rule VARCHAR, cause_file VARCHAR, cause_column VARCHAR, cause_line BIGINT"
LAYOUT = f"""
CREATE TABLE findings ({_WHERE}, line BIGINT, sourced_id VARCHAR, {_CAUSE});
CREATE TABLE finding_counts ({_WHERE}, count BIGINT, derived BIGINT);
CREATE TABLE reached (cause_rule VARCHAR, cause_file VARCHAR, cause_column VARCHAR, count BIGINT);
-- The ids of rows that were rejected, by the table that they are missing from, each with the one finding behind it.
CREATE TEMP TABLE lost (missing_from VARCHAR, sourced_id VARCHAR, {_CAUSE});
CREATE TEMP TABLE cut_short (missing_from VARCHAR, {_CAUSE});
"""

SEVERITY_OF_A_LINE: dict[str, Severity] = {
    "row-unreadable": "error",
    "row-truncated": "error",
    "line-blank": "info",
    "nul-bytes": "warning",
    "line-break-in-field": "warning",
}
"""How bad the rules are that reading a file finds in its lines."""

OF_COLUMNS = "rule IN ('header-missing', 'column-missing', 'column-doubled')"
"""The findings about a header for which nothing is read: from a column, or from the whole file."""


class Record:
    """Where a staging writes what it finds."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        con.execute(LAYOUT)

    def add(self, *findings: Finding) -> None:
        """Record findings about files, or single ones about a line."""
        for f in findings:
            behind = self._behind(f.caused_by)
            self._con.execute(
                "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [f.rule, f.severity, f.file, f.column, f.line, f.sourced_id, *behind],
            )
            where = [f.rule, f.severity, f.file, f.column]
            self._con.execute("INSERT INTO finding_counts VALUES (?, ?, ?, ?, 1, ?)", [*where, int(any(behind))])
            if any(behind):
                self._con.execute("INSERT INTO reached VALUES (?, ?, ?, 1)", behind[:3])

    def _behind(self, cause: Cause | None) -> list[object]:
        """Find a recorded cause: rule, file, column, line; NULL each where there is none."""
        if cause is None:
            return [None] * 4
        where = "rule = ? AND file = ? AND line IS NOT DISTINCT FROM ?"
        found = self._con.execute(
            f'SELECT rule, file, "column", line FROM findings WHERE {where} LIMIT 1',
            [cause.rule, cause.file, cause.line],
        ).fetchall()
        return list(found[0]) if found else [cause.rule, cause.file, "", cause.line]

    def cause_of_all(self, file: str) -> Cause | None:
        """Find what is behind the errors of a file, where none of them stands by itself."""
        (own,) = one(
            self._con,
            "SELECT coalesce(sum(count - derived), 0) FROM finding_counts WHERE file = ? AND severity = 'error'",
            [file],
        )
        rows = self._con.execute(
            """
            SELECT cause_rule, cause_file, cause_line FROM findings
            WHERE file = ? AND severity = 'error' AND cause_rule IS NOT NULL GROUP BY ALL ORDER BY count(*) DESC LIMIT 1
            """,
            [file],
        ).fetchall()
        return Cause(*rows[0]) if rows and not own else None

    def refused(self, file: str) -> bool:
        """Say whether something fatal was found about a file."""
        return bool(one(self._con, "SELECT count(*) FROM findings WHERE file = ? AND severity = 'fatal'", [file])[0])

    def lines(self, file: str) -> None:
        """Record what reading a file found in its lines, from `line_finding`."""
        for (rule,) in self._con.execute(
            "SELECT DISTINCT rule FROM line_finding WHERE file = ? ORDER BY rule", [file]
        ).fetchall():
            rows = f"SELECT line AS _line, sourced_id FROM line_finding WHERE file = '{file}' AND rule = '{rule}'"
            self._failing(RowRule(rule, SEVERITY_OF_A_LINE[rule], "", lambda _: None), file, rows, "")

    def rows(self, rule: RowRule, file: str, failing: str, items: str = "") -> None:
        """Record the rows that fail a rule.

        Args:
            rule: The rule.
            file: The standard's name of the file.
            failing: SQL that gives the failing rows, with `_line` and `sourcedId`.
            items: SQL that gives from such a row the ids that it refers to, as a list; for a rule that refers.
        """
        self._failing(rule, file, f'SELECT *, "sourcedId" AS sourced_id FROM ({failing})', items)

    def broken(self) -> str:
        """The SQL that gives the rows recorded last: `_line` and the cause, NULL where the row is its own."""
        return "SELECT _line, cause_rule, cause_file, cause_column, cause_line FROM failing"

    def _failing(self, rule: RowRule, file: str, rows: str, items: str) -> None:
        where = [rule.rule, rule.severity, file, rule.column]
        self._con.execute(f"CREATE OR REPLACE TEMP TABLE failing AS {_with_cause(rule, file, rows, items)}")
        self._con.execute(
            "INSERT INTO finding_counts SELECT ?, ?, ?, ?, count(*), count(cause_rule) FROM failing", where
        )
        self._con.execute(
            f"""
            INSERT INTO findings
            SELECT ?, ?, ?, ?, nullif(_line, 0), coalesce(sourced_id, ''),
                   cause_rule, cause_file, cause_column, cause_line
            FROM failing ORDER BY _line LIMIT {LISTED_PER_RULE}
            """,
            where,
        )
        self._con.execute(
            """
            INSERT INTO reached
            SELECT cause_rule, cause_file, cause_column, count(*) FROM failing WHERE cause_rule IS NOT NULL GROUP BY ALL
            """
        )


def _with_cause(rule: RowRule, file: str, rows: str, items: str) -> str:
    if rule.rule == "value-missing":
        # Where the column is missing, so is every value.
        return f"""
            SELECT _line, sourced_id, cause_rule, cause_file, cause_column, cause_line FROM ({rows}) LEFT JOIN (
                SELECT rule AS cause_rule, file AS cause_file, "column" AS cause_column, line AS cause_line
                FROM findings WHERE file = '{file}' AND "column" = '{rule.column}' AND {OF_COLUMNS} LIMIT 1) ON true
            """
    if not rule.refers_to:
        nothing = "NULL::VARCHAR AS cause_rule, NULL::VARCHAR AS cause_file, NULL::VARCHAR AS cause_column"
        return f"SELECT _line, sourced_id, {nothing}, NULL::BIGINT AS cause_line FROM ({rows})"
    # What is missing may have been rejected, or never read because its file ends too early.
    return f"""
        WITH failing_row AS ({rows}),
        found AS (
            SELECT r._line, r.sourced_id, min_by(l, l.cause_line) AS l
            FROM (SELECT _line, sourced_id, unnest({items}) AS item FROM failing_row) r
            JOIN lost l ON l.missing_from = '{rule.refers_to}' AND l.sourced_id = r.item
            GROUP BY ALL
        )
        SELECT r._line, r.sourced_id, {
        ", ".join(
            f"coalesce(found.l.{name}, cut_short.{name}) AS {name}"
            for name in ("cause_rule", "cause_file", "cause_column", "cause_line")
        )
    }
        FROM failing_row r LEFT JOIN found USING (_line, sourced_id)
        LEFT JOIN cut_short ON cut_short.missing_from = '{rule.refers_to}'
        """


def counts(con: duckdb.DuckDBPyConnection) -> tuple[FindingCount, ...]:
    """Read the true counts back, the most severe and the most frequent first."""
    rows = con.execute(
        f"""
        SELECT rule, severity, file, "column", count, derived, coalesce(reach, 0), coalesce(lines, [])
        FROM (SELECT rule, severity, file, "column", sum(count)::BIGINT AS count, sum(derived)::BIGINT AS derived
              FROM finding_counts GROUP BY rule, severity, file, "column")
        LEFT JOIN (SELECT cause_rule AS rule, cause_file AS file, cause_column AS "column", sum(count)::BIGINT AS reach
                   FROM reached GROUP BY ALL) USING (rule, file, "column")
        LEFT JOIN (SELECT rule, severity, file, "column", list(line ORDER BY line)[:{LINES_NAMED}] AS lines
                   FROM findings WHERE line IS NOT NULL GROUP BY rule, severity, file, "column")
            USING (rule, severity, file, "column")
        ORDER BY list_position(['fatal', 'error', 'warning', 'info'], severity), count DESC, rule, file, "column"
        """
    ).fetchall()
    return tuple(
        FindingCount(rule, severity, file, column, n, derived, reach, tuple(lines))
        for rule, severity, file, column, n, derived, reach, lines in rows
    )


def listed(con: duckdb.DuckDBPyConnection) -> tuple[Finding, ...]:
    """Read the listed findings back: by severity, file and line."""
    rows = con.execute(
        """
        SELECT rule, severity, file, line, "column", sourced_id, cause_rule, cause_file, cause_line FROM findings
        ORDER BY list_position(['fatal', 'error', 'warning', 'info'], severity), file, line NULLS FIRST, rule, "column"
        """
    ).fetchall()
    return tuple(
        Finding(rule, severity, file, line, column, sourced_id, Cause(*cause) if cause[0] else None)
        for rule, severity, file, line, column, sourced_id, *cause in rows
    )


def lost(con: duckdb.DuckDBPyConnection, name: str) -> int:
    """Count the rows of a file that could not be read as rows."""
    return count(con, "line_finding", f"file = '{name}' AND rule IN ('row-unreadable', 'row-truncated')")
