"""A district's delivery: what lies in its folder now, copied into the lake with a receipt."""

import tempfile
from datetime import timedelta
from pathlib import Path

import dagster as dg

from roster_pipelines.assets.failures import typed_failures
from roster_pipelines.connections.arrival import Seen, settled
from roster_pipelines.errors import TryAgain
from roster_pipelines.partitions import districts
from roster_pipelines.platform import deliveries, drops, registry
from roster_pipelines.resources.clock import Clock
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.resources.lake import LakeResource


@dg.asset(
    partitions_def=districts,
    group_name="delivery",
    kinds={"sftp", "csv"},
    owners=["team:integrations"],
    description="The newest complete set of a district's roster files, landed as it came. The same files again make "
    "no new delivery.",
)
def delivery(
    context: dg.AssetExecutionContext, database: DatabaseResource, lake: LakeResource, clock: Clock
) -> dg.MaterializeResult[None]:
    """Fetch, land, and enter into the ledger; what is refused at the door lands too, so that it gets its report."""
    from roster_pipelines.connections import landing, sftp

    district = context.partition_key
    with typed_failures(context.retry_number), tempfile.TemporaryDirectory() as folder:
        with database.engine.begin() as connection:
            record = registry.get(connection, district)
            seen = drops.seen(connection).get(district, Seen())
        gathered = sftp.fetch_delivery(record.connection, Path(folder))
        if not settled(gathered.listing, seen, clock.now(), timedelta(seconds=record.connection.quiet_seconds)):
            raise TryAgain("the folder is still moving", "its files are taken once they have stood still")
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
    return dg.MaterializeResult(
        metadata={
            "delivery": delivery_id,
            "unchanged": unchanged,
            "files": len(receipt.files),
            "findings": len(receipt.findings),
            "bytes": sum(file.size for file in receipt.files),
            # It is written when the delivery has been checked.
            "report": dg.MetadataValue.path(str(lake.lake.report(district, delivery_id))),
            "receipt": dg.MetadataValue.path(str(lake.lake.delivery(district, delivery_id) / landing.RECEIPT)),
        },
        data_version=dg.DataVersion(receipt.fingerprint),
    )
