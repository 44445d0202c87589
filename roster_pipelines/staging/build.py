"""Build the staging database of one delivery: read, check, set the failing rows apart, and say what was found.

The file's inside, for a person with the `duckdb` shell: `<table>` the roster's rows in their types, with the line that
each came from and, where it is not this one, the delivery; `rejected.<table>` the rows that were rejected, as text,
with the rules they broke; `rejected.unreadable` the lines that are no rows; `findings`, at most 100 per rule and
column, and `finding_counts`, the true counts; `tables`, one row per file; `about`, the version and the verdict.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import ibis
import ibis.expr.types as ir

from roster_pipelines.duck import count, one
from roster_pipelines.findings import Finding, Severity
from roster_pipelines.oneroster import manifest as manifests
from roster_pipelines.oneroster.shape import Registration, Table, Version
from roster_pipelines.oneroster.standard import TABLES, tables
from roster_pipelines.staging import earlier, record, roles
from roster_pipelines.staging.across import parent_cycles, rules_across
from roster_pipelines.staging.read import Loaded, load
from roster_pipelines.staging.rejects import failing_rows, reject
from roster_pipelines.staging.rules import Delivered, plain_columns, rules_for
from roster_pipelines.staging.schema import RowRule, failing
from roster_pipelines.staging.summary import Summary, TableCounts, Verdict
from roster_pipelines.staging.values import define, duckdb_type, find_american_dates, typed

# DuckDB's own default would let it take most of the machine; what does not fit goes to disk.
MEMORY = "2500MB"


def build(
    files: Mapping[str, Path],
    findings: Sequence[Finding],
    database: Path,
    registration: Registration,
    *,
    today: date,
    base: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Read a delivery's files into a new staging database.

    Args:
        files: Delivered files by the standard's name (`users.csv`).
        findings: What was found when the files were gathered.
        database: Where to write; the file must not be there yet.
        registration: How the district's teachers get access, which decides what is required.
        today: The date, for what has ended.
        base: The staging database of the last good delivery, which delta files change; its name is the delivery's id.
        progress: Called with the name of each file that is begun.

    Returns:
        The verdict and the counts. After a refusal the file holds what was found so far.
    """
    with TemporaryDirectory() as scratch, duckdb.connect(str(database), config={"temp_directory": scratch}) as con:
        con.execute(f"SET memory_limit = '{MEMORY}'; SET preserve_insertion_order = true")
        con.execute("CREATE SCHEMA raw; CREATE SCHEMA rejected")
        staging = _Staging(con, files, registration, today, base, Path(scratch), progress)
        staging.run(findings)
        return summary(con)


def summary(con: duckdb.DuckDBPyConnection) -> Summary:
    """Read a staging database's verdict and counts back; it is the connection's current database."""
    version, verdict = one(con, "FROM about")
    counted = {name: TableCounts(*counts) for name, *counts in con.execute("FROM tables").fetchall()}
    return Summary(verdict, version, counted, record.counts(con), record.listed(con))


