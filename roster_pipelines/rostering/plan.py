"""What publishing would change: the rows that should be, held against the rows that are.

Nothing is deleted: what should not be any more is deactivated, and comes back whole.
"""

from dataclasses import dataclass

import duckdb

from roster_pipelines.duck import one
from roster_pipelines.rostering.access import known_as


@dataclass(frozen=True)
class Published:
    """One table of the product that we write.

    Attributes:
        name: Its name in schema `platform`.
        keys: The key's columns after the district, with DuckDB types.
        values: The other columns, with DuckDB types.
        what: What its rows are, for people.
        active: By which condition, in SQL, a row counts as active.
        deactivates: Whether what should not be any more is deactivated, in a column `active`.
        ours: By which condition, in SQL, a row `t` of the district may be written at all.
    """

    name: str
    keys: dict[str, str]
    values: dict[str, str]
    what: str
    active: str = "active"
    deactivates: bool = True
    ours: str = "true"

    @property
    def columns(self) -> dict[str, str]:
        """Keys, then values."""
        return {**self.keys, **self.values}


PUBLISHED = (
    Published(
        "account",
        {"account_id": "BIGINT"},
        dict.fromkeys(("status", "activated_by", "provisioned_for", "given_name", "family_name", "email"), "VARCHAR"),
        "accounts by auto-registration",
        active="status = 'active' AND activated_by = 'auto_registration'",
        deactivates=False,
        ours="t.status <> 'closed'",
    ),
    Published(
        "account_product",
        {"account_id": "BIGINT", "product_id": "VARCHAR"},
        {"basis": "VARCHAR"},
        "products by auto-registration",
    ),
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

WRITTEN = ("create", "change", "deactivate")
"""What applying a plan does."""

ACTIONS = (*WRITTEN, "hold", "keep")
"""What a plan may say of a row; what it holds waits for a person, and what a person decided to keep stays."""

Counts = dict[str, dict[str, int]]
"""Number of rows by table and action."""


def accounts_to_open(con: duckdb.DuckDBPyConnection) -> None:
    """Find out who may use what in which class, and for whom auto-registration is to open an account.

    Args:
        con: Holds `gate`, `entitlement` and `teaching`.

    Adds `planned_access`: `person_sourced_id, class_sourced_id, product_id, basis, account_id` for each class with
    every gate open and each of the person's entitlements that covers it; and `account_to_open`: `person_sourced_id` of
    those who have no account.
    """
    con.execute(
        """
        CREATE TABLE planned_access AS
        SELECT g.person_sourced_id, g.class_sourced_id, e.product_id, e.basis, e.account_id
        FROM gate g
        JOIN teaching t ON t.person = g.person_sourced_id AND t.class_sourced_id = g.class_sourced_id
        JOIN entitlement e ON e.person_sourced_id = g.person_sourced_id AND e.seated
            AND (e.school_sourced_id IS NULL OR e.school_sourced_id = t.school_sourced_id)
            AND (e.class_sourced_id IS NULL OR e.class_sourced_id = g.class_sourced_id)
        WHERE g.planned;

        CREATE TABLE account_to_open AS
        SELECT DISTINCT person_sourced_id FROM planned_access WHERE account_id IS NULL;
        """
    )


def desired(con: duckdb.DuckDBPyConnection) -> None:
    """Work out the rows that should be active; adds a table `desired_<name>` for each of `PUBLISHED`.

    A class is there when a teacher with every gate open teaches it and one of the teacher's entitlements covers it.
    Its students come with it; they need no code (the guide, Filtering Roster Data). Of persons without such a class
    nothing is written.

    Args:
        con: Holds what `current` and `accounts_to_open` add, `identity_key`, `account`, `current_account`, and
            `new_account`: `person_sourced_id, account_id` for each row of `account_to_open`.
    """
    con.execute(
        """
        CREATE TABLE access AS
        SELECT a.* REPLACE (coalesce(a.account_id, n.account_id) AS account_id)
        FROM planned_access a LEFT JOIN new_account n USING (person_sourced_id)
        """
    )
    _accounts(con)
    con.execute(
        """
        CREATE TABLE desired_rostered_class_teacher AS
        SELECT a.class_sourced_id, a.account_id,
               -- Two people may have linked one account: in a class that both teach, the account stands once.
               first(t.teacher_sourced_id ORDER BY is_primary IS TRUE DESC, t.teacher_sourced_id) AS teacher_sourced_id,
               bool_or(t.is_primary) AS is_primary
        FROM access a
        JOIN teaching t ON t.person = a.person_sourced_id AND t.class_sourced_id = a.class_sourced_id
        GROUP BY ALL;

        CREATE TABLE desired_rostered_class AS
        SELECT "sourcedId" AS class_sourced_id, title, array_to_string(grades, ',') AS grades,
               array_to_string(subjects, ',') AS subjects, "schoolSourcedId" AS school_sourced_id
        FROM current_class
        WHERE "sourcedId" IN (SELECT class_sourced_id FROM desired_rostered_class_teacher);

        CREATE TABLE desired_rostered_class_student AS
        SELECT DISTINCT n."classSourcedId" AS class_sourced_id, m."sourcedId" AS student_sourced_id
        FROM current_enrollment n
        JOIN desired_rostered_class c ON c.class_sourced_id = n."classSourcedId"
        JOIN member m ON m."sourcedId" = n."userSourcedId" AND m.role = 'student' AND m.enabled
        WHERE n.role = 'student';

        CREATE TABLE desired_student_account AS
        SELECT "sourcedId" AS student_sourced_id, username, "givenName" AS given_name, "familyName" AS family_name,
               array_to_string(grades, ',') AS grades
        FROM member
        WHERE "sourcedId" IN (SELECT student_sourced_id FROM desired_rostered_class_student);
        """
    )


def _accounts(con: duckdb.DuckDBPyConnection) -> None:
    """Open accounts, activate those that were not, and let those that were opened follow the roster.

    An account that auto-registration opened is its teacher's by the roster's id; where the teacher was re-keyed (or
    another of the teacher's rows stands for them now), it becomes that of the new id. What its owner has opened keeps
    its owner's values.
    """
    known_as(con)
    con.execute(
        """
        CREATE TABLE desired_account AS
        WITH used AS (
            SELECT DISTINCT person_sourced_id, account_id, provisioned_for
            FROM access JOIN account USING (account_id)
        ),
        owner AS (
            SELECT account_id, person_sourced_id
            FROM used JOIN known_as k USING (person_sourced_id)
            -- One account for one teacher: the product knows it by the id that it was opened for.
            WHERE k.id = provisioned_for AND (provisioned_for = person_sourced_id OR person_sourced_id NOT IN (
                SELECT provisioned_for FROM account WHERE provisioned_for IS NOT NULL))
            QUALIFY row_number() OVER (PARTITION BY person_sourced_id ORDER BY account_id) = 1
                AND row_number() OVER (PARTITION BY account_id ORDER BY person_sourced_id) = 1
        )
        SELECT c.account_id, 'active' AS status,
               if(c.status = 'active', c.activated_by, 'auto_registration') AS activated_by,
               coalesce(o.person_sourced_id, c.provisioned_for) AS provisioned_for,
               if(o.account_id IS NULL, c.given_name, m."givenName") AS given_name,
               if(o.account_id IS NULL, c.family_name, m."familyName") AS family_name,
               if(o.account_id IS NULL, c.email, m.email) AS email
        FROM current_account c
        LEFT JOIN owner o USING (account_id)
        LEFT JOIN member m ON m."sourcedId" = o.person_sourced_id
        WHERE c.account_id IN (SELECT account_id FROM used) AND (c.status = 'inactive' OR c.provisioned_for IS NOT NULL)
        UNION ALL
        SELECT n.account_id, 'active', 'auto_registration', n.person_sourced_id, "givenName", "familyName", email
        FROM new_account n JOIN member m ON m."sourcedId" = n.person_sourced_id;

        CREATE TABLE desired_account_product AS
        SELECT DISTINCT account_id, product_id, basis FROM access WHERE basis <> 'access_code';
        """
    )


def differences(con: duckdb.DuckDBPyConnection, into: str) -> Counts:
    """Hold what should be against what is; adds a table `<into>.<name>` of changes for each of `PUBLISHED`.

    Args:
        con: Holds `desired_<name>` and `current_<name>` for each of `PUBLISHED`; the latter has `active` too where the
            table `deactivates`.
        into: The attached database that takes the changes.

    Returns:
        How many rows each table's actions concern: `create` a row that is not there, `change` one that differs or
            was deactivated, `deactivate` one that should not be any more.
    """
    for table in PUBLISHED:
        keys, columns = ", ".join(table.keys), ", ".join(table.columns)
        differ = " OR ".join(["NOT c.active", *(f"c.{name} IS DISTINCT FROM d.{name}" for name in table.values)])
        now = f"current_{table.name}" if table.deactivates else f"(SELECT *, true AS active FROM current_{table.name})"
        con.execute(
            f"""
            CREATE TABLE {into}.{table.name} AS
            SELECT CASE WHEN c.active IS NULL THEN 'create' ELSE 'change' END AS action, {_from("d", table)}
            FROM desired_{table.name} d LEFT JOIN {now} c USING ({keys})
            WHERE c.active IS NULL OR {differ}
            UNION ALL
            SELECT 'deactivate', {columns} FROM {now} c ANTI JOIN desired_{table.name} d USING ({keys})
            WHERE c.active AND {table.deactivates}
            ORDER BY ALL
            """
        )
    return counted(con, into)


def counted(con: duckdb.DuckDBPyConnection, plan: str) -> Counts:
    """Count the rows of a plan, in the database of that name, by table and action."""
    return {
        table.name: {
            action: one(con, f"SELECT count(*) FROM {plan}.{table.name} WHERE action = ?", [action])[0]
            for action in ACTIONS
        }
        for table in PUBLISHED
    }


def _from(alias: str, table: Published) -> str:
    return ", ".join(f"{alias}.{name}" for name in table.columns)
