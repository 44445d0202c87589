"""The roster that a district's identities were made from, opened for the stages after them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
from sqlalchemy.engine import Connection

from roster_pipelines.district import District
from roster_pipelines.lake import Lake
from roster_pipelines.platform import deliveries, derived, registry


@dataclass(frozen=True)
class RosterInUse:
    """A district's roster in a DuckDB of its own, with what counts on the day that the identities were made.

    Attributes:
        con: Holds what `rostering.current` adds.
        record: The district's.
        delivery_id: Whose accepted rows they are.
        made_from: What the identities were made from; its day is that of the whole run.
    """

    con: duckdb.DuckDBPyConnection
    record: District
    delivery_id: str
    made_from: derived.MadeFrom


@contextmanager
def roster_in_use(connection: Connection, lake: Lake, district: str) -> Iterator[RosterInUse]:
    """Open the roster for a stage after `identities`.

    Raises:
        LookAtData: The district has no accepted delivery, or no identities yet.
    """
    from roster_pipelines.rostering import current

    record = registry.get(connection, district)
    roster = deliveries.roster(connection, district)
    made_from = derived.matched_from(connection, district)
    with (
        lake.reading(lake.staging(district, roster.delivery_id)) as staging,
        current.opened(staging, made_from.day, record) as con,
    ):
        yield RosterInUse(con, record, roster.delivery_id, made_from)
