"""`roster report`: what the newest delivery's report says."""

from rich.markdown import Markdown

from roster_pipelines.cli import database, output
from roster_pipelines.cli.district import Key
from roster_pipelines.errors import LookAtData
from roster_pipelines.lake import Lake
from roster_pipelines.platform import deliveries, registry
from roster_pipelines.settings import settings


def report(district: Key) -> None:
    """Show the report of a district's newest delivery: verdict, rows per file, findings and what to do."""
    with database.opened() as engine, engine.connect() as connection:
        registry.get(connection, district)
        newest = deliveries.newest(connection, district)
    if newest is None:
        output.console.print(f"{district} has delivered nothing yet.")
        return
    path = Lake(settings().lake).report(district, newest.delivery_id)
    if not path.exists():
        raise LookAtData(
            f"delivery {newest.delivery_id} of {district} was {newest.status}", newest.reason or "it is being checked"
        )
    output.console.print(Markdown(path.read_text("utf-8")), soft_wrap=False)
