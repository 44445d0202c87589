"""Who each SSO sign-in of a district is in its roster."""

import json

import dagster as dg
import duckdb

from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.assets.tables import table
from roster_pipelines.checks import key
from roster_pipelines.oneroster.standard import ROSTER
from roster_pipelines.partitions import districts
from roster_pipelines.platform import deliveries, derived, plans, registry, vendor
from roster_pipelines.platform.identities import some
from roster_pipelines.platform.state import states
from roster_pipelines.resources.clock import Clock
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource

LONGEST = 50
"""How many unmatched sign-ins the table in the UI shows; `roster identities` lists all."""

_UNMATCHED = dg.TableSchema(
    [
        dg.TableColumn("sign_in_id", "int"),
        dg.TableColumn("outcome"),
        dg.TableColumn("candidates", description="By opaque id, whom its claims fit."),
    ]
)


@dg.asset(
    deps=[*(key(table) for table in ROSTER.values()), ["platform", "sign_ins"]],
    partitions_def=districts,
    group_name="rostering",
    kinds={"duckdb", "postgres"},
    owners=["team:integrations"],
    description="The link between each SSO sign-in and a person of the roster, or the reason why there is none. "
    "`match rate` is of all sign-ins; `match rate by` a key of those that carry it: how many it names rightly.",
)
def identities(
    context: dg.AssetExecutionContext, database: DatabaseResource, lake: LakeResource, clock: Clock
) -> dg.MaterializeResult[None]:
    """Read the sign-ins, match them, keep who is who and by which keys."""
    from roster_pipelines.rostering import current, identity
    from roster_pipelines.rostering.matching import matching

    district = context.partition_key
    with typed_failures(context.retry_number), database.engine.begin() as connection:
        # What is forgotten in between would be remembered again.
        plans.lock(connection, district)
        # Before the record and the rows: what changes in between is then seen as a change, and worked out again.
        state, by = states(connection, district), registry.fingerprint(connection, district)
        record = registry.get(connection, district)
        roster = deliveries.roster(connection, district)
        today = clock.today(record.time_zone)
        with (
            lake.lake.reading(lake.lake.staging(district, roster.delivery_id)) as staging,
            current.opened(staging, today, record) as con,
        ):
            vendor.read(connection, con, district, "sign_in")
            derived.read_keys(connection, con, district)
            identity.identities(con, record.sign_in, today)
            found = matching(con)
            unmatched = _unmatched_table(con)
            derived.write(connection, con, district, "identity")
            derived.write(connection, con, district, "identity_key")
        made_from = derived.MadeFrom(state[district], by, today)
        derived.record_matching(connection, district, made_from, found.sign_ins, found.matched)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": found.sign_ins,
            "matched": found.matched,
            **_rate("match rate", found.matched, found.sign_ins),
            **{f"matched by {name}": count for name, count in found.by_key.items()},
            **{
                label: rate
                for name, (named, carried) in found.claims.items()
                for label, rate in _rate(f"match rate by {name}", named, carried).items()
            },
            **{name: found.outcomes.get(name, 0) for name in ("rekeyed", *identity.OUTCOMES)},
            "unmatched": unmatched,
            "teachers without sign-in": found.teachers_without,
            "delivery": roster.delivery_id,
        }
    )


def _rate(label: str, count: int, of: int) -> dict[str, float]:
    """Give a percentage, as a float at all times: Dagster plots it. Of nothing there is none."""
    return {label: round(100 * count / of, 1)} if of else {}


def _unmatched_table(con: duckdb.DuckDBPyConnection) -> dg.MetadataValue:
    query = """
        SELECT sign_in_id, outcome, candidates FROM identity WHERE person_sourced_id IS NULL
        ORDER BY candidates = '[]', outcome, sign_in_id LIMIT ?
    """
    return table(
        _UNMATCHED,
        [
            (number, outcome, some(json.loads(fitting)))
            for number, outcome, fitting in con.execute(query, [LONGEST]).fetchall()
        ],
    )
