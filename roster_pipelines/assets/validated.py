"""The validated tables of a district: one asset per OneRoster table, made together, as they refer to each other."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
from upath import UPath

from roster_pipelines import checks
from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.district import District
from roster_pipelines.errors import LookAtData
from roster_pipelines.lake import Lake
from roster_pipelines.oneroster.standard import TABLES, Table
from roster_pipelines.partitions import districts
from roster_pipelines.platform import deliveries, drops, registry
from roster_pipelines.reports.delivery import markdown
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource
from roster_pipelines.staging.summary import Summary
from roster_pipelines.staging.typed import duckdb_type


def _column_schema(table: Table) -> dg.TableSchema:
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                duckdb_type(column),
                description=column.meaning,
                constraints=dg.TableColumnConstraints(
                    nullable=not column.needed,
                    unique=column.format == "id",
                    other=_constraints(column.references),
                ),
            )
            for column in table.columns
            if column.stored
        ]
    )


def _constraints(references: str) -> list[str]:
    return [f"references {references}"] if references else []


@dg.multi_asset(
    name="validated",
    specs=[
        dg.AssetSpec(
            checks.key(table),
            deps=["delivery"],
            partitions_def=districts,
            description=f"{table.meaning}: the accepted rows of {table.file}.",
            group_name="validated",
            kinds={"duckdb", "pandera"},
            owners=["team:integrations"],
            metadata={"dagster/column_schema": _column_schema(table)},
        )
        for table in TABLES.values()
    ],
    check_specs=[spec for table in TABLES.values() for spec in checks.specs(table)],
    partitions_def=districts,
)
def validated(
    context: dg.AssetExecutionContext, database: DatabaseResource, lake: LakeResource
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Build the staging database of the newest delivery; decide whether it is the roster from now on."""
    district = context.partition_key
    with typed_failures(context.retry_number):
        with database.engine.begin() as connection:
            record = registry.get(connection, district)
            delivery = deliveries.newest(connection, district)
        if delivery is None or not delivery.files:
            raise LookAtData(
                f"{district} has no delivery to check", (delivery and delivery.reason) or "materialize delivery first"
            )
        with tempfile.TemporaryDirectory() as folder:
            staged = Path(folder) / "staging.duckdb"
            summary = _stage(lake.lake, record, delivery, staged)
            refused = "; ".join(f"{finding.message} ({finding.remedy})" for finding in summary.fatal[:3]) or None
            report = lake.lake.report(district, delivery.delivery_id)
            # What is in use stays as it is, whatever a check by other rules says of it.
            in_use = delivery.status == "accepted"
            if not (refused and in_use):
                _keep(lake.lake, record, delivery, summary, staged)
        with database.engine.begin() as connection:
            if not in_use:
                status: deliveries.Status = "refused" if refused else "accepted"
                deliveries.decide(connection, district, delivery.delivery_id, status, refused)
            drops.take(connection, district, delivery.listing)
    for table in TABLES.values():
        results = list(checks.results(table, summary))
        if refused:
            yield from results
        else:
            yield _materialized(table, summary, delivery, report, results)
    if refused:
        raise dg.Failure(
            f"the delivery is refused, the last good roster stays{' (it is this one)' if in_use else ''}: {refused}",
            metadata={"report": dg.MetadataValue.path(str(report))},
            allow_retries=False,
        )


def _stage(lake: Lake, record: District, delivery: deliveries.Delivery, database: Path) -> Summary:
    from roster_pipelines.staging.build import build

    source = lake.delivery(record.district, delivery.delivery_id)
    with ExitStack() as open_files:
        files = {name: open_files.enter_context(lake.reading(source / name)) for name in delivery.files}
        return build(files, delivery.notes, database, record.registration)


def _keep(lake: Lake, record: District, delivery: deliveries.Delivery, summary: Summary, database: Path) -> None:
    """Put the staging database and the report into the lake."""
    with lake.writing(lake.staging(record.district, delivery.delivery_id)) as local:
        shutil.move(database, local)
    with lake.writing(lake.report(record.district, delivery.delivery_id)) as local:
        local.write_text(markdown(f"{record.name}, delivery {delivery.delivery_id}", summary), "utf-8")


def _materialized(
    table: Table,
    summary: Summary,
    delivery: deliveries.Delivery,
    report: UPath,
    results: list[dg.AssetCheckResult],
) -> dg.MaterializeResult[None]:
    counts = summary.tables[table.name]
    return dg.MaterializeResult(
        asset_key=checks.key(table),
        check_results=results,
        metadata={
            "dagster/row_count": counts.accepted,
            "read": counts.read,
            "rejected": counts.rejected,
            "findings": sum(finding.count for finding in summary.of(table)),
            "delivery": delivery.delivery_id,
            "report": dg.MetadataValue.path(str(report)),
        },
        data_version=dg.DataVersion(f"{delivery.fingerprint[:16]}-{table.name}"),
    )
