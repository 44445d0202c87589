"""Which product each teacher of a district may use, and why."""

import dagster as dg
import duckdb

from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.assets.roster_in_use import roster_in_use
from roster_pipelines.assets.tables import table
from roster_pipelines.partitions import districts
from roster_pipelines.platform import derived, vendor
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
    from roster_pipelines.rostering import access, entitlement

    district = context.partition_key
    with (
        typed_failures(context.retry_number),
        database.engine.begin() as connection,
        roster_in_use(connection, lake.lake, district) as roster,
    ):
        con = roster.con
        derived.read(connection, con, district, "identity", "identity_key")
        derived.read_seats(connection, con, district)
        vendor.read(connection, con, district, *READ)
        access.holders(con)
        entitlement.entitlements(con, roster.made_from.day, roster.record)
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
    return table(_LICENCES, con.execute(query, [LONGEST]).fetchall())
