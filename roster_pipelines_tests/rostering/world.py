"""A district as small as a scenario needs: a roster, sign-ins, accounts, codes, licences; and what follows from them.

Every method that adds something returns the world, so that a scenario reads in one go. `solved` works everything out
in a DuckDB of its own, as the assets do it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Self

import duckdb

from roster_pipelines.district import District, Filters, SignIn, Stage, Terms
from roster_pipelines.duck import one
from roster_pipelines.oneroster.shape import Registration
from roster_pipelines.oneroster.standard import ROSTER, TABLES
from roster_pipelines.rostering.access import holders
from roster_pipelines.rostering.current import current
from roster_pipelines.rostering.entitlement import entitlements
from roster_pipelines.rostering.gates import FIRST_GATES, GATES, gates
from roster_pipelines.rostering.identity import identities
from roster_pipelines.rostering.plan import PUBLISHED, WRITTEN, Counts, accounts_to_open, desired, differences
from roster_pipelines.staging.values import duckdb_type
from roster_pipelines_tests.conftest import nowhere

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
NORTH, SOUTH = "530000000001", "530000000002"
SSO = SignIn(provider="classlink", match=("sourced_id", "email"), email_domains=("maple.example",))
ACCOUNT, *DEACTIVATED = PUBLISHED
VENDOR = {
    "sign_in": "sign_in_id BIGINT, provider VARCHAR, subject VARCHAR, legacy_subject VARCHAR,"
    " sourced_id VARCHAR, user_id VARCHAR,"
    " identifier VARCHAR, email VARCHAR, username VARCHAR, account_id BIGINT, first_signed_in_at TIMESTAMP",
    "account": ", ".join(f"{name} {kind}" for name, kind in ACCOUNT.columns.items()),
    "access_code": "account_id BIGINT, product_id VARCHAR",
    "product_resource": "product_id VARCHAR, vendor_resource_id VARCHAR",
    "licence": "licence_id BIGINT, product_id VARCHAR, school_nces_id VARCHAR, seats INTEGER, starts_on DATE,"
    " ends_on DATE",
    "school_choice": "sign_in_id BIGINT, school_nces_id VARCHAR",
    # what earlier runs have worked out
    "known_key": "person_sourced_id VARCHAR, kind VARCHAR, value VARCHAR, first_seen DATE, last_seen DATE",
    "known_seat": "person_sourced_id VARCHAR, licence_id BIGINT",
}

Row = dict[str, Any]
Rows = dict[str, set[tuple[Any, ...]]]


@dataclass
class World:
    """One district; two schools, `north` and `south`, are there from the start."""

    stage: Stage = "live"
    sso: SignIn | None = SSO
    pilots: tuple[str, ...] = ()
    registration: Registration = "access_code"
    school_choice: bool = False
    teaching_roles: tuple[str, ...] = ("teacher",)
    terms: Terms = field(default_factory=Terms)
    filters: Filters = field(default_factory=Filters)
    today: date = TODAY
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in (*ROSTER, *VENDOR)})

    def __post_init__(self) -> None:
        self.school("north", NORTH).school("south", SOUTH)

    def add(self, table: str, **row: Any) -> Self:
        self.rows[table].append(row)
        return self

    # the roster

    def school(self, sourced_id: str, nces_id: str | None, **more: Any) -> Self:
        return self.add("orgs", sourcedId=sourced_id, type="school", identifier=nces_id, **more)

    def person(self, sourced_id: str, role: str, school: str = "north", **more: Any) -> Self:
        return self.add("users", sourcedId=sourced_id, role=role, orgSourcedIds=school.split(","), **more)

    def teacher(self, sourced_id: str = "ada", school: str = "north", **more: Any) -> Self:
        return self.person(sourced_id, "teacher", school, **more)

    def student(self, sourced_id: str = "kim", **more: Any) -> Self:
        return self.person(sourced_id, "student", **more)

    def school_class(
        self, sourced_id: str = "music", *teachers: str, students: str = "", school: str = "north", **more: Any
    ) -> Self:
        """A class with its teachers; `students` are parted by blanks."""
        self.add("classes", sourcedId=sourced_id, title=sourced_id.title(), schoolSourcedId=school, **more)
        for teacher in teachers:
            self.enrolled(teacher, sourced_id, "teacher")
        for student in students.split():
            self.enrolled(student, sourced_id, "student")
        return self

    def enrolled(self, person: str, in_class: str, role: str, **more: Any) -> Self:
        number = len(self.rows["enrollments"])
        return self.add(
            "enrollments",
            sourcedId=f"enr-{number}",
            userSourcedId=person,
            classSourcedId=in_class,
            role=role,
            **more,
        )

    def session(self, sourced_id: str, starts: date, ends: date, **more: Any) -> Self:
        return self.add("academicSessions", sourcedId=sourced_id, startDate=starts, endDate=ends, **more)

    def course(self, sourced_id: str, **more: Any) -> Self:
        return self.add("courses", sourcedId=sourced_id, **more)

    def resource(self, vendor_id: str, *, in_class: str | None = None, in_course: str | None = None) -> Self:
        """A resource, linked to a class or to a course."""
        self.add("resources", sourcedId=f"res-{vendor_id}", vendorResourceId=vendor_id)
        if in_class:
            self.add("classResources", classSourcedId=in_class, resourceSourcedId=f"res-{vendor_id}")
        if in_course:
            self.add("courseResources", courseSourcedId=in_course, resourceSourcedId=f"res-{vendor_id}")
        return self

    # the vendor's side

    def signed_in(
        self,
        sourced_id: str | None = None,
        *,
        email: str | None = None,
        account: int | None = None,
        provider: str = "classlink",
        school: str | None = None,
        **claims: str | None,
    ) -> Self:
        """Sign in, the one after the other; `school` is the NCES id that is picked on the provisioning page."""
        number = len(self.rows["sign_in"]) + 1
        if school:
            self.add("school_choice", sign_in_id=number, school_nces_id=school)
        return self.add(
            "sign_in",
            sign_in_id=number,
            provider=provider,
            subject=claims.pop("subject", f"subject-{number}"),
            sourced_id=sourced_id,
            email=email,
            account_id=account,
            first_signed_in_at=datetime(2026, 8, 1, 8, number % 60),  # noqa: DTZ001 - the database's UTC
            **claims,
        )

    def product(self, product: str, vendor_resource_id: str) -> Self:
        return self.add("product_resource", product_id=product, vendor_resource_id=vendor_resource_id)

    def account(
        self, account: int = 1, *codes: str, status: str = "active", provisioned_for: str | None = None
    ) -> Self:
        self.add("account", account_id=account, status=status, provisioned_for=provisioned_for)
        for product in codes:
            self.add("access_code", account_id=account, product_id=product)
        return self

    def licence(
        self,
        product: str = "lessons",
        school: str | None = None,
        starts: date = TODAY - DAY,
        ends: date = TODAY + 200 * DAY,
        seats: int | None = None,
    ) -> Self:
        number = len(self.rows["licence"]) + 1
        return self.add(
            "licence",
            licence_id=number,
            product_id=product,
            school_nces_id=school,
            seats=seats,
            starts_on=starts,
            ends_on=ends,
        )

    def ready(self, teacher: str = "ada", account: int = 1) -> Self:
        """A teacher has signed in and has redeemed a code."""
        return self.account(account, "lessons").signed_in(teacher, account=account)

    # what follows

    @property
    def district(self) -> District:
        return District(
            district="maple",
            name="Maple",
            stage=self.stage,
            connection=nowhere(),
            sign_in=self.sso,
            registration=self.registration,
            school_choice=self.school_choice,
            teaching_roles=self.teaching_roles,
            terms=self.terms,
            filters=self.filters,
            pilot_teachers=self.pilots,
        )

    @contextmanager
    def matched(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(config={"threads": 1}) as con:
            self._tables(con)
            current(con, self.today, self.district)
            identities(con, self.sso, self.today)
            yield con

    @contextmanager
    def gated(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Everything up to the gates."""
        with self.matched() as con:
            holders(con)
            entitlements(con, self.today, self.district)
            gates(con, self.today, self.district)
            yield con

    @contextmanager
    def solved(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Everything up to the rows that should be."""
        with self.gated() as con:
            accounts_to_open(con)
            con.execute(
                """
                CREATE TABLE new_account AS
                SELECT person_sourced_id, row_number() OVER (ORDER BY person_sourced_id)
                           + greatest(1000, (SELECT max(account_id) FROM account)) AS account_id
                FROM account_to_open
                """
            )
            desired(con)
            yield con

    def remembering(self) -> Self:
        """Keep what the next run finds of this one: whose which key is, and who has a seat."""
        with self.gated() as con:
            for table, query in {
                "known_key": "FROM identity_key",
                "known_seat": "SELECT DISTINCT person_sourced_id, licence_id FROM entitlement"
                " WHERE licence_id IS NOT NULL",
            }.items():
                names = [column.split()[0] for column in VENDOR[table].split(", ")]
                self.rows[table] = [dict(zip(names, row, strict=True)) for row in con.execute(query).fetchall()]
        return self

    def identities(self) -> list[tuple[str | None, str]]:
        """Person and outcome, by sign-in."""
        with self.matched() as con:
            return con.execute("SELECT person_sourced_id, outcome FROM identity ORDER BY sign_in_id").fetchall()

    def decisions(self) -> list[tuple[str | None, str, str | None, list[str]]]:
        """Person, outcome, the key that decided, and the candidates, by sign-in."""
        with self.matched() as con:
            query = "SELECT person_sourced_id, outcome, key, candidates FROM identity ORDER BY sign_in_id"
            return [(*row, json.loads(candidates)) for *row, candidates in con.execute(query).fetchall()]

    def keys(self) -> dict[tuple[str, str, str], tuple[date, date | None]]:
        """By person, kind and value: since when a key is known, and since when it is theirs no more."""
        with self.matched() as con:
            query = "SELECT person_sourced_id, kind, value, first_seen, last_seen FROM identity_key"
            return {(person, kind, value): (*seen,) for person, kind, value, *seen in con.execute(query).fetchall()}

    def entitled(self) -> set[tuple[str, str, str | None]]:
        """Person, product, and the one school it holds for."""
        with self.gated() as con:
            query = "SELECT person_sourced_id, product_id, school_sourced_id FROM entitlement"
            return set(con.execute(query).fetchall())

    def waiting(self) -> dict[str, str | None]:
        """By teacher, the gate that does not hold, for the class for which the most hold."""
        with self.gated() as con:
            return dict(con.execute(FIRST_GATES).fetchall())

    def reasons(self) -> dict[tuple[str, str | None], str | None]:
        """By teacher and class, the reason of the first gate that does not hold."""
        with self.gated() as con:
            query = "SELECT person_sourced_id, class_sourced_id, reason FROM gate"
            return {(person, name): reason for person, name, reason in con.execute(query).fetchall()}

    def ladder(self, person: str = "ada", in_class: str | None = "music") -> dict[str, str]:
        """Every gate that does not hold for a teacher and a class, with its reason."""
        where = "WHERE person_sourced_id = ? AND class_sourced_id IS NOT DISTINCT FROM ?"
        with self.gated() as con:
            answers = one(con, f"SELECT {', '.join(GATES)} FROM gate {where}", [person, in_class])
            return {gate: reason for gate, reason in zip(GATES, answers, strict=True) if reason}

    def if_signed_in(self) -> set[tuple[str, str | None]]:
        """Teachers and classes that would be there if everybody did what is theirs to do."""
        with self.gated() as con:
            query = "SELECT person_sourced_id, class_sourced_id FROM gate WHERE if_signed_in"
            return set(con.execute(query).fetchall())

    def classes(self) -> dict[str, tuple[set[str], set[str]]]:
        """By class that should be there: its teachers and its students."""
        with self.solved() as con:
            return {
                name: (
                    _column(con, "teacher", "teacher_sourced_id", name),
                    _column(con, "student", "student_sourced_id", name),
                )
                for (name,) in con.execute("SELECT class_sourced_id FROM desired_rostered_class").fetchall()
            }

    def desired(self) -> Rows:
        """By table of the product, the rows that should be active."""
        with self.solved() as con:
            return desired_rows(con)

    def accounts(self) -> set[tuple[Any, ...]]:
        """The accounts that auto-registration has opened or activated, or is to, as they should be."""
        with self.solved() as con:
            return set(con.execute("FROM desired_account").fetchall())

    def plan(self, product: "Product") -> Counts:
        """Plan against what the product shows, and publish it."""
        with self.solved() as con:
            counts = product.publish(con)
            for row in con.execute("FROM plan_account").fetchall():
                account = dict(zip(ACCOUNT.columns, row, strict=True))
                self.rows["account"] = [r for r in self.rows["account"] if r["account_id"] != account["account_id"]]
                self.add("account", **account)
        return counts

    def write_roster(self, con: duckdb.DuckDBPyConnection) -> None:
        """Create the roster's tables, with their rows, in schema `roster`."""
        con.execute("CREATE SCHEMA roster")
        for name in ROSTER:
            stored = [column for column in TABLES[name].columns if column.stored]
            columns = ", ".join(f"{quoted(column.name)} {duckdb_type(column)}" for column in stored)
            con.execute(f'CREATE TABLE roster."{name}" (_line BIGINT, _delivery VARCHAR, {columns})')
            self._fill(con, name, f'roster."{name}"')

    def _tables(self, con: duckdb.DuckDBPyConnection) -> None:
        self.write_roster(con)
        for name, columns in VENDOR.items():
            con.execute(f"CREATE TABLE {name} ({columns})")
            self._fill(con, name, name)
        con.execute(f"CREATE TABLE current_account AS FROM account t WHERE {ACCOUNT.ours}")

    def _fill(self, con: duckdb.DuckDBPyConnection, name: str, table: str) -> None:
        rows = self.rows[name]
        if name in ROSTER:
            rows = [{**row, "_line": number} for number, row in enumerate(rows, 2)]
        names = sorted({name for row in rows for name in row})
        insert(con, f"{table} ({', '.join(map(quoted, names))})", [[row.get(name) for name in names] for row in rows])


def quoted(name: str) -> str:
    return f'"{name}"'


def insert(con: duckdb.DuckDBPyConnection, into: str, rows: list[list[Any]]) -> None:
    if rows:
        marks = ", ".join(f"({', '.join('?' * len(row))})" for row in rows)
        con.execute(f"INSERT INTO {into} VALUES {marks}", [value for row in rows for value in row])


def desired_rows(con: duckdb.DuckDBPyConnection) -> Rows:
    """By table of the product, the rows that should be active and no others; a key stands once."""
    rows: Rows = {}
    for table in DEACTIVATED:
        found = con.execute(f"FROM desired_{table.name}").fetchall()
        rows[table.name] = set(found)
        assert len({row[: len(table.keys)] for row in found}) == len(found), f"a key of {table.name} stands twice"
    return rows


@dataclass
class Product:
    """What is published: by table, each key's values and whether the row is active; accounts are the world's."""

    tables: dict[str, dict[tuple[Any, ...], tuple[tuple[Any, ...], bool]]] = field(
        default_factory=lambda: {table.name: {} for table in DEACTIVATED}
    )

    def publish(self, con: duckdb.DuckDBPyConnection) -> Counts:
        """Plan against what is published, and take the changes over; those of accounts stay in `plan_account`."""
        self.show(con)
        con.execute("ATTACH ':memory:' AS plan")
        counts = differences(con, into="plan")
        self.take(con)
        con.execute("CREATE OR REPLACE TABLE plan_account AS SELECT * EXCLUDE action FROM plan.account")
        con.execute("DELETE FROM current_account WHERE account_id IN (SELECT account_id FROM plan_account)")
        con.execute("INSERT INTO current_account FROM plan_account")
        con.execute("DETACH plan")
        return counts

    def show(self, con: duckdb.DuckDBPyConnection) -> None:
        """Add what is published as `current_<name>`."""
        for table in DEACTIVATED:
            columns = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
            con.execute(f"CREATE OR REPLACE TABLE current_{table.name} ({columns}, active BOOLEAN)")
            rows = [[*key, *values, active] for key, (values, active) in self.tables[table.name].items()]
            insert(con, f"current_{table.name}", rows)

    def take(self, con: duckdb.DuckDBPyConnection) -> None:
        """Do what the attached `plan` says."""
        for table in DEACTIVATED:
            shown = self.tables[table.name]
            for action, *row in con.execute(f"FROM plan.{table.name}").fetchall():
                key, values = tuple(row[: len(table.keys)]), tuple(row[len(table.keys) :])
                assert (action == "create") == (key not in shown), (table.name, action, key)
                if action in WRITTEN:
                    shown[key] = (values, action != "deactivate")

    def active(self) -> Rows:
        return {
            name: {(*key, *values) for key, (values, active) in rows.items() if active}
            for name, rows in self.tables.items()
        }


def _column(con: duckdb.DuckDBPyConnection, of: str, column: str, class_id: str) -> set[str]:
    query = f"SELECT {column} FROM desired_rostered_class_{of} WHERE class_sourced_id = ?"
    return {value for (value,) in con.execute(query, [class_id]).fetchall()}
