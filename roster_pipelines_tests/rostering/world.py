"""A district as small as a scenario needs: a roster, sign-ins, accounts, codes, licences; and what follows from them.

Every method that adds something returns the world, so that a scenario reads in one go. `solved` works everything out
in a DuckDB of its own, as the assets do it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Self

import duckdb

from roster_pipelines.district import District, SignIn, Stage
from roster_pipelines.oneroster.standard import TABLES
from roster_pipelines.rostering.current import current
from roster_pipelines.rostering.entitlement import entitlements
from roster_pipelines.rostering.gates import gates
from roster_pipelines.rostering.identity import identities
from roster_pipelines.rostering.plan import PUBLISHED, Counts, desired, differences
from roster_pipelines.staging.values import duckdb_type
from roster_pipelines_tests.conftest import nowhere

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
NORTH, SOUTH = "530000000001", "530000000002"
SSO = SignIn(provider="classlink", match=("sourced_id", "email"), email_domains=("maple.example",))
ROSTER = ("orgs", "users", "classes", "enrollments")
VENDOR = {
    "sign_in": "sign_in_id BIGINT, provider VARCHAR, subject VARCHAR, sourced_id VARCHAR, email VARCHAR,"
    " account_id BIGINT",
    "account": "account_id BIGINT, status VARCHAR",
    "access_code": "account_id BIGINT, product_id VARCHAR",
    "licence": "licence_id BIGINT, product_id VARCHAR, school_nces_id VARCHAR, starts_on DATE, ends_on DATE",
}

Row = dict[str, Any]
Rows = dict[str, set[tuple[Any, ...]]]


@dataclass
class World:
    """One district; two schools, `north` and `south`, are there from the start."""

    stage: Stage = "live"
    sso: SignIn | None = SSO
    pilots: tuple[str, ...] = ()
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

    # the vendor's side

    def signed_in(
        self,
        sourced_id: str | None = None,
        *,
        email: str | None = None,
        account: int | None = None,
        provider: str = "classlink",
    ) -> Self:
        number = len(self.rows["sign_in"]) + 1
        return self.add(
            "sign_in",
            sign_in_id=number,
            provider=provider,
            subject=f"subject-{number}",
            sourced_id=sourced_id,
            email=email,
            account_id=account,
        )

    def account(self, account: int = 1, *codes: str, status: str = "active") -> Self:
        self.add("account", account_id=account, status=status)
        for product in codes:
            self.add("access_code", account_id=account, product_id=product)
        return self

    def licence(
        self,
        product: str = "lessons",
        school: str | None = None,
        starts: date = TODAY - DAY,
        ends: date = TODAY + 200 * DAY,
    ) -> Self:
        number = len(self.rows["licence"]) + 1
        return self.add(
            "licence",
            licence_id=number,
            product_id=product,
            school_nces_id=school,
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
            pilot_teachers=self.pilots,
        )

    @contextmanager
    def _matched(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(config={"threads": 1}) as con:
            self._tables(con)
            current(con, self.today)
            identities(con, self.sso)
            yield con

    @contextmanager
    def solved(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Everything up to the rows that should be."""
        with self._matched() as con:
            entitlements(con, self.today)
            gates(con, self.district)
            desired(con)
            yield con

    def identities(self) -> list[tuple[str | None, str]]:
        """Person and outcome, by sign-in."""
        with self._matched() as con:
            return con.execute("SELECT person_sourced_id, outcome FROM identity ORDER BY sign_in_id").fetchall()

    def entitled(self) -> set[tuple[str, str, str | None]]:
        """Person, product, and the one school it holds for."""
        with self.solved() as con:
            query = "SELECT person_sourced_id, product_id, school_sourced_id FROM entitlement"
            return set(con.execute(query).fetchall())

    def waiting(self) -> dict[str, str | None]:
        """By teacher, the gate that does not hold."""
        with self.solved() as con:
            return dict(con.execute("SELECT person_sourced_id, waiting_for FROM gate").fetchall())

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

    def plan(self, product: "Product") -> Counts:
        """Plan against what the product shows, and publish it."""
        with self.solved() as con:
            return product.publish(con)

    def _tables(self, con: duckdb.DuckDBPyConnection) -> None:
        con.execute("CREATE SCHEMA roster")
        for name in ROSTER:
            stored = [column for column in TABLES[name].columns if column.stored]
            columns = ", ".join(f"{quoted(column.name)} {duckdb_type(column)}" for column in stored)
            con.execute(f"CREATE TABLE roster.{name} ({columns})")
        for name, columns in VENDOR.items():
            con.execute(f"CREATE TABLE {name} ({columns})")
        for table, rows in self.rows.items():
            names = sorted({name for row in rows for name in row})
            into = f"{f'roster.{table}' if table in ROSTER else table} ({', '.join(map(quoted, names))})"
            insert(con, into, [[row.get(name) for name in names] for row in rows])


def quoted(name: str) -> str:
    return f'"{name}"'


def insert(con: duckdb.DuckDBPyConnection, into: str, rows: list[list[Any]]) -> None:
    if rows:
        marks = ", ".join(f"({', '.join('?' * len(row))})" for row in rows)
        con.execute(f"INSERT INTO {into} VALUES {marks}", [value for row in rows for value in row])


def desired_rows(con: duckdb.DuckDBPyConnection) -> Rows:
    """By table of the product, the rows that should be active; a key stands once."""
    rows: Rows = {}
    for table in PUBLISHED:
        found = con.execute(f"FROM desired_{table.name}").fetchall()
        rows[table.name] = set(found)
        assert len({row[: len(table.keys)] for row in found}) == len(found), f"a key of {table.name} stands twice"
    return rows


@dataclass
class Product:
    """What is published: by table, each key's values and whether the row is active."""

    tables: dict[str, dict[tuple[Any, ...], tuple[tuple[Any, ...], bool]]] = field(
        default_factory=lambda: {table.name: {} for table in PUBLISHED}
    )

    def publish(self, con: duckdb.DuckDBPyConnection) -> Counts:
        """Plan against what is published, and take the changes over."""
        for table in PUBLISHED:
            columns = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
            con.execute(f"CREATE OR REPLACE TABLE current_{table.name} ({columns}, active BOOLEAN)")
            rows = [[*key, *values, active] for key, (values, active) in self.tables[table.name].items()]
            insert(con, f"current_{table.name}", rows)
        con.execute("ATTACH ':memory:' AS plan")
        counts = differences(con, into="plan")
        for table in PUBLISHED:
            shown = self.tables[table.name]
            for action, *row in con.execute(f"FROM plan.{table.name}").fetchall():
                key, values = tuple(row[: len(table.keys)]), tuple(row[len(table.keys) :])
                assert (action == "create") == (key not in shown), (table.name, action, key)
                shown[key] = (values, action != "deactivate")
        con.execute("DETACH plan")
        return counts

    def active(self) -> Rows:
        return {
            name: {(*key, *values) for key, (values, active) in rows.items() if active}
            for name, rows in self.tables.items()
        }


def _column(con: duckdb.DuckDBPyConnection, of: str, column: str, class_id: str) -> set[str]:
    query = f"SELECT {column} FROM desired_rostered_class_{of} WHERE class_sourced_id = ?"
    return {value for (value,) in con.execute(query, [class_id]).fetchall()}
