"""Build the staging database of one delivery: read, check, set the failing rows apart, and say what was found.

The file's inside, for a person with the `duckdb` shell: `raw.<table>` every row that parsed, as text, with its line;
`main.<table>` the accepted rows, typed (a view); `rejected.<table>` the others with the rules they broke;
`rejected.unreadable` the lines that did not parse; `findings`, at most 100 per rule and column, and `finding_counts`,
the true counts; `tables`, one row per table.
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir

from roster_pipelines.duck import count, one
from roster_pipelines.oneroster import manifest as manifests
from roster_pipelines.oneroster.standard import IGNORED, NEVER_STORED, TABLES, Registration, Table
from roster_pipelines.staging import read
from roster_pipelines.staging.findings import Finding, FindingCount
from roster_pipelines.staging.rules import RowRule, rules_for
from roster_pipelines.staging.schema import failing
from roster_pipelines.staging.summary import Summary, TableCounts, Verdict
from roster_pipelines.staging.typed import accepted_view

LISTED_PER_RULE = 100
"""Findings kept per rule and column: enough to work from, bounded when every row is wrong."""
LINES_NAMED = 5
"""Lines that a summary names per rule and column."""


def build(
    files: Mapping[str, Path], left_out: Mapping[str, str], database: Path, registration: Registration
) -> Summary:
    """Read a delivery's files into a new staging database.

    Args:
        files: Delivered files by the standard's name (`users.csv`).
        left_out: Names of files that were not taken, each with the rule that says why.
        database: Where to write; the file must not be there yet.
        registration: How the district's teachers get access, which decides what is required.

    Returns:
        The verdict and the counts. After a refusal the file holds what was found so far.
    """
    with duckdb.connect(str(database)) as con:
        con.execute("SET preserve_insertion_order = true")
        con.execute(_LAYOUT)
        _Staging(con, files, registration).run(left_out)
        return summary(con)


_LAYOUT = """
CREATE SCHEMA raw; CREATE SCHEMA rejected;
CREATE TABLE rejected.unreadable (file VARCHAR, line BIGINT, reason VARCHAR);
CREATE TABLE findings (
    rule VARCHAR, severity VARCHAR, file VARCHAR, line BIGINT, "column" VARCHAR, sourced_id VARCHAR);
CREATE TABLE finding_counts (rule VARCHAR, severity VARCHAR, file VARCHAR, "column" VARCHAR, count BIGINT);
CREATE TABLE tables (name VARCHAR, read BIGINT, accepted BIGINT, rejected BIGINT);
"""


def summary(con: duckdb.DuckDBPyConnection) -> Summary:
    """Read a staging database's verdict and counts back."""
    tables = {name: TableCounts(*counts) for name, *counts in con.execute("FROM tables").fetchall()}
    findings = tuple(
        FindingCount(rule, severity, file, column, count, tuple(lines))
        for rule, severity, file, column, count, lines in con.execute(
            f"""
            SELECT rule, severity, file, "column", count, coalesce(lines, [])
            FROM (SELECT rule, severity, file, "column", sum(count)::BIGINT AS count
                  FROM finding_counts GROUP BY rule, severity, file, "column")
            LEFT JOIN (SELECT rule, severity, file, "column", list(line ORDER BY line)[:{LINES_NAMED}] AS lines
                       FROM findings WHERE line IS NOT NULL GROUP BY rule, severity, file, "column")
                USING (rule, severity, file, "column")
            ORDER BY list_position(['fatal', 'error', 'warning', 'info'], severity), count DESC, rule, file, "column"
            """
        ).fetchall()
    )
    severities = {f.severity for f in findings}
    verdict: Verdict = (
        "refused"
        if "fatal" in severities
        else "accepted_with_findings"
        if severities & {"error", "warning"}
        else "accepted"
    )
    return Summary(verdict, tables, findings)


