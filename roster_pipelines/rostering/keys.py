"""By which keys a person is known: those of the roster today, and those that are remembered."""

from datetime import date

import duckdb

from roster_pipelines.district import SignIn

# What directories send in place of nothing.
PLACEHOLDERS = ("", "null", "none", "n/a", "na", "0", "none@none", "undefined")
# What surrounds a value by mistake, as in the staging of deliveries.
_BLANKS = " \t\n\r\v\f\N{NO-BREAK SPACE}"


def roster_keys(con: duckdb.DuckDBPyConnection, sign_in: SignIn | None) -> None:
    """Collect every key that the roster has today; adds table `roster_key`, and the macros that make keys alike.

    Args:
        con: Holds `member`.
        sign_in: The district's SSO integration.

    `roster_key` has `person, student, kind, value`; the kinds are `sourced_id`, `user_id:TYPE` (the type in lower
    case), `identifier`, `email`, `username` and `name`. Blanks, placeholders and addresses of foreign domains are no
    keys. The macros: `as_id` (an id counts byte by byte; PowerSchool's without the blanks around it), `folded` (blanks
    and case do not count), `usable`, `abroad` (an e-mail address, or a username with an @, of a foreign domain).
    """
    power_school = sign_in is not None and sign_in.provider.lower() == "powerschool"
    domains = sign_in.email_domains if sign_in else ()
    con.execute(
        f"""
        CREATE TEMP MACRO bare(v) AS
            if(v >= '!' AND v < '~' AND right(v, 1) >= '!' AND right(v, 1) < '~', v, trim(v, '{_BLANKS}'));
        CREATE TEMP MACRO as_id(v) AS {"bare(v)" if power_school else "v"};
        CREATE TEMP MACRO folded(v) AS lower(bare(v));
        CREATE TEMP MACRO usable(v) AS
            coalesce(strlen(bare(v)) > {max(map(len, PLACEHOLDERS))} OR folded(v) NOT IN {PLACEHOLDERS!r}, false);
        CREATE TEMP TABLE own_domains (domain VARCHAR);
        CREATE TEMP MACRO abroad(kind, v) AS (kind = 'email' OR (kind = 'username' AND contains(v, '@')))
            AND regexp_extract(v, '@([^@]*)$', 1) NOT IN (FROM own_domains);
        """
    )
    con.execute("INSERT INTO own_domains SELECT lower(unnest(?::VARCHAR[]))", [[*domains]])
    con.execute(
        r"""
        CREATE TEMP TABLE roster_key AS
        WITH held AS (
            SELECT person, role IS NOT DISTINCT FROM 'student' AS student, unnest([
                {'kind': 'sourced_id', 'value': as_id("sourcedId")},
                {'kind': 'identifier', 'value': as_id(identifier)},
                {'kind': 'email', 'value': folded(email)},
                {'kind': 'username', 'value': folded(username)},
                {'kind': 'name', 'value': nullif(folded("givenName"), '') || ' ' || nullif(folded("familyName"), '')}
            ] || list_transform(coalesce("userIds", []), lambda i: {
                'kind': 'user_id:' || folded(regexp_extract(i, '^\{([^{}:]+):([^{}]+)\}$', 1)),
                'value': as_id(regexp_extract(i, '^\{([^{}:]+):([^{}]+)\}$', 2))
            }), recursive := true)
            FROM member
        )
        SELECT person, student, kind, value FROM held
        WHERE usable(value) AND NOT abroad(kind, value)
        """
    )


def recycled(con: duckdb.DuckDBPyConnection) -> None:
    """Find the sourcedIds that were given to another human being; adds table `recycled(was)`.

    Whoever has the sourcedId today is whom it was only where something else that was remembered fits them still: any
    key, or the first word of the name, as a marriage changes family name, address and username at once. Where nothing
    but the sourcedId was ever remembered, it alone decides.

    Args:
        con: Holds `member`, `known_key` and `roster_key`.
    """
    con.execute(
        """
        CREATE TEMP TABLE recycled AS
        WITH alike AS (
            SELECT person, kind, if(kind = 'name', split_part(value, ' ', 1), value) AS value FROM roster_key
        ),
        known AS (
            SELECT person_sourced_id AS was, person, kind, last_seen,
                   if(kind = 'name', split_part(value, ' ', 1), value) AS value
            FROM known_key JOIN member ON "sourcedId" = person_sourced_id
            WHERE kind NOT IN ('subject', 'sourced_id')
        )
        SELECT was FROM known LEFT JOIN alike USING (person, kind, value)
        GROUP BY was HAVING count(*) FILTER (WHERE alike.person IS NOT NULL AND last_seen IS NULL) = 0
        """
    )


def remembered(con: duckdb.DuckDBPyConnection, today: date) -> None:
    """Work out what is to be known from now on of whoever was matched; adds table `identity_key`.

    A matched person's keys are kept that nobody else has, and the subjects that they sign in with. A key that they
    have no more gets its `last_seen`, and loses it when it comes back. A subject is one person's at a time. Whoever is
    not matched today stays known as before. By a student's numbers nobody is to be recognised, as the staff's numbers
    may be the same: they are not kept. Once another signs in by a recycled sourcedId, the keys are theirs: the former
    person's are dropped, and the former person's subject is nobody's from then on.

    Args:
        con: Holds `roster_key`, `recycled`, `sign_in`, `identity` and `known_key`, all rows of earlier runs.
        today: The date in the district's time zone.

    `identity_key` has `person_sourced_id, kind, value, first_seen, last_seen`; the kinds are those of `roster_key`,
    and `subject` with `provider|subject`.
    """
    con.execute(
        """
        CREATE TABLE identity_key AS
        WITH matched AS (
            SELECT person_sourced_id, provider || '|' || subject AS subject, usable(subject) AS lasting
            FROM identity JOIN sign_in USING (sign_in_id) WHERE person_sourced_id IS NOT NULL
        ),
        shared AS (
            SELECT kind, value FROM roster_key WHERE kind <> 'name' GROUP BY ALL HAVING count(DISTINCT person) > 1
        ),
        held AS (
            SELECT person AS person_sourced_id, kind, value
            FROM roster_key SEMI JOIN matched ON person_sourced_id = person ANTI JOIN shared USING (kind, value)
            WHERE NOT student OR kind IN ('sourced_id', 'email', 'name')
            UNION SELECT person_sourced_id, 'subject', subject FROM matched WHERE lasting
        ),
        taken AS (SELECT value FROM held WHERE kind = 'subject'),
        handed_on AS (SELECT was FROM recycled SEMI JOIN matched ON person_sourced_id = was)
        SELECT person_sourced_id, kind, value, coalesce(k.first_seen, $today::DATE) AS first_seen,
               CASE WHEN held.kind IS NOT NULL THEN NULL
                    WHEN if(k.kind = 'subject', value IN (FROM taken) OR person_sourced_id IN (FROM handed_on),
                            person_sourced_id IN (SELECT person_sourced_id FROM matched))
                    THEN coalesce(k.last_seen, $today::DATE)
                    ELSE k.last_seen END AS last_seen
        FROM known_key k FULL JOIN held USING (person_sourced_id, kind, value)
        WHERE held.kind IS NOT NULL OR k.kind = 'subject' OR person_sourced_id NOT IN (FROM handed_on)
        """,
        {"today": today},
    )
