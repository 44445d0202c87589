"""Who has a seat where a licence has a limited number of them."""

import duckdb


def seats(con: duckdb.DuckDBPyConnection) -> None:
    """Give the seats of the licences in force to those who need one; adds tables `seat` and `wish`.

    A seat is needed by a teacher for whom every gate but that of the seat holds for a class; one seat, whatever the
    number of classes. A school's licences are used before those of the whole district, and several for the same
    product and school add up. Who had a seat keeps it, also where the licence was renewed by another; then whoever
    signed in first is served first.

    Args:
        con: Holds `granted` (see `entitlements`), `staff`, `offer`, `teaching`, `class_state`, `holder`, `licence`,
            `known_seat` and `known_as`.

    `wish` has `person_sourced_id, product_id, pool` of everybody who needs a seat, `seat` has `licence_id` besides.
    """
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE wish (person_sourced_id VARCHAR, product_id VARCHAR, pool VARCHAR);
        CREATE OR REPLACE TEMP TABLE seat (
            person_sourced_id VARCHAR, product_id VARCHAR, pool VARCHAR, licence_id BIGINT);
        CREATE OR REPLACE TEMP TABLE need AS
        SELECT DISTINCT g.person_sourced_id, g.product_id, g.pool, t.class_sourced_id
        FROM granted g
        JOIN staff s ON s.person_sourced_id = g.person_sourced_id
            AND s.in_roster IS NULL AND s.role IS NULL AND s.stage IS DISTINCT FROM 'not-pilot'
        JOIN teaching t ON t.person = g.person_sourced_id AND t.role_teaches
            AND (g.school_sourced_id IS NULL OR g.school_sourced_id = t.school_sourced_id)
            AND (g.class_sourced_id IS NULL OR g.class_sourced_id = t.class_sourced_id)
        JOIN class_state c ON c.class_sourced_id = t.class_sourced_id AND c.reason IS NULL
        """
    )
    for level in ("pool <> ''", "pool = ''"):
        # For classes that a school's seat covers already, none of the district's is needed.
        con.execute(
            f"""
            INSERT INTO wish
            SELECT DISTINCT person_sourced_id, product_id, pool FROM need
            WHERE {level} AND (person_sourced_id, product_id, class_sourced_id) NOT IN (
                SELECT (person_sourced_id, product_id, class_sourced_id)
                FROM need JOIN seat USING (person_sourced_id, product_id, pool))
            """
        )
        con.execute(f"INSERT INTO seat {_SEATED.format(level=level)}")


# Unlimited seats are more than there are people.
_SEATED = """
    WITH open AS (
        SELECT DISTINCT licence_id, l.product_id, pool, coalesce(seats, 1_000_000_000)::BIGINT AS seats
        FROM licence l JOIN offer USING (licence_id) WHERE lack IS NULL AND {level}
    ),
    had AS (
        SELECT known_as.person_sourced_id, l.product_id, coalesce(l.school_nces_id, '') AS pool,
               min(licence_id) FILTER (WHERE licence_id IN (SELECT licence_id FROM open)) AS licence_id
        FROM known_seat k JOIN known_as ON known_as.id = k.person_sourced_id JOIN licence l USING (licence_id)
        GROUP BY ALL
    ),
    line AS (
        SELECT w.*, had.person_sourced_id IS NULL AS is_new, had.licence_id, min(h.first_signed_in_at) AS since
        FROM wish w
        JOIN holder h USING (person_sourced_id)
        LEFT JOIN had USING (person_sourced_id, product_id, pool)
        WHERE {level} GROUP BY ALL
    ),
    kept AS (
        SELECT person_sourced_id, line.product_id, line.pool, licence_id
        FROM line JOIN open USING (licence_id)
        QUALIFY row_number() OVER (PARTITION BY licence_id ORDER BY since, person_sourced_id) <= seats
    ),
    free AS (
        SELECT licence_id, product_id, pool, seats - taken AS seats,
               sum(seats - taken) OVER (PARTITION BY product_id, pool ORDER BY seats, licence_id) AS up_to
        FROM (
            SELECT open.*, count(person_sourced_id) AS taken
            FROM open LEFT JOIN kept USING (licence_id) GROUP BY ALL
        )
    ),
    rest AS (
        SELECT person_sourced_id, product_id, pool,
               row_number() OVER (PARTITION BY product_id, pool ORDER BY is_new, since, person_sourced_id) AS place
        FROM line ANTI JOIN kept USING (person_sourced_id, product_id, pool)
    )
    FROM kept
    UNION ALL
    SELECT person_sourced_id, product_id, pool, licence_id
    FROM rest JOIN free USING (product_id, pool) WHERE place > up_to - seats AND place <= up_to
    """
