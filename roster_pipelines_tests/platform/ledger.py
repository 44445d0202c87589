"""A district's folder as its ledgers see it: looks by a clock that the test sets, and what runs decide."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Engine

from roster_pipelines.connections.arrival import File, Listing, Seen, decide
from roster_pipelines.connections.landing import Receipt
from roster_pipelines.connections.looking import Looked
from roster_pipelines.errors import CallSomebody, TryAgain
from roster_pipelines.platform import arrivals, deliveries, drops
from roster_pipelines.platform.arrivals import Arrival
from roster_pipelines_tests.conftest import nowhere, register

MAPLE, CEDAR = "maple-valley", "cedar-creek"
MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
USERS: File = ("users.csv", 100, MONDAY)
LARGER: File = ("users.csv", 120, MONDAY)


class Ledger:
    """A district's folder, looked into by a clock that the test sets."""

    def __init__(self, engine: Engine, district: str = MAPLE) -> None:
        self.engine = engine
        self.district = district
        self.record = register(
            engine, district, connection=nowhere().model_copy(update={"quiet_seconds": 60, "wait_seconds": 300})
        )
        self.now = MONDAY

    def look(self, *files: File, named: frozenset[str] | None = None, delta: bool = False) -> None:
        """Look a minute later."""
        self.now += MINUTE
        with self.engine.begin() as connection:
            task = drops.task(self.record, drops.seen(connection, self.district))
            listing = Listing(files, named, delta=delta)
            patience = replace(task.patience, required=frozenset())
            looked = Looked(task, decide(listing, task.seen, self.now, patience), listing)
            drops.remember(connection, [looked])
            arrivals.record(connection, [looked])

    def fails(self, problem: CallSomebody | TryAgain) -> None:
        with self.engine.begin() as connection:
            task = drops.task(self.record, drops.seen(connection, self.district))
            drops.remember(connection, [Looked(task, None, problem=problem)])

    def deliver(
        self, delivery_id: str, *files: File, accepted: bool = True, known: bool = False, decided: bool = True
    ) -> None:
        """Do what a run does."""
        shown = decide(Listing(files), Seen(), MONDAY, drops.task(self.record, Seen()).patience).files
        names = tuple(name for name, _, _ in files)
        with self.engine.begin() as connection:
            if not known:
                receipt = Receipt(delivery_id, delivery_id, MONDAY, (), names, (), sum(size for _, size, _ in files))
                deliveries.record(connection, self.district, receipt, shown)
                arrivals.end(connection, self.district, shown, delivery_id)
                if not decided:
                    return
                status: deliveries.Status = "accepted" if accepted else "refused"
                deliveries.decide(connection, self.district, delivery_id, status, None if accepted else "no users")
            else:
                arrivals.end(connection, self.district, shown, delivery_id)
            drops.take(connection, self.district, shown, names if accepted else None)

    @property
    def shown(self) -> list[Arrival]:
        with self.engine.connect() as connection:
            return arrivals.newest(connection, self.district, 20)

    @property
    def states(self) -> list[tuple[str, str | None]]:
        return [(arrival.state, arrival.delivery_id) for arrival in reversed(self.shown)]
