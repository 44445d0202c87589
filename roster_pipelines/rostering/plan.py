"""What publishing would change: the rows that should be, held against the rows that are.

Nothing is deleted: what should not be any more is deactivated, and comes back whole.
"""

from dataclasses import dataclass

import duckdb

from roster_pipelines.duck import one


@dataclass(frozen=True)
class Published:
    """One table of the product that we write.

    Attributes:
        name: Its name in schema `platform`.
        keys: The key's columns after the district, with DuckDB types.
        values: The other columns, with DuckDB types.
        what: What its rows are, for people.
    """

    name: str
    keys: dict[str, str]
    values: dict[str, str]
    what: str

    @property
    def columns(self) -> dict[str, str]:
        """Keys, then values."""
        return {**self.keys, **self.values}


PUBLISHED = (
    Published(
        "rostered_class",
        {"class_sourced_id": "VARCHAR"},
        {"title": "VARCHAR", "grades": "VARCHAR", "subjects": "VARCHAR", "school_sourced_id": "VARCHAR"},
        "classes",
    ),
    Published(
        "student_account",
        {"student_sourced_id": "VARCHAR"},
        {"username": "VARCHAR", "given_name": "VARCHAR", "family_name": "VARCHAR", "grades": "VARCHAR"},
        "students",
    ),
    Published(
        "rostered_class_teacher",
        {"class_sourced_id": "VARCHAR", "account_id": "BIGINT"},
        {"teacher_sourced_id": "VARCHAR", "is_primary": "BOOLEAN"},
        "teachers in classes",
    ),
    Published(
        "rostered_class_student",
        {"class_sourced_id": "VARCHAR", "student_sourced_id": "VARCHAR"},
        {},
        "students in classes",
    ),
)
"""Every table that publishing writes, in an order in which each row's references are there before it."""

ACTIONS = ("create", "change", "deactivate")

Counts = dict[str, dict[str, int]]
"""Number of rows by table and action."""


def desired(con: duckdb.DuckDBPyConnection) -> None:
    """Work out the rows that should be active; adds a table `desired_<name>` for each of `PUBLISHED`.

    A class is there when a teacher with every gate open teaches it and one of the teacher's entitlements covers its
    school or the whole district. Its students come with it; they need no code (the guide, Filtering Roster Data).

    Args:
        con: Holds `person`, `current_class`, `current_enrollment`, `gate` and `entitlement`.
    """
    con.execute(
        """
        CREATE TABLE desired_rostered_class_teacher AS
        SELECT c."sourcedId" AS class_sourced_id, e.account_id,
               -- Two people may have linked one account: in a class that both teach, the account stands once.
               first(n."userSourcedId" ORDER BY n."primary" IS TRUE DESC, n."userSourcedId") AS teacher_sourced_id,
               bool_or(n."primary") AS is_primary
        FROM current_enrollment n
        JOIN current_class c ON c."sourcedId" = n."classSourcedId"
        JOIN gate g ON g.person_sourced_id = n."userSourcedId" AND g.waiting_for IS NULL
        JOIN entitlement e ON e.person_sourced_id = n."userSourcedId"
            AND (e.school_sourced_id IS NULL OR e.school_sourced_id = c."schoolSourcedId")
        WHERE n.role = 'teacher'
        GROUP BY c."sourcedId", e.account_id;

        CREATE TABLE desired_rostered_class AS
        SELECT "sourcedId" AS class_sourced_id, title, array_to_string(grades, ',') AS grades,
               array_to_string(subjects, ',') AS subjects, "schoolSourcedId" AS school_sourced_id
        FROM current_class
        WHERE "sourcedId" IN (SELECT class_sourced_id FROM desired_rostered_class_teacher);

        CREATE TABLE desired_rostered_class_student AS
        SELECT DISTINCT n."classSourcedId" AS class_sourced_id, p."sourcedId" AS student_sourced_id
        FROM current_enrollment n
        JOIN desired_rostered_class c ON c.class_sourced_id = n."classSourcedId"
        JOIN person p ON p."sourcedId" = n."userSourcedId" AND p.role = 'student' AND p.enabled
        WHERE n.role = 'student';

        CREATE TABLE desired_student_account AS
        SELECT "sourcedId" AS student_sourced_id, username, "givenName" AS given_name, "familyName" AS family_name,
               array_to_string(grades, ',') AS grades
        FROM person
        WHERE "sourcedId" IN (SELECT student_sourced_id FROM desired_rostered_class_student);
        """
    )


def differences(con: duckdb.DuckDBPyConnection, into: str) -> Counts:
    """Hold what should be against what is; adds a table `<into>.<name>` of changes for each of `PUBLISHED`.

    Args:
        con: Holds `desired_<name>` and `current_<name>` for each of `PUBLISHED`; the latter has `active` too.
        into: The attached database that takes the changes.

    Returns:
        How many rows each table's actions concern: `create` a row that is not there, `change` one that differs or
            was deactivated, `deactivate` one that should not be any more.
    """
    counts: Counts = {}
    for table in PUBLISHED:
        keys, columns = ", ".join(table.keys), ", ".join(table.columns)
        differ = " OR ".join(["NOT c.active", *(f"c.{name} IS DISTINCT FROM d.{name}" for name in table.values)])
        con.execute(
            f"""
            CREATE TABLE {into}.{table.name} AS
            SELECT CASE WHEN c.active IS NULL THEN 'create' ELSE 'change' END AS action, {_from("d", table)}
            FROM desired_{table.name} d LEFT JOIN current_{table.name} c USING ({keys})
            WHERE c.active IS NULL OR {differ}
            UNION ALL
            SELECT 'deactivate', {columns} FROM current_{table.name} c ANTI JOIN desired_{table.name} d USING ({keys})
            WHERE c.active
            ORDER BY ALL
            """
        )
        counts[table.name] = {
            action: one(con, f"SELECT count(*) FROM {into}.{table.name} WHERE action = ?", [action])[0]
            for action in ACTIONS
        }
    return counts


def _from(alias: str, table: Published) -> str:
    return ", ".join(f"{alias}.{name}" for name in table.columns)
