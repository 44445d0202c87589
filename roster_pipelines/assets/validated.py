"""The validated tables of a district: one asset per table of a roster, made together, as they refer to each other."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from roster_pipelines import checks
from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.district import District
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import LookAtData, RosterError
from roster_pipelines.lake import Lake
from roster_pipelines.oneroster import manifest
from roster_pipelines.oneroster.shape import Table
from roster_pipelines.oneroster.standard import ROSTER
from roster_pipelines.partitions import districts
from roster_pipelines.platform import arrivals, deliveries, drops, registry
from roster_pipelines.resources.clock import Clock
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource
from roster_pipelines.staging.summary import Summary
from roster_pipelines.staging.values import duckdb_type

Told = dict[str, dg.MetadataValue[Any]]
"""Metadata about the report."""


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
            for column in table.of("1.1")
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
            description=f"{table.meaning}: the roster's rows of {table.file}.",
            group_name="validated",
            kinds={"duckdb", "pandera"},
            owners=["team:integrations"],
            metadata={"dagster/column_schema": _column_schema(table)},
        )
        for table in ROSTER.values()
    ],
    check_specs=[spec for table in ROSTER.values() for spec in checks.specs(table)],
    partitions_def=districts,
)
def validated(
    context: dg.AssetExecutionContext, database: DatabaseResource, lake: LakeResource, clock: Clock
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Build the staging database of the newest delivery; decide whether it is the roster from now on."""
    from roster_pipelines.reports.html import html

    district = context.partition_key
    with typed_failures(context.retry_number):
        with database.engine.begin() as connection:
            record = registry.get(connection, district)
            delivery = deliveries.newest(connection, district)
            base = delivery and deliveries.base(connection, district, delivery.delivery_id)
        if delivery is None:
            raise LookAtData(f"{district} has no delivery to check", "materialize delivery first")
        with tempfile.TemporaryDirectory() as folder:
            staged = Path(folder) / "staging.duckdb"
            summary = _stage(lake.lake, record, delivery, base, staged, clock.today(record.time_zone))
            report = html(record.name, summary, delivery=delivery.delivery_id, made_at=clock.now())
            refused = _refusal(summary)
            # What is in use stays as it is, whatever a check by other rules says of it.
            in_use = delivery.status == "accepted"
            if not (refused and in_use):
                _keep(lake.lake, record, delivery, staged, report)
        with database.engine.begin() as connection:
            if not in_use:
                status: deliveries.Status = "refused" if refused else "accepted"
                deliveries.decide(connection, district, delivery.delivery_id, status, refused)
            if delivery.listing:
                whole = not arrivals.was_overdue(connection, district, delivery.delivery_id)
                expected = _expected(lake.lake, record, delivery) if whole and (in_use or not refused) else None
                drops.take(connection, district, delivery.listing, expected)
    told: Told = {"report": dg.MetadataValue.path(str(lake.lake.report(district, delivery.delivery_id)))}
    if not (refused and in_use):
        told |= _send(context, record, delivery, report)
    # Of a delivery that was refused at the door no file was read, so that none was checked.
    for table in ROSTER.values() if delivery.files else ():
        results = list(checks.results(table, summary))
        if refused:
            yield from results
        else:
            yield _materialized(table, summary, delivery, told, results)
    if refused:
        raise dg.Failure(
            f"the delivery is refused, the last good roster stays{' (it is this one)' if in_use else ''}: {refused}",
            metadata=told,
            allow_retries=False,
        )


def _expected(lake: Lake, record: District, delivery: deliveries.Delivery) -> list[str] | None:
    """Say which files are expected from now on; None where nothing of that changes, as with changes alone."""
    if manifest.FILE in delivery.files:
        with lake.reading(lake.delivery(record.district, delivery.delivery_id) / manifest.FILE) as path:
            if "delta" in manifest.parse(path.read_bytes()).modes.values():
                return None
    return delivery.files


def _refusal(summary: Summary) -> str | None:
    """Say in a line why a delivery is refused: the few causes that reach furthest."""
    causes = [finding for finding in summary.causes if finding.severity == "fatal"] or summary.fatal
    return "; ".join(f"{f.where}: {f.message} ({f.remedy})" for f in causes[:3]) or None


def _stage(
    lake: Lake,
    record: District,
    delivery: deliveries.Delivery,
    base: deliveries.Delivery | None,
    database: Path,
    today: date,
) -> Summary:
    from roster_pipelines.staging.build import build

    source = lake.delivery(record.district, delivery.delivery_id)
    with ExitStack() as open_files:
        files = {name: open_files.enter_context(lake.reading(source / name)) for name in delivery.files}
        before = base and lake.staging(record.district, base.delivery_id)
        roster = open_files.enter_context(lake.reading(before)) if before and before.exists() else None
        return build(files, delivery.findings, database, record.requires, today=today, base=roster)


def _keep(lake: Lake, record: District, delivery: deliveries.Delivery, database: Path, report: str) -> None:
    """Put the staging database and the report into the lake."""
    with lake.writing(lake.staging(record.district, delivery.delivery_id)) as local:
        shutil.move(database, local)
    with lake.writing(lake.report(record.district, delivery.delivery_id)) as local:
        local.write_text(report, "utf-8")


def _send(context: dg.AssetExecutionContext, record: District, delivery: deliveries.Delivery, report: str) -> Told:
    """Put the report into the district's folder where its record says so; that it cannot be there stops nothing."""
    to = record.connection
    if not isinstance(to, SftpConnection) or to.reports is None:
        return {}
    from roster_pipelines.connections.report_upload import upload_report

    try:
        upload_report(to, f"{delivery.delivery_id}.html", report)
    except RosterError as error:
        context.log.warning(f"the report was not delivered: {error}")
        return {"report_delivered": dg.MetadataValue.bool(False)}
    return {"report_delivered": dg.MetadataValue.bool(True)}


def _materialized(
    table: Table,
    summary: Summary,
    delivery: deliveries.Delivery,
    told: Told,
    results: list[dg.AssetCheckResult],
) -> dg.MaterializeResult[None]:
    counts = summary.tables[table.name]
    return dg.MaterializeResult(
        asset_key=checks.key(table),
        check_results=results,
        metadata={
            "dagster/row_count": counts.roster,
            "read": counts.read,
            "accepted": counts.accepted,
            "rejected": counts.rejected,
            "roster": counts.roster,
            **({} if counts.previous is None else {"previous": counts.previous}),
            "findings": sum(finding.count for finding in summary.of(table)),
            "delivery": delivery.delivery_id,
            **told,
        },
        data_version=dg.DataVersion(f"{delivery.fingerprint[:16]}-{table.name}"),
    )
