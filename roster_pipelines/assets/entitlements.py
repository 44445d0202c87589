"""Which product each teacher of a district may use, and why."""

import dagster as dg
import duckdb

from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.partitions import districts
from roster_pipelines.platform import deliveries, derived, registry, vendor
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource

READ = ("sign_in", "account", "access_code", "product_resource", "licence", "school_choice")
"""What of the vendor's tables entitlements and gates are made from."""

LONGEST = 100
"""How many licences the table in the UI shows: first those for which teachers wait."""

_LICENCES = dg.TableSchema(
    [
        dg.TableColumn("licence_id", "int"),
        dg.TableColumn("product"),
        dg.TableColumn("scope", description="A school's NCES id, or the whole district."),
        dg.TableColumn("seats", description="Blank: any number."),
        dg.TableColumn("used", "int", description="Teachers who have a seat."),
        dg.TableColumn("waiting", "int", description="Teachers who would have one if there were more."),
    ]
)


@dg.asset(
    deps=[
        "identities",
        *(
            ["platform", table]
            for table in ("accounts", "account_links", "access_codes", "licences", "products", "school_choices")
        ),
    ],
    partitions_def=districts,
    group_name="rostering",
    kinds={"duckdb", "postgres"},
    owners=["team:integrations"],
    description="The right of each matched teacher to a product, with its basis and the licence whose seat it takes.",
)
def entitlements(
    context: dg.AssetExecutionContext, database: DatabaseResource, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Read accounts, codes and licences, work out the rights, keep them."""
    from roster_pipelines.duck import one
    from roster_pipelines.rostering import access, current, entitlement

    district = context.partition_key
    with typed_failures(context.retry_number), database.engine.begin() as connection:
        record = registry.get(connection, district)
        roster = deliveries.roster(connection, district)
        today = derived.matched_from(connection, district).day
        with (
            lake.lake.reading(lake.lake.staging(district, roster.delivery_id)) as staging,
            current.opened(staging, today, record) as con,
        ):
            derived.read(connection, con, district, "identity", "identity_key")
            derived.read_seats(connection, con, district)
            vendor.read(connection, con, district, *READ)
            access.holders(con)
            entitlement.entitlements(con, today, record)
            count, teachers, waiting = one(
                con,
                "SELECT count(*), count(DISTINCT person_sourced_id),"
                " count(DISTINCT person_sourced_id) FILTER (WHERE NOT seated) FROM entitlement",
            )
            licences = _licence_table(con)
            derived.write(connection, con, district, "entitlement")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": count,
            "teachers": teachers,
            "waiting for a seat": waiting,
            "licences": licences,
        }
    )


def _licence_table(con: duckdb.DuckDBPyConnection) -> dg.MetadataValue:
    query = "SELECT * FROM licence_use ORDER BY waiting DESC, licence_id LIMIT ?"
    names = [column.name for column in _LICENCES.columns]
    return dg.MetadataValue.table(
        [
            # A cell of a Dagster table cannot be NULL.
            dg.TableRecord(dict(zip(names, ("" if cell is None else cell for cell in row), strict=True)))
            for row in con.execute(query, [LONGEST]).fetchall()
        ],
        schema=_LICENCES,
    )
