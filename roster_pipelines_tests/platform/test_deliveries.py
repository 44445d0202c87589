"""The ledger of deliveries."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.engine import Engine

from roster_pipelines.connections.gather import Gathered, Pull
from roster_pipelines.connections.landing import Receipt, receipt
from roster_pipelines.errors import LookAtData
from roster_pipelines.findings import Finding
from roster_pipelines.platform import database, deliveries
from roster_pipelines_tests.conftest import Databases

FOUND = (Finding("file-name", "warning", "users.csv"), Finding("file-unknown", "warning", "notes.txt"))
MORNING = datetime(2026, 11, 23, 6, tzinfo=UTC)


def landed(
    engine: Engine, folder: Path, content: str, hours: int = 0, district: str = "maple", pull: Pull | None = None
) -> Receipt:
    """A delivery of one file lands some hours after six."""
    (folder / "users.csv").write_text(content)
    gathered = Gathered({"users.csv": folder / "users.csv"}, FOUND, ("Users.CSV",), pull=pull)
    written = receipt(gathered, MORNING + timedelta(hours=hours))
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
    assert (newest.files, newest.findings) == (["users.csv"], FOUND)


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


def test_the_base_of_a_delivery_is_the_newest_accepted_one_that_landed_before_it(
    engine: Engine, tmp_path: Path
) -> None:
    first, second, refused, this, later = (landed(engine, tmp_path, text, hour) for hour, text in enumerate("abcde"))
    landed(engine, tmp_path, "f", 2, district="cedar")
    for written in (first, second, this, later):
        decide(engine, written, "accepted")
    decide(engine, refused, "refused", "it is bad")
    with engine.connect() as connection:
        bases = [deliveries.base(connection, "maple", written.delivery_id) for written in (first, second, this)]
    assert [base and base.delivery_id for base in bases] == [None, first.delivery_id, second.delivery_id]


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


def test_the_same_content_by_better_names_is_the_same_delivery_without_the_finding(
    engine: Engine, tmp_path: Path
) -> None:
    written = landed(engine, tmp_path, "a")
    again = receipt(Gathered({"users.csv": tmp_path / "users.csv"}, (), ("users.csv",)), MORNING + timedelta(days=1))
    with engine.begin() as connection:
        deliveries.found_again(connection, "maple", written.delivery_id, again, "the new listing")
        newest = deliveries.newest(connection, "maple")
    assert newest is not None
    assert (newest.delivery_id, newest.listing, newest.findings) == (written.delivery_id, "the new listing", ())
    assert newest.receipt["delivery_id"] == written.delivery_id
    assert newest.receipt["landed_at"] == str(MORNING)
    assert newest.receipt["taken"] == ["users.csv"]


def pulled(hours: int) -> Pull:
    """A pull of changes that began some hours after five."""
    began_at = MORNING + timedelta(hours=hours - 1)
    return Pull(began_at, "delta", MORNING - timedelta(days=2), 0, "https://sis.example", ("orgs", "users"))


def last_pull(engine: Engine, district: str = "maple") -> Pull | None:
    with engine.connect() as connection:
        return deliveries.last_pull(connection, district)


def test_the_last_pull_is_that_of_the_roster_in_use(engine: Engine, tmp_path: Path) -> None:
    assert last_pull(engine) is None
    for hours in range(2):
        written = landed(engine, tmp_path, f"{hours}", hours, pull=pulled(hours))
        assert last_pull(engine) is None, "it has only landed"
        decide(engine, written, "accepted")
        assert last_pull(engine) == pulled(hours)
    assert last_pull(engine, "cedar") is None


def test_after_a_refused_delivery_nobody_builds_on_the_pull_before_it(engine: Engine, tmp_path: Path) -> None:
    """What changed then would be asked for, and refused, again and again."""
    decide(engine, landed(engine, tmp_path, "good", pull=pulled(0)), "accepted")
    decide(engine, landed(engine, tmp_path, "bad", 1, pull=pulled(1)), "refused", "too much would be gone")
    assert last_pull(engine) is None
    decide(engine, landed(engine, tmp_path, "whole", 2, pull=pulled(2)), "accepted")
    assert last_pull(engine) == pulled(2)


def test_nobody_builds_on_files_that_were_dropped(engine: Engine, tmp_path: Path) -> None:
    decide(engine, landed(engine, tmp_path, "pulled", pull=pulled(0)), "accepted")
    decide(engine, landed(engine, tmp_path, "dropped", 1), "accepted")
    assert last_pull(engine) is None


NOTES = """{"files": [], "notes": {
    "users.csv": "file-name-case", "demographics.csv": "file-never-stored", "results.csv": "file-not-used",
    "ada@maple.example.txt": "file-unknown"}}"""


def test_deliveries_of_the_first_version_of_the_ledger_keep_what_was_found(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with databases.copy("template1") as engine:
        with monkeypatch.context() as before:
            upgrade = command.upgrade
            before.setattr(command, "upgrade", lambda config, _: upgrade(config, "0001"))
            database.migrate(engine)
        with engine.begin() as connection:
            for district, receipt_then in (("maple", NOTES), ("cedar", '{"files": [], "notes": {}}')):
                connection.execute(
                    sa.text("INSERT INTO roster.delivery VALUES (:d, 'x', 'x', now(), 'landed', null, null, '', :r)"),
                    {"d": district, "r": receipt_then},
                )
        database.migrate(engine)
        with engine.connect() as connection:
            maple, cedar = (deliveries.newest(connection, district) for district in ("maple", "cedar"))
    assert maple is not None
    assert cedar is not None
    assert set(maple.findings) == {
        Finding("file-name", "warning", "users.csv"),
        Finding("file-never-stored", "info", "demographics.csv"),
        Finding("file-not-used", "info", "results.csv"),
        Finding("file-unknown", "warning", "(a file)"),
    }
    assert cedar.findings == ()
    assert "notes" not in maple.receipt
