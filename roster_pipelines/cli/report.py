"""`roster report`: what the newest delivery's report says."""

import duckdb

from roster_pipelines.cli import database, output
from roster_pipelines.cli.district import AsJson, Key
from roster_pipelines.cli.validate import AsHtml, tell, write_html
from roster_pipelines.errors import LookAtData
from roster_pipelines.lake import Lake
from roster_pipelines.platform import deliveries, registry
from roster_pipelines.reports import as_json
from roster_pipelines.settings import settings
from roster_pipelines.staging.summary import Summary


def report(district: Key, json: AsJson = False, html: AsHtml = None) -> None:
    """Show the report of a district's newest delivery: verdict, rows per file, what to fix first and how."""
    with database.opened() as engine, engine.connect() as connection:
        record = registry.get(connection, district)
        newest = deliveries.newest(connection, district)
    if newest is None:
        if json:
            output.as_json(None)
        else:
            output.console.print(f"{district} has delivered nothing yet.")
        return
    lake = Lake(settings().lake)
    summary = _summary(lake, district, newest)
    if html is not None:
        write_html(html, record.name, summary, newest.landed_at, newest.delivery_id)
    if json:
        output.as_json({**as_json(summary), "delivery": newest.delivery_id, "status": newest.status})
        return
    tell(f"{record.name}, delivery {newest.delivery_id}", summary, html, sent=True)
    page = lake.report(district, newest.delivery_id)
    if page.exists():
        output.console.print(f"In the lake: {page}", markup=False)


def _summary(lake: Lake, district: str, delivery: deliveries.Delivery) -> Summary:
    """Read what staging found of a delivery.

    Raises:
        LookAtData: It was not checked yet, or by a version that wrote it down in another way.
    """
    from roster_pipelines.staging.build import summary

    path = lake.staging(district, delivery.delivery_id)
    if not path.exists():
        raise LookAtData(
            f"delivery {delivery.delivery_id} of {district} was {delivery.status}",
            delivery.reason or "it is being checked",
        )
    try:
        with lake.reading(path) as local, duckdb.connect(str(local), read_only=True) as con:
            return summary(con)
    except duckdb.Error as error:
        raise LookAtData(
            f"what was found of delivery {delivery.delivery_id} cannot be read ({type(error).__name__})",
            "have it checked again: materialize validated for the district",
        ) from None
