"""What districts' uploads are really like, each through the sensor's looks and, once it is asked for, the run.

Time is played: what looks have seen is made older, and files are written as of a clock that began days ago.
"""

import os
import shutil
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from roster_pipelines.catalogue import words
from roster_pipelines.jobs import SFTP_DROP, TRIGGER
from roster_pipelines.oneroster.standard import ROSTER
from roster_pipelines.platform import arrivals as ledger
from roster_pipelines.platform import deliveries, drops
from roster_pipelines.platform.arrivals import Arrival
from roster_pipelines.sensors.arrivals import arrivals
from roster_pipelines.simulators.sftp_habits import Cut, Habits
from roster_pipelines_tests.assets.conftest import MAPLE, Deployment, rewrite
from roster_pipelines_tests.conftest import url_of
from roster_pipelines_tests.sensors.ticks import requests, tick

NIGHT = 24 * 60
UNTIL_DECIDED = ("delivery", *(f"validated/{table}" for table in ROSTER))


@dataclass
class Door:
    """A district's folder on the server, the sensor, and the runs that it asks for."""

    deployment: Deployment
    files: Path
    clock: float = field(default_factory=lambda: time.time() - 10 * 86_400)

    @property
    def folder(self) -> Path:
        return self.deployment.site.folder()

    def put(self, *names: str) -> None:
        """Upload files over what is there; all of them, if none is named."""
        for name in names or sorted(path.name for path in self.files.iterdir()):
            shutil.copyfile(self.files / name, self.folder / name)

    def passes(self, minutes: float) -> None:
        """Let time go by: what has been written by now was written then, and all looks are longer ago."""
        for path in self.folder.iterdir():
            if abs(path.stat().st_mtime - time.time()) < 86_400:
                os.utime(path, (self.clock, self.clock))
        self.clock += 60 * minutes
        with self.deployment.engine.begin() as connection:
            connection.execute(
                sa.text("""
                    UPDATE roster.drop_look SET looked_at = looked_at - make_interval(secs => :s),
                        unchanged_since = unchanged_since - make_interval(secs => :s),
                        problem_since = problem_since - make_interval(secs => :s)
                """),
                {"s": 60 * minutes},
            )

    def look(self) -> bool:
        """Let the sensor look, a minute later; whether it asks for a run."""
        self.passes(1)
        asked = requests(tick(arrivals, self.deployment.instance, url_of(self.deployment.engine)))
        assert {(request.partition_key, request.tags[TRIGGER]) for request in asked} <= {(MAPLE, SFTP_DROP)}
        return bool(asked)

    def settles(self) -> bool:
        """Let the folder stand still for a quiet period between two looks; whether a run is asked for."""
        assert not self.look(), "one look is never enough"
        self.passes(5)
        return self.look()

    def run(self) -> dg.ExecuteInProcessResult:
        """Run what the sensor has asked for, until the delivery is decided on."""
        return self.deployment.run(tags={TRIGGER: SFTP_DROP}, only=UNTIL_DECIDED)

    def taken(self) -> dg.ExecuteInProcessResult:
        """Let the upload settle, and run it until it is decided on."""
        assert self.settles()
        return self.run()

    def landed(self) -> Path:
        """Let the upload settle, and run it until it has landed; then enter it as accepted. Where it has landed."""
        assert self.settles()
        assert self.deployment.run(tags={TRIGGER: SFTP_DROP}, only=("delivery",)).success
        with self.deployment.engine.begin() as connection:
            newest = deliveries.newest(connection, MAPLE)
            assert newest
            assert newest.status == "landed", "or else nothing was taken"
            deliveries.decide(connection, MAPLE, newest.delivery_id, "accepted")
            drops.take(connection, MAPLE, newest.listing, newest.files)
        return self.deployment.lake / "deliveries" / MAPLE / newest.delivery_id

    @property
    def latest(self) -> Arrival:
        with self.deployment.engine.connect() as connection:
            return ledger.newest(connection, MAPLE, 1)[0]

    @property
    def report(self) -> str:
        """What the district is told of its latest delivery."""
        return (self.deployment.lake / "reports" / MAPLE / f"{self.latest.delivery_id}.html").read_text("utf-8")

    def rows(self, table: str) -> int:
        """The lines of a file of the roster in use."""
        path = self.deployment.lake / "deliveries" / MAPLE / self.deployment.roster() / f"{table}.csv"
        return len(path.read_bytes().splitlines())


