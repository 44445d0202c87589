"""OneRoster 1.2 keeps people's roles and orgs in roles.csv; the roster keeps them with the person, as 1.1 does."""

from datetime import date

import duckdb

from roster_pipelines.oneroster.shape import Table

# What the product does for people it does by 1.1's roles. A counselor gets what an aide gets, rather less than more.
_AS_1_1 = {
    "districtAdministrator": "administrator",
    "siteAdministrator": "administrator",
    "systemAdministrator": "administrator",
    "principal": "administrator",
    "counselor": "aide",
}
# Who has several roles is rostered by the one that does most with classes.
_ORDER = ("teacher", "administrator", "aide", "proctor", "student", "guardian", "parent", "relative")
ROLE = "role of"
"""What a person is missing whose role was rejected, or came behind the end of a file that was cut short."""


def give_users_their_roles(con: duckdb.DuckDBPyConnection, table: Table, today: date, *, earlier: bool) -> None:
    """Add `role` and `orgSourcedIds` to `raw.users`, from `raw.roles` and from the roles that came earlier.

    A role that is in force goes before one that has ended or not begun; a person whom no known role is given has none.

    Args:
        con: Holds `raw.users` and `raw.roles` of a 1.2 delivery, and `earlier` if there is one.
        table: The roles; through an API a person's record has all of theirs.
        today: The date.
        earlier: Whether roles of the last good roster count too, where this delivery says nothing of them.
    """
    as_1_1 = " ".join(f"WHEN '{role}' THEN '{known}'" for role, known in _AS_1_1.items())
    all_of_theirs = """
        AND "userSourcedId" NOT IN (SELECT whole("sourcedId") AS id FROM raw.users WHERE id IS NOT NULL)
        """
    before = f"""
        UNION ALL SELECT "userSourcedId", "orgSourcedId", role, "beginDate", "endDate" FROM earlier.roles
        WHERE status IS DISTINCT FROM 'tobedeleted' AND "sourcedId" NOT IN (
            SELECT whole("sourcedId") FROM raw.roles WHERE "sourcedId" IS NOT NULL)
        {all_of_theirs if table.api else ""}
        """
    con.execute(
        f"""
        CREATE TEMP TABLE role_of AS
        WITH delivered AS (
            SELECT whole("userSourcedId") AS person,
                   whole("orgSourcedId") AS org,
                   value_of_roles_role(role) AS role, value_of_roles_beginDate("beginDate") AS begins,
                   value_of_roles_endDate("endDate") AS ends
            FROM raw.roles WHERE value_of_roles_status(status) IS DISTINCT FROM 'tobedeleted'
            {before if earlier else ""}
        ),
        known AS (
            SELECT person, org, CASE role {as_1_1} ELSE role END AS role,
                   coalesce(begins <= DATE '{today}', true) AND coalesce(ends > DATE '{today}', true) AS in_force
            FROM delivered WHERE person IS NOT NULL AND role IS NOT NULL
        )
        SELECT person, arg_min(role, (NOT in_force, list_position({list(_ORDER)}, role))) AS role,
               string_agg(DISTINCT org, ',' ORDER BY org) AS "orgSourcedIds"
        FROM known GROUP BY person
        """
    )
    con.execute(
        """
        CREATE TABLE raw.users_1_2 AS
        SELECT u.*, r.role, r."orgSourcedIds"
        FROM raw.users u LEFT JOIN role_of r ON r.person = whole(u."sourcedId") ORDER BY _line;
        DROP TABLE raw.users; ALTER TABLE raw.users_1_2 RENAME TO users;
        """
    )
    con.execute(
        f"""
        INSERT INTO lost
        SELECT '{ROLE}', whole("userSourcedId") AS person,
               if(tidy(role) IS NULL, 'value-missing', 'value-unknown'), '{table.file}', 'role', _line
        FROM raw.roles WHERE value_of_roles_role(role) IS NULL AND person IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY person ORDER BY _line) = 1;
        INSERT INTO cut_short SELECT '{ROLE}', rule, file, '', line FROM line_finding
        WHERE file = '{table.file}' AND rule = 'row-truncated'
        """
    )


def give_earlier_users_their_roles(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the people that earlier deliveries brought up to date with the roles that came now."""
    con.execute(
        """
        UPDATE main.users SET role = r.role, "orgSourcedIds" = string_split(r."orgSourcedIds", ',')
        FROM role_of r WHERE r.person = "sourcedId" AND _delivery IS NOT NULL
        """
    )