class _Staging:
    """One delivery's way through the stages; the roster's tables are what later files refer to."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        files: Mapping[str, Path],
        registration: Registration,
        today: date,
        base: Path | None,
        scratch: Path,
        progress: Callable[[str], None],
    ) -> None:
        self.con = con
        self.files = files
        self.registration = registration
        self.today = today
        self.base = base.stem if base is not None and earlier.attach(con, base) else None
        self.scratch = scratch
        self.progress = progress
        self.record = record.Record(con)
        self.ibis = ibis.duckdb.from_connection(con)
        self.manifest = _manifest(files.get("manifest.csv"))
        self.version: Version = self.manifest.version
        self.tables = tables(self.version)
        self.paths: dict[str, tuple[Path | None, manifests.Mode]] = {}
        self.loaded: dict[str, Loaded] = {}
        self.counts: dict[str, TableCounts] = {}
        self.roster: dict[str, ir.Table] = {}

    def run(self, intake: Sequence[Finding]) -> None:
        self.record.add(*intake)
        if any(finding.severity == "fatal" for finding in intake):
            # Nothing was taken then: that files are missing would be no news.
            self.counts = {name: TableCounts() for name in self.tables}
        else:
            self.record.add(*self.manifest.findings)
            self._stage()
        self._write()

    def _stage(self) -> None:
        define(self.con, self.tables, self.version)
        self.paths = {table.name: self._path(table) for table in self.tables.values()}
        for table in self.tables.values():
            self.progress(table.file)
            self._table(table)
        for table in self.tables.values():
            self._across(table)
        self._links()

    def _path(self, table: Table) -> tuple[Path | None, manifests.Mode]:
        """Find the file that is to be read, and in which mode; what does not fit the manifest is recorded."""
        path, mode = self.files.get(table.file), self.manifest.modes.get(table.name)
        serious: Severity = "fatal" if table.can_refuse(self.registration) else "warning"
        if path is not None and mode == "absent":
            self.record.add(Finding("file-declared-absent", "warning", table.file))
            return None, mode
        if path is None and mode in ("bulk", "delta"):
            self.record.add(Finding("file-missing", serious, table.file))
        if path is not None and mode == "delta" and self.base is None:
            self.record.add(Finding("delta-without-base", serious, table.file))
        return path, mode or "bulk"

    def _table(self, table: Table) -> None:
        path, mode = self.paths[table.name]
        loaded = self._load(table)
        plain = self._check(table, mode, loaded)
        carried = mode in ("absent", "delta") and self._had(table.name)
        self._accept(table, plain, carried=carried)
        accepted = count(self.con, f'main."{table.name}"')
        if carried:
            self._carry(table)
        elif path is not None and mode == "bulk" and self._had(table.name):
            self.record.add(*earlier.compare(self.con, table))
        self.counts[table.name] = TableCounts(
            loaded.read,
            accepted,
            self._rejected(table) if loaded.readable else loaded.read,
            count(self.con, f'main."{table.name}"', "status IS DISTINCT FROM 'tobedeleted'"),
            earlier.previous(self.con, table) if self.base is not None else None,
        )
        if loaded.read or carried:
            self.roster[table.name] = self.ibis.table(table.name, database="main")
        self._required(table, path, carried=carried)

    def _check(self, table: Table, mode: manifests.Mode, loaded: Loaded) -> frozenset[str]:
        """Hold the raw rows against the rules and set apart those that cannot be used; name the plain columns."""
        absent = loaded.absent
        if self.version == "1.2" and table.name == "users":
            given = self._load(TABLES["roles"])
            roles.give_users_their_roles(self.con, self.today, earlier=self._had("roles"))
            # Without any roles, that is what has to be told, not that everybody lacks one.
            absent |= frozenset() if given.read else {"role"}
        self.record.lines(table.file)
        raw = self.ibis.table(table.name, database="raw")
        delivered = Delivered(self.version, mode, absent, self.roster)
        texts = [column.name for column in table.of(self.version) if column.stored]
        size = count(self.con, f'raw."{table.name}"')
        rules, simple = rules_for(table, delivered), plain_columns(table, delivered)
        failed, plain = failing(table.name, texts, rules, raw, size, simple)
        reject(self.con, self.record, table, failed, raw)
        return plain

    def _required(self, table: Table, path: Path | None, *, carried: bool) -> None:
        """Refuse a delivery that lacks what is required, or whose file cannot be used."""
        counts = self.counts[table.name]
        if self.record.refused(table.file) or (carried and counts.roster):
            return
        if path is None and table.needs_file(self.registration):
            self.record.add(Finding("file-missing", "fatal", table.file))
        elif path is not None and not counts.read and self.loaded[table.name].readable:
            severity: Severity = "fatal" if table.needs_data(self.registration) else "info"
            self.record.add(Finding("file-empty", severity, table.file))
        elif counts.read and not counts.accepted and table.needs_data(self.registration):
            self.record.add(Finding("file-unusable", "fatal", table.file))

    def _load(self, table: Table) -> Loaded:
        """Fill `raw.<table>`, empty where there is nothing to read."""
        path, _ = self.paths[table.name]
        if table.name not in self.loaded:
            if path is None:
                columns = ", ".join(f'"{c.name}" VARCHAR' for c in table.of(self.version) if c.stored)
                self.con.execute(f'CREATE TABLE raw."{table.name}" (_line BIGINT, {columns})')
                self.loaded[table.name] = Loaded(0, readable=True, absent=frozenset(), findings=())
            else:
                can_refuse = table.can_refuse(self.registration)
                self.loaded[table.name] = load(self.con, table, self.version, path, self.scratch, can_refuse=can_refuse)
            self.record.add(*self.loaded[table.name].findings)
            find_american_dates(self.con, table, self.version)
        return self.loaded[table.name]

    def _accept(self, table: Table, plain: frozenset[str], *, carried: bool) -> None:
        """Make the roster's table from the rows that were not rejected, each value in its type.

        Where every text is its value already, and nothing is left out or added, a view does: the raw rows stay.
        """
        delivered = {name for name, *_ in self.con.execute(f'DESCRIBE raw."{table.name}"').fetchall()}
        values = [
            (typed(table, c, plain=c.name in plain) if c.name in delivered else f"NULL::{duckdb_type(c)}")
            + f' AS "{c.name}"'
            for c in table.columns
            if c.stored
        ]
        some = self._rejected(table) > 0
        view = not some and not carried and plain >= delivered - {"_line"}
        self.con.execute(
            f"""
            CREATE {"VIEW" if view else "TABLE"} main."{table.name}" AS
            SELECT _line, NULL::VARCHAR AS _delivery, {", ".join(values)} FROM raw."{table.name}"
            {f'WHERE _line NOT IN (SELECT _line FROM rejected."{table.name}")' if some else ""}
            """
        )
        if not view:
            self.con.execute(f'DROP TABLE raw."{table.name}"')

    def _had(self, name: str) -> bool:
        return self.base is not None and earlier.has(self.con, name)

    def _carry(self, table: Table) -> None:
        earlier.carry(self.con, table, str(self.base))
        if self.version == "1.2" and table.name == "users":
            roles.give_earlier_users_their_roles(self.con)

    def _rejected(self, table: Table) -> int:
        return count(self.con, f'rejected."{table.name}"') + record.lost(self.con, table.file)

    def _across(self, table: Table) -> None:
        """Hold the accepted rows against the whole roster; rows of earlier deliveries have line 0 here."""
        if table.name not in self.roster:
            return
        cycles = None
        if any(column.name == "parentSourcedId" for column in table.columns):
            self.con.execute(parent_cycles(table))
            cycles = self.ibis.table(f"cycle_{table.name}")
        rows = self.ibis.table(table.name, database="main")
        rows = rows.filter((rows.status != "tobedeleted").fill_null(True))
        rows = rows.mutate(_line=rows._delivery.isnull().ifelse(rows._line, 0))
        rules = rules_across(table, self.roster, self.today, cycles)
        failed, _ = failing(table.name, (), rules, rows, count(self.con, f'main."{table.name}"'))
        for rule in failed:
            by = next((c for c in table.columns if c.name == (rule.refers_by or rule.column)), None)
            items = f'"{by.name}"' if by and by.many else f'["{by.name}"]' if by else ""
            self.record.rows(rule, table.file, failing_rows(rule, rows), items)
        if self.base is not None and self._had(table.name):
            deleted = RowRule("delete-unknown", "warning", "status", lambda t: t.status != "tobedeleted")
            unknown = earlier.deletes_unknown(table)
            if count(self.con, f"({unknown})"):
                self.record.rows(deleted, table.file, unknown)

    def _links(self) -> None:
        """Under auto-registration by resource, something must say which classes or courses use the resources."""
        links = ("classResources", "courseResources")
        if self.registration != "auto_by_resource" or any(self.counts[name].roster for name in links):
            return
        if not any(self.record.refused(f"{name}.csv") for name in links):
            self.record.add(Finding("file-empty", "fatal", "classResources.csv"))

    def _write(self) -> None:
        """Put the counts and findings into the staging database."""
        severities = {f.severity for f in record.counts(self.con)}
        verdict: Verdict = (
            "refused"
            if "fatal" in severities
            else "accepted_with_findings"
            if severities & {"error", "warning"}
            else "accepted"
        )
        self.con.execute(
            "CREATE TABLE tables (name VARCHAR, read BIGINT, accepted BIGINT, rejected BIGINT, roster BIGINT, "
            "previous BIGINT); CREATE TABLE about (version VARCHAR, verdict VARCHAR);"
        )
        self.con.execute("INSERT INTO about VALUES (?, ?)", [self.version, verdict])
        for name, c in self.counts.items():
            self.con.execute(
                "INSERT INTO tables VALUES (?, ?, ?, ?, ?, ?)",
                [name, c.read, c.accepted, c.rejected, c.roster, c.previous],
            )
        self.con.execute(
            """
            CREATE TABLE rejected.unreadable AS SELECT file, line, rule AS reason FROM line_finding
            WHERE rule IN ('row-unreadable', 'row-truncated') ORDER BY ALL;
            """
        )


def _manifest(path: Path | None) -> manifests.Manifest:
    if path is None:
        return manifests.NO_MANIFEST
    with path.open("rb") as stream:
        return manifests.parse(stream.read(manifests.READ_BYTES))