@pytest.fixture
def door(deployment: Deployment, files: Path) -> Door:
    """The door of a district that has not delivered yet, with the default quiet period and patience."""
    deployment.register(stage="onboarding", connection=deployment.site.connection(quiet_seconds=300, wait_seconds=3600))
    return Door(deployment, files)


@pytest.fixture
def second_night(delivered: Deployment, files: Path) -> Door:
    """A district a night after its first delivery has come through."""
    delivered.register(stage="onboarding", connection=delivered.site.connection(quiet_seconds=300, wait_seconds=3600))
    door = Door(delivered, files)
    door.passes(NIGHT)
    rewrite(door.files, "users", "FROM rows LIMIT 40")
    rewrite(door.files, "enrollments", "FROM rows LIMIT 90")
    return door


def state(door: Door) -> tuple[str, str]:
    return door.latest.state, door.latest.reason


def test_a_file_under_a_temporary_name_is_waited_for_and_taken_under_its_own(door: Door) -> None:
    door.put(*(path.name for path in door.files.iterdir() if path.name != "users.csv"))
    content = (door.files / "users.csv").read_bytes()
    growing = door.folder / "users.csv.filepart"
    for part in (1, 2, 3):
        growing.write_bytes(content[: len(content) * part // 3])
        assert not door.look()
    growing.rename(door.folder / "users.csv")
    door.landed()
    assert door.rows("users") == len(content.splitlines())


def test_a_file_that_grows_in_its_place_is_taken_when_it_has_stopped(door: Door) -> None:
    door.put()
    content = (door.files / "enrollments.csv").read_bytes()
    for second in range(0, 30, 5):
        (door.folder / "enrollments.csv").write_bytes(content[: len(content) * (second + 5) // 30])
        assert not door.look()
    door.landed()
    assert door.rows("enrollments") == len(content.splitlines())


def test_an_upload_that_was_cut_at_60_percent_is_waited_for_and_the_next_whole_one_is_taken(second_night: Door) -> None:
    second_night.put()
    content = (second_night.files / "enrollments.csv").read_bytes()
    sixty = content[: len(content) * 60 // 100]
    assert not sixty.endswith(b"\n")
    (second_night.folder / "enrollments.csv").write_bytes(sixty)
    assert not second_night.settles()
    assert state(second_night) == ("waiting", "enrollments.csv: not there to its end")
    second_night.put("enrollments.csv")
    assert second_night.taken().success
    assert second_night.rows("enrollments") == len(content.splitlines())


def test_an_upload_that_was_cut_for_good_is_told_after_an_hour_and_the_rows_that_came_are_what_counts(
    second_night: Door,
) -> None:
    content = (second_night.files / "enrollments.csv").read_bytes()
    second_night.put()
    (second_night.folder / "enrollments.csv").write_bytes(content[: len(content) * 60 // 100])
    assert not second_night.settles()
    second_night.passes(60)
    assert second_night.look()
    assert second_night.run().success
    assert words("row-truncated", "enrollments.csv")[0] in second_night.report


def test_files_ten_minutes_apart_are_taken_together(second_night: Door) -> None:
    names = sorted(path.name for path in second_night.files.iterdir())
    for name in names[:-1]:
        second_night.put(name)
        assert not second_night.look()
        second_night.passes(9)
        assert not second_night.look()
        assert second_night.latest.state == "waiting"
    second_night.put(names[-1])
    second_night.landed()
    assert second_night.rows("users") == 41


def test_a_first_upload_ten_minutes_apart_is_taken_when_all_that_is_required_is_there(door: Door) -> None:
    for name in ("classes.csv", "enrollments.csv", "manifest.csv", "orgs.csv", "academicSessions.csv", "courses.csv"):
        door.put(name)
        assert not door.settles()
        door.passes(4)
    door.put("users.csv")
    door.landed()


def test_a_zip_whose_last_bytes_are_missing_is_waited_for_and_told_after_an_hour(door: Door) -> None:
    zipped(door.files, door.folder / "roster.zip")
    content = (door.folder / "roster.zip").read_bytes()
    (door.folder / "roster.zip").write_bytes(content[:-10])
    assert not door.settles()
    assert state(door) == ("waiting", "the zip: not there to its end")
    door.passes(60)
    assert door.look()
    assert not door.run().success
    assert door.latest.state == "refused"
    (door.folder / "roster.zip").write_bytes(content)
    assert door.taken().success


def zipped(files: Path, path: Path, within: str = "") -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(files.iterdir()):
            archive.write(file, f"{within}{file.name}")


Upload = Callable[[Path, Path], None]


def changed(change: Callable[[bytes], bytes]) -> Upload:
    def upload(files: Path, folder: Path) -> None:
        for path in files.iterdir():
            (folder / path.name).write_bytes(change(path.read_bytes()))

    return upload


def renamed(name: Callable[[str], str]) -> Upload:
    def upload(files: Path, folder: Path) -> None:
        for path in files.iterdir():
            shutil.copyfile(path, folder / name(path.stem))

    return upload


def header_only(table: str) -> Upload:
    def upload(files: Path, folder: Path) -> None:
        shutil.copytree(files, folder, dirs_exist_ok=True)
        (folder / f"{table}.csv").write_bytes((files / f"{table}.csv").read_bytes().splitlines(keepends=True)[0])

    return upload


def zip_in_zip(files: Path, folder: Path) -> None:
    zipped(files, folder.parent / "inner.zip")
    with zipfile.ZipFile(folder / "roster.zip", "w") as archive:
        archive.write(folder.parent / "inner.zip", "inner.zip")


def accented(content: bytes) -> bytes:
    return content.decode().replace("Music", "Músic").encode("windows-1252")


@pytest.mark.parametrize(
    "upload",
    [
        pytest.param(lambda files, folder: zipped(files, folder / "roster.zip"), id="one zip"),
        pytest.param(lambda files, folder: zipped(files, folder / "r.zip", "roster/"), id="a folder in the zip"),
        pytest.param(changed(lambda text: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n")), id="BOM and CRLF"),
        pytest.param(changed(accented), id="accents of Windows-1252"),
        pytest.param(renamed(lambda name: f"{name.upper()}.CSV"), id="upper case"),
        pytest.param(renamed(lambda name: f"{name.lower()}.csv"), id="lower case"),
        pytest.param(renamed(lambda name: f"{name}_20261123.csv"), id="a date behind the name"),
        pytest.param(header_only("orgs"), id="orgs with a header only, for access codes"),
    ],
)
def test_what_comes_in_another_form_lands_under_the_standards_names(door: Door, upload: Upload) -> None:
    """That each of these is accepted, docs/conformance.md says."""
    upload(door.files, door.folder)
    assert door.settles()
    assert door.deployment.run(tags={TRIGGER: SFTP_DROP}, only=("delivery",)).success
    (landed,) = (door.deployment.lake / "deliveries" / MAPLE).iterdir()
    assert {path.name for path in landed.iterdir()} == {"receipt.json", *(path.name for path in door.files.iterdir())}
    assert '"fatal"' not in (landed / "receipt.json").read_text("utf-8")


@pytest.mark.parametrize(
    "upload",
    [
        pytest.param(lambda files, folder: zipped(files, folder / "r.zip", "__MACOSX/"), id="only __MACOSX"),
        pytest.param(zip_in_zip, id="a zip in the zip"),
        pytest.param(header_only("users"), id="users with a header only"),
    ],
)
def test_what_cannot_be_used_is_refused_once_with_a_report(door: Door, upload: Upload) -> None:
    upload(door.files, door.folder)
    assert not door.taken().success
    assert door.latest.state == "refused"
    assert door.report
    assert not door.settles(), "and it is not taken again"


def test_yesterdays_files_beside_tonights_are_waited_for_told_and_taken_after_an_hour(second_night: Door) -> None:
    second_night.put("users.csv", "manifest.csv")
    assert not second_night.settles()
    assert second_night.latest.state == "waiting"
    assert second_night.latest.reason.endswith(": of an earlier upload")
    second_night.passes(60)
    assert second_night.look()
    assert second_night.run().success
    assert words("files-apart", "orgs.csv")[0] in second_night.report
    assert second_night.latest.reason.endswith(": of an earlier upload")


def test_the_same_set_again_makes_no_run_and_a_line_in_the_ledger(door: Door) -> None:
    door.put()
    door.landed()
    roster = door.deployment.roster()
    door.passes(NIGHT)
    door.put()
    assert not door.settles()
    assert (door.latest.state, door.latest.delivery_id) == ("same", roster)


@pytest.mark.parametrize("mode", ["delta", "absent"])
def test_changes_alone_are_taken_without_the_files_that_the_manifest_leaves_out(second_night: Door, mode: str) -> None:
    manifest = second_night.files / "manifest.csv"
    lines = manifest.read_text("utf-8").splitlines()
    changed = [f"{line.split(',')[0]},{mode}" if line.startswith("file.") else line for line in lines]
    changed = ["file.users,delta" if line.startswith("file.users,") else line for line in changed]
    for path in second_night.folder.iterdir():
        path.unlink()
    manifest.write_text("\n".join(changed) + "\n")
    second_night.put("users.csv", "manifest.csv")
    assert second_night.settles() is (mode == "absent")
    if mode == "delta":
        assert second_night.latest.state == "waiting"
        assert second_night.latest.reason.endswith(": missing")


def test_times_in_the_future_hold_nothing_up(door: Door) -> None:
    door.put()
    for path in door.folder.iterdir():
        os.utime(path, (path.stat().st_mtime + 400 * 86400,) * 2)
    door.landed()


def test_a_folder_that_may_only_be_read_is_as_good(door: Door) -> None:
    door.put()
    door.deployment.site.server.habits = Habits(read_only=True)
    before = {path.name: path.read_bytes() for path in door.folder.iterdir()}
    door.landed()
    assert {path.name: path.read_bytes() for path in door.folder.iterdir()} == before


def test_on_a_saturday_on_which_nothing_comes_nothing_happens(door: Door) -> None:
    door.put()
    door.landed()
    before = door.latest
    for _ in range(5):
        door.passes(5 * 60)
        assert not door.look()
    assert door.latest == before


def test_what_is_replaced_before_its_run_is_told(second_night: Door) -> None:
    second_night.put()
    assert second_night.settles()
    rewrite(second_night.files, "users", "FROM rows LIMIT 30")
    second_night.put()
    assert second_night.taken().success
    with second_night.deployment.engine.connect() as connection:
        states = [arrival.state for arrival in ledger.newest(connection, MAPLE, 3)]
    assert states == ["accepted", "replaced", "accepted"]


def test_the_order_in_which_a_server_lists_a_folder_does_not_matter(door: Door) -> None:
    door.put()
    server = door.deployment.site.server
    server.habits = Habits(listing_seed=1)
    assert not door.look()
    server.habits = Habits(listing_seed=2)
    door.passes(5)
    assert door.look()
    server.habits = Habits(listing_seed=3)
    assert door.run().success


def test_a_connection_that_is_dropped_while_a_file_is_copied_costs_nothing(door: Door) -> None:
    door.put()
    assert door.settles()
    size = (door.files / "users.csv").stat().st_size
    door.deployment.site.server.habits = Habits(cuts={"users.csv": Cut(after=size // 2)}, read_bytes=size // 4)
    assert door.run().success
    landed = door.deployment.lake / "deliveries" / MAPLE / door.deployment.roster() / "users.csv"
    assert landed.read_bytes() == (door.files / "users.csv").read_bytes()


def test_a_server_that_allows_one_connection_at_a_time_is_content_with_ours_one_after_the_other(door: Door) -> None:
    door.deployment.site.server.habits = Habits(single_connection=True)
    door.put()
    door.landed()
    door.passes(NIGHT)
    door.put()
    assert not door.settles()
    assert door.latest.state == "same", "compared within the one connection, too"
