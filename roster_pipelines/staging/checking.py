"""The checks of one delivery: each file's rows in turn, then the roster as a whole."""

from collections.abc import Callable
from datetime import date

import duckdb
import ibis

from roster_pipelines.duck import count
from roster_pipelines.findings import Finding
from roster_pipelines.oneroster import rest
from roster_pipelines.oneroster.manifest import Mode
from roster_pipelines.oneroster.shape import Registration, Table
from roster_pipelines.staging import earlier, record, records, roles
from roster_pipelines.staging.across import parent_cycles, rows_across, rules_across
from roster_pipelines.staging.read import Loaded
from roster_pipelines.staging.reading import Reading
from roster_pipelines.staging.rejects import reject
from roster_pipelines.staging.rules import Delivered, plain_columns, rules_for
from roster_pipelines.staging.schema import RowRule, failing, failing_rows
from roster_pipelines.staging.summary import TableCounts, Verdict
from roster_pipelines.staging.values import define, duckdb_type, find_american_dates, typed


class Checking:
    """One delivery's way through the rules; the roster's tables are what later files refer to."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        reading: Reading,
        registration: Registration,
        today: date,
        base: str | None,
        progress: Callable[[str], None],
    ) -> None:
        """Prepare the checks.

        Args:
            con: The staging database; `earlier` is attached where there is a base.
            reading: The delivery's files.
            registration: Decides what is required.
            today: The date.
            base: The id of the last good delivery, if there is one.
            progress: Called with the name of each file that is begun.
        """
        self.con = con
        self.reading = reading
        self.registration = registration
        self.today = today
        self.base = base
        self.progress = progress
        self.record = record.Record(con)
        self.ibis = ibis.duckdb.from_connection(con)
        self.version = reading.version
        self.counts = {name: TableCounts() for name in reading.tables}
        self.roster: frozenset[str] = frozenset()

    def run(self) -> None:
        """Check everything, and write down what was found."""
        self.record.add(*self.reading.findings)
        if not self.reading.refused:
            define(self.con, self.reading.tables, self.version)
            for table in self.reading.tables.values():
                self.progress(table.file)
                self._table(table)
            for table in self.reading.tables.values():
                self._across(table)
            self._links()
            records.name_records(self.con, self.reading.tables.values())
        self._write()

    def _table(self, table: Table) -> None:
        mode, loaded = self.reading.mode(table), self._loaded(table)
        plain = self._check(table, mode, loaded)
        carried = mode in ("absent", "delta") and self._had(table.name)
        self._accept(table, plain, carried=carried)
        accepted = count(self.con, f'main."{table.name}"')
        if carried:
            self._carry(table)
        elif self.reading.is_there(table) and mode == "bulk" and self._had(table.name):
            self.record.add(*earlier.compare(self.con, table))
        self.counts[table.name] = TableCounts(
            loaded.read,
            accepted,
            self._rejected(table) if loaded.readable else loaded.read,
            count(self.con, f'main."{table.name}"', "status IS DISTINCT FROM 'tobedeleted'"),
            earlier.previous(self.con, table) if self.base is not None else None,
        )
        if loaded.read or carried:
            self.roster |= {table.name}
        self._required(table, carried=carried)

    def _check(self, table: Table, mode: Mode, loaded: Loaded) -> frozenset[str]:
        """Hold the raw rows against the rules and set apart those that cannot be used; name the plain columns."""
        absent = loaded.absent
        if self.version == "1.2" and table.name == "users":
            of = self.reading.tables["roles"]
            given = self._loaded(of)
            roles.give_users_their_roles(self.con, of, self.today, earlier=self._had(of.name))
            # Without any roles, that is what has to be told, not that everybody lacks one.
            absent |= frozenset() if given.read and given.readable else {"role"}
        self.record.add(*loaded.findings)
        self.record.lines(table.file)
        raw = self.ibis.table(table.name, database="raw")
        delivered = Delivered(self.version, mode, absent, self.roster)
        texts = [column.name for column in table.of(self.version) if column.stored]
        size = count(self.con, f'raw."{table.name}"')
        rules, simple = (rules_for(table, delivered), plain_columns(table, delivered)) if size else ((), {})
        failed, plain = failing(self.con, table.name, texts, rules, raw, size, simple)
        reject(self.con, self.record, table, failed, raw)
        return plain

    def _required(self, table: Table, *, carried: bool) -> None:
        """Refuse a delivery that lacks what is required, or whose file cannot be used."""
        counts, is_there = self.counts[table.name], self.reading.is_there(table)
        if self.record.refused(table.file) or (carried and counts.roster):
            return
        needs_data = table.needs_data(self.registration)
        if not is_there and table.needs_file(self.registration):
            self.record.add(Finding("file-missing", "fatal", table.file))
        elif is_there and not counts.read and self.reading.loaded(table).readable:
            # Under auto-registration by resource, _links tells of links. An API answers whatever it is asked.
            if needs_data or not (table.needs_file(self.registration) or table.api):
                self.record.add(Finding("file-empty", "fatal" if needs_data else "info", table.file))
        elif counts.read and not counts.accepted and needs_data:
            cause = self.record.cause_of_all(table.file)
            self.record.add(Finding("file-unusable", "fatal", table.file, caused_by=cause))

    def _loaded(self, table: Table) -> Loaded:
        loaded = self.reading.loaded(table)
        find_american_dates(self.con, table, self.version)
        return loaded

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
        view = not (some or carried or rest.in_lists(table)) and plain >= delivered - {"_line"}
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
        of = rest.in_lists(table) if self.reading.is_there(table) else None
        earlier.carry(self.con, table, str(self.base), of)
        if self.version == "1.2" and table.name == "users":
            roles.give_earlier_users_their_roles(self.con)

    def _rejected(self, table: Table) -> int:
        return count(self.con, f'rejected."{table.name}"') + record.lost(self.con, table.file)

    def _across(self, table: Table) -> None:
        """Hold the accepted rows against the whole roster; rows of earlier deliveries have line 0 here."""
        if table.name not in self.roster:
            return
        if any(column.name == "parentSourcedId" for column in table.columns):
            self.con.execute(parent_cycles(table))
        rows, rules = rows_across(table), rules_across(table, self.roster, self.today)
        failed, _ = failing(self.con, table.name, (), rules, rows, count(self.con, f'main."{table.name}"'))
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
        links = [self.reading.tables[name] for name in ("classResources", "courseResources")]
        if self.registration != "auto_by_resource" or any(self.counts[table.name].roster for table in links):
            return
        if not any(self.record.refused(table.file) for table in links):
            came = [table for table in links if self.counts[table.name].read]
            rule, table = ("file-unusable", came[0]) if came else ("file-empty", links[0])
            self.record.add(Finding(rule, "fatal", table.file))

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
            "previous BIGINT); CREATE TABLE about (version VARCHAR, verdict VARCHAR, api BOOLEAN);"
        )
        self.con.execute("INSERT INTO about VALUES (?, ?, ?)", [self.version, verdict, self.reading.api])
        for name, c in self.counts.items():
            self.con.execute(
                "INSERT INTO tables VALUES (?, ?, ?, ?, ?, ?)",
                [name, c.read, c.accepted, c.rejected, c.roster, c.previous],
            )
        self.con.execute(
            """
            CREATE TABLE rejected.unreadable AS SELECT file, line, rule AS reason FROM line_finding
            WHERE rule IN ('row-unreadable', 'row-truncated') ORDER BY ALL;
            DROP TABLE line_finding;
            """
        )
