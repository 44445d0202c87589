"""Which classes are there today, by their terms and the district's filters."""

from datetime import date

import duckdb

from roster_pipelines.district import District, Filters


def class_states(con: duckdb.DuckDBPyConnection, today: date, district: District) -> None:
    """Say for every class whether it is there; adds table `class_state`.

    Args:
        con: Holds the roster.
        today: The date in the district's time zone.
        district: For its terms and filters.

    `class_state` has `class_sourced_id, opens_on, closes_on, reason`: the first day on which the class is there, the
    first on which it is not any more (both NULL where its terms are not known: then they hide nothing), and NULL or
    why it is not there: `not-open-yet`, `over`, `filtered-school`, `filtered-grade`, `filtered-subject`,
    `filtered-course`.
    """
    con.execute(
        """
        CREATE TEMP MACRO fits_one(found, patterns) AS
            len(list_filter(found, lambda v: len(list_filter(patterns, lambda p: lower(v) GLOB lower(p))) > 0)) > 0;
        CREATE TEMP MACRO passes(found, taken, left_out) AS
            (len(taken) = 0 OR fits_one(found, taken)) AND NOT fits_one(found, left_out);
        """
    )
    con.execute(
        f"""
        CREATE TABLE class_state AS
        WITH term AS (
            SELECT c."sourcedId" AS class_sourced_id,
                   min(s."startDate") - {district.terms.opens_days_before} AS opens_on,
                   max(s."endDate") + {district.terms.archived_days_after} AS closes_on
            FROM (SELECT "sourcedId", unnest("termSourcedIds") AS term FROM roster.classes) AS c
            JOIN roster."academicSessions" AS s ON s."sourcedId" = c.term AND s.status IS DISTINCT FROM 'tobedeleted'
            GROUP BY ALL
        ),
        known AS (
            SELECT c."sourcedId" AS class_sourced_id,
                   [v FOR v IN [o."sourcedId", o.identifier, o.name, c."schoolSourcedId"] IF v IS NOT NULL] AS schools,
                   if(len(c.grades) > 0, c.grades, coalesce(k.grades, [])) AS grades,
                   if(len(c.subjects) > 0, c.subjects, coalesce(k.subjects, [])) AS subjects,
                   [v FOR v IN if(k."sourcedId" IS NULL, [c.title], [k.title, k."courseCode"]) IF v IS NOT NULL]
                       AS courses
            FROM roster.classes c
            LEFT JOIN roster.courses k ON k."sourcedId" = c."courseSourcedId"
            LEFT JOIN roster.orgs o ON o."sourcedId" = c."schoolSourcedId"
        )
        SELECT class_sourced_id, opens_on, closes_on,
               CASE WHEN opens_on > DATE '{today}' THEN 'not-open-yet'
                    WHEN closes_on <= DATE '{today}' THEN 'over'
                    {_filtered()} END AS reason
        FROM known LEFT JOIN term USING (class_sourced_id)
        """,
        _patterns(district.filters),
    )


_KINDS = {"schools": "school", "grades": "grade", "subjects": "subject", "courses": "course"}


def _filtered() -> str:
    return " ".join(
        f"WHEN NOT passes({column}, ${column}::VARCHAR[], $not_{column}::VARCHAR[]) THEN 'filtered-{name}'"
        for column, name in _KINDS.items()
    )


def _patterns(filters: Filters) -> dict[str, list[str]]:
    """Part the patterns that take from those that leave out."""
    values: dict[str, list[str]] = {}
    for column in _KINDS:
        patterns: tuple[str, ...] = getattr(filters, column)
        values[column] = [pattern for pattern in patterns if not pattern.startswith("!")]
        values[f"not_{column}"] = [pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")]
    return values