class _Staging:
    """One delivery's way through the stages; each table's accepted rows are what later tables refer to."""

    def __init__(self, con: duckdb.DuckDBPyConnection, files: Mapping[str, Path], registration: Registration) -> None:
        self.con = con
        self.files = files
        self.registration = registration
        self.ibis = ibis.duckdb.from_connection(con)
        self.accepted: dict[str, ir.Table] = {}

    def run(self, left_out: Mapping[str, str]) -> None:
        for name, rule in left_out.items():
            self._find(Finding(rule, "info" if rule in ("file-never-stored", "file-not-used") else "warning", name))
        manifest = self._manifest()
        for table in TABLES.values():
            mode = manifest.modes.get(table.name, "bulk")
            path = self.files.get(table.file)
            if path is not None and mode == "absent":
                self._find(Finding("file-declared-absent", "warning", table.file))
                path = None
            if path is None and manifest.modes.get(table.name) in ("bulk", "delta"):
                self._find(Finding("file-missing", "fatal", table.file))
            if path is not None and mode == "delta":
                self._find(Finding("delta-unsupported", "fatal", table.file))
            self._table(table, path)

    def _manifest(self) -> manifests.Manifest:
        path = self.files.get("manifest.csv")
        if path is None:
            self._find(Finding("manifest-missing", "warning", "manifest.csv"))
            return manifests.NO_MANIFEST
        try:
            manifest = manifests.parse(path.read_text("utf-8-sig"))
        except UnicodeDecodeError:
            self._find(Finding("encoding-unreadable", "fatal", "manifest.csv"))
            return manifests.NO_MANIFEST
        if manifest.version != "1.1":
            self._find(Finding("version-unsupported", "fatal", "manifest.csv"))
        for name in manifest.unreadable:
            # Only a file that is read matters, and only the standard's names are repeated.
            if name in TABLES:
                self._find(Finding("manifest-value", "fatal", "manifest.csv", column=f"file.{name}"))
            elif name in (*IGNORED, NEVER_STORED):
                self._find(Finding("manifest-value", "warning", "manifest.csv", column=f"file.{name}"))
        return manifest

    def _table(self, table: Table, path: Path | None) -> None:
        lines, readable = self._load(table, path)
        parsed = count(self.con, f'raw."{table.name}"')
        unreadable = count(self.con, "rejected.unreadable", f"file = '{table.file}'")
        rows = parsed + unreadable
        if rows == 0 and readable and table.needs_data(self.registration) and not self._refused(table):
            self._find(Finding("file-missing" if path is None else "file-empty", "fatal", table.file))
        if lines != rows and readable:
            self._find_lines_lost(table)
        if unreadable:
            self._find_unreadable(table)
        raw = self.ibis.table(table.name, database="raw")
        rules = self._rules(table)
        # In a table without rows every check fails: all() of nothing is NULL.
        self._reject(table, failing(table, rules, raw) if parsed else [], raw)
        self.con.execute(accepted_view(table))
        accepted = count(self.con, f'main."{table.name}"')
        if rows:
            self.accepted[table.name] = self.ibis.table(table.name, database="main")
            if not accepted and table.needs_data(self.registration) and not self._refused(table):
                self._find(Finding("file-unusable", "fatal", table.file))
        rejected = count(self.con, f'rejected."{table.name}"') + unreadable
        self.con.execute("INSERT INTO tables VALUES (?, ?, ?, ?)", [table.name, lines, accepted, rejected])

    def _refused(self, table: Table) -> bool:
        return count(self.con, "findings", f"file = '{table.file}' AND severity = 'fatal'") > 0

    def _rules(self, table: Table) -> list[RowRule]:
        """The table's rules, without the warnings about a column that the file lacks: that was found once."""
        found = self.con.execute(
            "SELECT \"column\" FROM findings WHERE file = ? AND rule IN ('column-missing', 'column-absent')",
            [table.file],
        ).fetchall()
        lacking = {column for (column,) in found}
        return [
            rule for rule in rules_for(table, self.accepted) if rule.severity == "error" or rule.column not in lacking
        ]

    def _load(self, table: Table, path: Path | None) -> tuple[int, bool]:
        """Fill `raw.<table>`, empty where there is nothing to read; return its lines with content.

        The second value is False where something is there that cannot be read, for which a finding is recorded.
        """
        readable = True
        if path is not None and path.stat().st_size:
            try:
                names, findings = read.match_header(table, read.read_header(path, table.file))
                for finding in findings:
                    self._find(finding)
                if read.has_nul(path):
                    self._find(Finding("nul-bytes", "warning", table.file))
                return read.load(self.con, table, path, names), True
            except read.Unreadable as unreadable:
                self._find(unreadable.finding)
                readable = False
        columns = ", ".join(f'"{column.name}" VARCHAR' for column in table.columns if column.stored)
        self.con.execute(f'CREATE TABLE raw."{table.name}" (_line BIGINT, {columns})')
        return (0 if readable or path is None else read.count_lines(path)[0]), readable

    def _reject(self, table: Table, failed: list[RowRule], raw: ir.Table) -> None:
        """Record every failing rule, and set apart the rows that an `error` makes unusable."""
        for rule in failed:
            self._find_rows(table, rule, _failing_rows(rule, raw))
        broken = [
            f"SELECT _line, '{rule.name}' AS rule FROM ({_failing_rows(rule, raw)})"
            for rule in failed
            if rule.severity == "error"
        ]
        breaks = " UNION ALL ".join(broken) or "SELECT NULL::BIGINT AS _line, NULL AS rule WHERE false"
        self.con.execute(
            f"""
            CREATE TABLE rejected."{table.name}" AS
            SELECT r.*, b.rules
            FROM raw."{table.name}" r
            JOIN (SELECT _line, list(rule ORDER BY rule) AS rules FROM ({breaks}) GROUP BY _line) b USING (_line)
            ORDER BY _line
            """
        )

    def _find_rows(self, table: Table, rule: RowRule, failing_rows: str) -> None:
        where = [rule.rule, rule.severity, table.file, rule.column]
        self.con.execute(
            f"INSERT INTO finding_counts SELECT ?, ?, ?, ?, count(*) FROM ({failing_rows})",
            where,
        )
        self.con.execute(
            f"""
            INSERT INTO findings
            SELECT ?, ?, ?, _line, ?, coalesce("sourcedId", '')
            FROM ({failing_rows}) ORDER BY _line LIMIT {LISTED_PER_RULE}
            """,
            where,
        )

    def _find_lines_lost(self, table: Table) -> None:
        """Tell of lines that are no rows of their own: fatal where a quote has swallowed rows, and with them people."""
        where = f"file = '{table.file}' AND reason = 'unquoted value'"
        if count(self.con, "rejected.unreadable", where):
            (first,) = one(self.con, f"SELECT min(line) FROM rejected.unreadable WHERE {where}")
            self._find(Finding("quote-unclosed", "fatal", table.file, line=first))
        else:
            self._find(Finding("lines-approximate", "warning", table.file))

    def _find_unreadable(self, table: Table) -> None:
        self.con.execute(
            f"""
            INSERT INTO findings
            SELECT 'row-unreadable', 'error', file, line, '', '' FROM rejected.unreadable
            WHERE file = '{table.file}' ORDER BY line LIMIT {LISTED_PER_RULE}
            """
        )
        self.con.execute(
            """
            INSERT INTO finding_counts
            SELECT 'row-unreadable', 'error', file, '', count(*) FROM rejected.unreadable WHERE file = ? GROUP BY file
            """,
            [table.file],
        )

    def _find(self, finding: Finding) -> None:
        """Record one finding about a file."""
        f = finding
        self.con.execute(
            "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?)",
            [f.rule, f.severity, f.file, f.line, f.column, ""],
        )
        self.con.execute("INSERT INTO finding_counts VALUES (?, ?, ?, ?, 1)", [f.rule, f.severity, f.file, f.column])


def _failing_rows(rule: RowRule, raw: ir.Table) -> str:
    return str(ibis.to_sql(raw.filter(~rule.holds(raw)), dialect="duckdb"))
