"""Which gate each class of each teacher waits for, and why."""

import dagster as dg

from roster_pipelines.assets.entitlements import READ
from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.assets.roster_in_use import roster_in_use
from roster_pipelines.assets.tables import table
from roster_pipelines.partitions import districts
from roster_pipelines.platform import derived, vendor
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource
from roster_pipelines.rostering.reasons import REASONS

_REASONS = dg.TableSchema(
    [
        dg.TableColumn("gate"),
        dg.TableColumn("reason"),
        dg.TableColumn("teachers", "int", description="Whose class that gets furthest waits for it."),
        dg.TableColumn("classes", "int", description="Whose teacher who gets furthest waits for it."),
        dg.TableColumn("what opens it"),
        dg.TableColumn("who acts"),
    ]
)


@dg.asset(
    deps=["identities", "entitlements"],
    partitions_def=districts,
    group_name="rostering",
    kinds={"duckdb", "postgres"},
    owners=["team:integrations"],
    description="For each teacher and class, gate by gate, whether it holds or why not: why a teacher sees no classes.",
)
def gates(
    context: dg.AssetExecutionContext, database: DatabaseResource, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Answer every gate for every teacher and class, keep the answers, count them by reason."""
    from roster_pipelines.duck import one
    from roster_pipelines.rostering import access
    from roster_pipelines.rostering import gates as rules

    district = context.partition_key
    with typed_failures(context.retry_number), database.engine.begin() as connection:
        with roster_in_use(connection, lake.lake, district) as roster:
            con = roster.con
            derived.read(connection, con, district, "identity", "identity_key", "entitlement")
            vendor.read(connection, con, district, *READ)
            access.holders(con)
            rules.gates(con, roster.made_from.day, roster.record)
            count, teachers, planned = one(
                con,
                "SELECT count(*), count(DISTINCT person_sourced_id) FILTER (WHERE class_sourced_id IS NOT NULL),"
                " count(DISTINCT class_sourced_id) FILTER (WHERE planned) FROM gate",
            )
            derived.write(connection, con, district, "gate")
        counts = [c for c in derived.counts(connection, district) if c.reason]
        if_signed_in = derived.classes_if_all_signed_in(connection, district)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": count,
            "teachers with a class": teachers,
            "classes planned": planned,
            "more classes if every waiting teacher signed in": if_signed_in,
            "reasons": _reason_table(counts),
            **{f"waiting for {c.gate}: {c.reason}": c.teachers for c in counts},
        }
    )


def _reason_table(counts: list[derived.Reasoned]) -> dg.MetadataValue:
    reasons = [(count, REASONS[str(count.reason)]) for count in counts]
    return table(_REASONS, [(c.gate, c.reason, c.teachers, c.classes, r.opens, r.who) for c, r in reasons])
