"""A district's delivery: its files, fetched or pulled, copied into the lake with a receipt."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from sqlalchemy.engine import Engine

from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.connections import arrival
from roster_pipelines.connections.gather import Gathered
from roster_pipelines.district import District
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody, TryAgain
from roster_pipelines.jobs import BY_HAND, TELL, TRIGGER
from roster_pipelines.lake import Lake
from roster_pipelines.partitions import districts
from roster_pipelines.platform import arrivals, deliveries, drops, registry
from roster_pipelines.resources.clock import Clock
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource

if TYPE_CHECKING:
    from roster_pipelines.connections.sftp_folder import Folder


@dg.asset(
    partitions_def=districts,
    group_name="delivery",
    kinds={"oneroster"},
    owners=["team:integrations"],
    description="The newest complete set of a district's roster files: what lies in its sFTP folder, or what its "
    "API gives. The same content again makes no new delivery; an upload that goes on after all makes none yet.",
    output_required=False,
)
def delivery(
    context: dg.AssetExecutionContext, database: DatabaseResource, lake: LakeResource, clock: Clock
) -> Iterator[dg.MaterializeResult[None]]:
    """Fetch, land, and enter into the ledger; what is refused at the door lands too, so that it gets its report."""
    from roster_pipelines.connections import landing
    from roster_pipelines.connections.pages import Pages

    district = context.partition_key
    with typed_failures(context.retry_number), tempfile.TemporaryDirectory() as folder:
        with database.engine.begin() as connection:
            record = registry.get(connection, district)
        if TELL in context.run.tags:
            raise CallSomebody(context.run.tags[TELL], f"roster deliveries {district} tells more; ask the district")
        gathered = (
            _fetched(context, database.engine, record, record.connection, Path(folder), clock.now())
            if isinstance(record.connection, SftpConnection)
            else _pulled(context, database.engine, record, lake.lake, Path(folder), clock.now())
        )
        if gathered is None:
            return
        receipt = landing.receipt(gathered, clock.now())
        with database.engine.begin() as connection:
            before = deliveries.newest(connection, district)
        unchanged = before is not None and before.fingerprint == receipt.fingerprint
        delivery_id = before.delivery_id if before and unchanged else receipt.delivery_id
        if not unchanged:
            landing.land(lake.lake, district, gathered.files, receipt)
        with database.engine.begin() as connection:
            if unchanged:
                deliveries.found_again(connection, district, delivery_id, receipt, gathered.listing)
            else:
                deliveries.record(connection, district, receipt, gathered.listing)
            if gathered.listing:
                arrivals.end(connection, district, gathered.listing, delivery_id)
        Pages(lake.lake, lake.lake.pull(district)).clear()
    yield dg.MaterializeResult(
        metadata={
            "delivery": delivery_id,
            "unchanged": unchanged,
            "files": len(receipt.files),
            "findings": len(receipt.findings),
            "bytes": sum(file.size for file in receipt.files),
            **({} if receipt.pull is None else {"mode": receipt.pull.mode, "repeated": receipt.pull.repeated}),
            # It is written when the delivery has been checked.
            "report": dg.MetadataValue.path(str(lake.lake.report(district, delivery_id))),
            "receipt": dg.MetadataValue.path(str(lake.lake.delivery(district, delivery_id) / landing.RECEIPT)),
        },
        data_version=dg.DataVersion(receipt.fingerprint),
    )


def _fetched(
    context: dg.AssetExecutionContext,
    engine: Engine,
    record: District,
    connection: SftpConnection,
    folder: Path,
    now: datetime,
) -> Gathered | None:
    """Fetch what lies in a district's folder now, if it has stood still; where nobody asked for it, if it is whole.

    Returns:
        The delivery; None where the upload goes on after all: the sensor asks again when it has ended.
    """
    from roster_pipelines.connections import looking, sftp

    by_hand = context.run.tags.get(TRIGGER) in (None, BY_HAND)
    with engine.connect() as database:
        task = drops.task(record, drops.seen(database, record.district))
    shown: list[str] = []

    def look(remote: "Folder") -> None:
        listing = looking.inspected(remote, task.seen, task.patience, now)
        shown.append(arrival.fingerprint(listing.files))
        hindrance = arrival.hindrance(listing, task.seen, now, task.patience, whole=not by_hand)
        if hindrance:
            raise _NotYet(hindrance, "wait until its files are all there and have stood still")

    try:
        gathered = sftp.fetch_delivery(connection, folder, look)
    except _NotYet as reason:
        if by_hand:
            raise
        context.log.info(f"nothing is taken yet: {reason.what}")
        return None
    if gathered.listing != shown[-1]:
        raise TryAgain("a file changed before it was copied", "it is copied again once the upload has ended")
    return gathered


class _NotYet(TryAgain):
    """The upload goes on."""


def _pulled(
    context: dg.AssetExecutionContext, engine: Engine, record: District, lake: Lake, folder: Path, now: datetime
) -> Gathered:
    """Pull from a district's API, from where an earlier pull was cut."""
    from roster_pipelines.connections import pull
    from roster_pipelines.connections.pages import Pages

    with engine.connect() as database:
        last = deliveries.last_pull(database, record.district)
    if context.run.tags.get(TRIGGER) == BY_HAND:
        last = None
    pages = Pages(lake, lake.pull(record.district))
    return pull.pull(record, folder, pages, last, now, context.log.info)
