"""The ledger of deliveries."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.connections.landing import Receipt, receipt
from roster_pipelines.errors import LookAtData
from roster_pipelines.platform import deliveries

MORNING = datetime(2026, 11, 23, 6, tzinfo=UTC)


def landed(engine: Engine, folder: Path, content: str, hours: int = 0, district: str = "maple") -> Receipt:
    """A delivery of one file lands some hours after six."""
    (folder / "users.csv").write_text(content)
    files, notes = {"users.csv": folder / "users.csv"}, {"notes.txt": "file-unknown"}
    written = receipt(files, ("Users.CSV",), notes, MORNING + timedelta(hours=hours))
    with engine.begin() as connection:
        deliveries.record(connection, district, written)
    return written


def decide(engine: Engine, written: Receipt, status: deliveries.Status, reason: str | None = None) -> None:
    with engine.begin() as connection:
        deliveries.decide(connection, "maple", written.delivery_id, status, reason)


def test_a_delivery_that_has_landed_is_in_the_ledger_with_its_receipt(engine: Engine, tmp_path: Path) -> None:
    written = landed(engine, tmp_path, "a")
    with engine.connect() as connection:
        newest = deliveries.newest(connection, "maple")
    assert newest is not None
    assert (newest.delivery_id, newest.fingerprint) == (written.delivery_id, written.fingerprint)
    assert (newest.landed_at, newest.status, newest.reason) == (MORNING, "landed", None)
    assert (newest.files, newest.notes) == (["users.csv"], {"notes.txt": "file-unknown"})


def test_without_a_delivery_there_is_no_newest_and_no_roster(engine: Engine) -> None:
    with engine.connect() as connection:
        assert deliveries.newest(connection, "maple") is None
        with pytest.raises(LookAtData, match="maple has no accepted delivery yet"):
            deliveries.roster(connection, "maple")


def test_a_delivery_is_no_roster_until_it_is_accepted(engine: Engine, tmp_path: Path) -> None:
    written = landed(engine, tmp_path, "a")
    with engine.connect() as connection, pytest.raises(LookAtData):
        deliveries.roster(connection, "maple")
    decide(engine, written, "accepted")
    with engine.connect() as connection:
        assert deliveries.roster(connection, "maple").delivery_id == written.delivery_id


def test_the_last_good_delivery_stays_the_roster_while_newer_ones_are_refused(engine: Engine, tmp_path: Path) -> None:
    good, bad = landed(engine, tmp_path, "good"), landed(engine, tmp_path, "bad", hours=1)
    decide(engine, good, "accepted")
    decide(engine, bad, "refused", "users.csv, role: a required column is missing")
    with engine.connect() as connection:
        newest, roster = deliveries.newest(connection, "maple"), deliveries.roster(connection, "maple")
    assert roster.delivery_id == good.delivery_id
    assert newest is not None
    assert (newest.delivery_id, newest.status) == (bad.delivery_id, "refused")
    assert newest.reason == "users.csv, role: a required column is missing"


def test_the_newest_is_the_one_that_landed_last_whatever_order_it_was_entered_in(
    engine: Engine, tmp_path: Path
) -> None:
    late, early = landed(engine, tmp_path, "late", hours=2), landed(engine, tmp_path, "early")
    for written in (late, early):
        decide(engine, written, "accepted")
    with engine.connect() as connection:
        newest, roster = deliveries.newest(connection, "maple"), deliveries.roster(connection, "maple")
    assert newest is not None
    assert newest.delivery_id == roster.delivery_id == late.delivery_id


def test_deciding_on_one_district_leaves_the_same_delivery_of_another(engine: Engine, tmp_path: Path) -> None:
    mine, theirs = landed(engine, tmp_path, "a"), landed(engine, tmp_path, "a", district="cedar")
    assert mine.delivery_id == theirs.delivery_id
    decide(engine, mine, "accepted")
    with engine.connect() as connection:
        other = deliveries.newest(connection, "cedar")
    assert other is not None
    assert other.status == "landed"


def test_the_same_delivery_cannot_be_entered_twice(engine: Engine, tmp_path: Path) -> None:
    landed(engine, tmp_path, "a")
    with pytest.raises(sa.exc.IntegrityError):
        landed(engine, tmp_path, "a")
