"""Many folders are looked into within a given time, and no server's fault costs another district its look."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from roster_pipelines.connections import looking, sftp
from roster_pipelines.connections.arrival import File, Listing, Patience, Seen, fingerprint, movement
from roster_pipelines.connections.looking import Looked, Task, sweep
from roster_pipelines.connections.sftp_errors import LoginRefused, Unreached
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody, RosterError
from roster_pipelines_tests.conftest import Site, nowhere

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
USERS: File = ("users.csv", 100, MONDAY)
LONG = 60.0
CUT = Unreached("the session was cut", "it is tried again")
REFUSED = LoginRefused("the login is refused", "check the secret")
NOT_SHOWN = CallSomebody("the folder is not shown", "check directory")


@dataclass
class Servers:
    """All servers there are; what a folder or a login does, and who had a session."""

    folders: dict[str, RosterError | threading.Event] = field(default_factory=dict)
    logins: dict[str, RosterError] = field(default_factory=dict)
    sessions: list[str] = field(default_factory=list)
    visited: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    gathering: threading.Barrier | None = None

    @contextmanager
    def opened(self, connection: SftpConnection) -> Iterator["Servers"]:
        if connection.username in self.logins:
            raise self.logins[connection.username]
        with self.lock:
            self.sessions.append(connection.username)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.gathering:
                self.gathering.wait(LONG)
            yield self
        finally:
            with self.lock:
                self.at_once -= 1

    def folder(self, directory: str) -> "Folder":
        return Folder(self, directory)


@dataclass
class Folder:
    servers: Servers
    directory: str

    def files(self) -> list[File]:
        self.servers.visited.append(self.directory)
        does = self.servers.folders.get(self.directory)
        if isinstance(does, threading.Event):
            does.wait(LONG)
        elif does is not None:
            # As a session is cut once, and a folder is never shown.
            if isinstance(does, Unreached):
                del self.servers.folders[self.directory]
            raise does
        return [USERS]


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    servers = Servers()
    monkeypatch.setattr(sftp, "opened", servers.opened)
    return servers


def task(district: str, *, host: str = "sftp.example", account: str = "roster") -> Task:
    connection = nowhere().model_copy(update={"host": host, "username": account, "directory": f"/{district}"})
    return Task(district, connection, Seen(), Patience(timedelta(0), timedelta(0)))


def outcomes(looked: list[Looked]) -> dict[str, str]:
    """By district, what its look says, or what keeps us from it."""
    return {each.task.district: each.look.state if each.look else str(each.problem) for each in looked}


def test_the_folders_of_one_account_are_looked_into_within_one_session_in_their_order(servers: Servers) -> None:
    names = ["cedar", "alder", "birch"]
    assert outcomes(sweep([task(name) for name in names], LONG, 0)) == dict.fromkeys(names, "moving")
    assert servers.sessions == ["roster"]
    assert servers.visited == ["/cedar", "/alder", "/birch"]


def test_a_folder_that_is_not_shown_is_a_problem_of_that_folder_only(servers: Servers) -> None:
    servers.folders["/alder"] = NOT_SHOWN
    looked = sweep([task("alder"), task("birch")], LONG, 0)
    assert outcomes(looked) == {"alder": str(NOT_SHOWN), "birch": "moving"}
    assert servers.sessions == ["roster"]


def test_a_session_that_is_cut_costs_one_folder_its_look(servers: Servers) -> None:
    servers.folders["/birch"] = CUT
    looked = sweep([task(name) for name in ("alder", "birch", "cedar")], LONG, 0)
    assert outcomes(looked) == {"alder": "moving", "birch": str(CUT), "cedar": "moving"}
    assert servers.sessions == ["roster", "roster"]


@pytest.mark.parametrize("problem", [REFUSED, CUT])
def test_an_account_that_gets_no_session_is_a_problem_of_each_of_its_folders_and_asked_for_once(
    servers: Servers, problem: RosterError
) -> None:
    servers.logins["left"] = problem
    looked = sweep([task("alder", account="left"), task("birch", account="left"), task("cedar")], LONG, 0)
    assert outcomes(looked) == {"alder": str(problem), "birch": str(problem), "cedar": "moving"}


def test_what_there_is_no_time_for_is_neither_looked_into_nor_a_problem(servers: Servers) -> None:
    assert sweep([task("alder"), task("birch")], 0, 0) == []
    assert servers.sessions == []


def test_a_server_that_hangs_costs_no_other_its_look_and_is_a_problem_of_the_folder_it_hangs_at(
    servers: Servers,
) -> None:
    hangs = servers.folders["/birch"] = threading.Event()
    tasks = [task(name, host="slow.example") for name in ("alder", "birch", "cedar")]
    tasks += [task(name, host="quick.example") for name in ("dogwood", "elm")]
    try:
        looked = sweep(tasks, 3, 0)
    finally:
        hangs.set()
    told = outcomes(looked)
    assert told.pop("birch").startswith("the sFTP server does not answer in time")
    assert told == {"alder": "moving", "dogwood": "moving", "elm": "moving"}, "and cedar keeps its turn"


def test_a_server_is_asked_for_four_sessions_at_once_and_never_more(servers: Servers) -> None:
    servers.gathering = threading.Barrier(looking.SESSIONS_PER_SERVER)
    names = [f"account-{number}" for number in range(3 * looking.SESSIONS_PER_SERVER)]
    looked = sweep([task(name, account=name) for name in names], LONG, LONG)
    assert outcomes(looked) == dict.fromkeys(names, "moving")
    assert servers.most_at_once == looking.SESSIONS_PER_SERVER


def test_more_servers_than_threads_have_their_turn_one_after_the_other(servers: Servers) -> None:
    names = [f"district-{number}" for number in range(3 * looking.SERVERS_AT_ONCE)]
    looked = sweep([task(name, host=f"{name}.example") for name in names], LONG, LONG)
    assert outcomes(looked) == dict.fromkeys(names, "moving")
    assert servers.most_at_once <= looking.SERVERS_AT_ONCE


def test_a_mistake_of_our_own_costs_no_other_district_its_look_and_is_a_problem_by_its_kind_and_place(
    servers: Servers,
) -> None:
    servers.folders["/alder"] = ZeroDivisionError("Ana Example")  # type: ignore[assignment]
    servers.logins["left"] = ZeroDivisionError("Ana Example")  # type: ignore[assignment]
    told = outcomes(sweep([task("alder"), task("birch"), task("cedar", account="left")], LONG, LONG))
    assert told.pop("birch") == "moving"
    assert all(
        problem.startswith("looking into the folder ended with ZeroDivisionError in ") for problem in told.values()
    )
    assert "Ana" not in str(told)


def test_a_session_that_is_open_too_late_for_a_look_is_no_problem(servers: Servers) -> None:
    """Its folders keep their turn."""
    clock = iter([0.0, 0.0, 0.0])
    visit = looking._Visit(1.0)
    visit._has_time = lambda: next(clock, 2.0) < 1.0  # type: ignore[method-assign]
    visit.server(deque([deque([task("alder"), task("birch"), task("cedar")])]))
    assert {look.task.district for look in visit.ended() if look.problem} == set()


def test_real_folders_are_seen_as_they_are(site: Site) -> None:
    (site.folder("cedar-creek") / "users.csv").write_text("sourcedId\n")
    tasks = [
        Task(account, site.connection(account), Seen(), Patience(timedelta(0), timedelta(0)))
        for account in Site.accounts
    ]
    assert outcomes(sweep(tasks, LONG, LONG)) == {"maple-valley": "empty", "cedar-creek": "moving"}


def inspected(site: Site, seen: Seen, quiet: timedelta = timedelta(0)) -> Listing:
    with sftp.opened(site.connection()) as session:
        return looking.inspected(session.folder(), seen, Patience(quiet, quiet), MONDAY)


def test_a_folder_that_stands_still_is_seen_to_its_ends_and_what_its_manifest_names_is_read(site: Site) -> None:
    lines = ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.1"]
    lines += [
        "file.users,bulk",
        "file.orgs,delta",
        "file.classes,absent",
        "file.results,bulk",
        "file.demographics,bulk",
    ]
    (site.folder() / "Manifest.csv").write_text("\n".join(lines))
    (site.folder() / "users.csv").write_text("sourcedId,status\n1,active\n2")
    moving = inspected(site, Seen())
    assert (moving.named, moving.cut) == (None, ()), "what moves is not read"
    early = inspected(site, Seen(movement(moving.files), MONDAY), timedelta(minutes=5))
    assert (early.named, early.cut) == (None, ()), "nor what has not been quiet for long enough"
    still = inspected(site, Seen(movement(moving.files), MONDAY))
    assert still.named == {"users.csv", "orgs.csv"}, "gradebook and demographics are never read, so not waited for"
    assert still.cut == ("users.csv",)
    taken = inspected(site, Seen(movement(moving.files), taken=fingerprint(moving.files)))
    assert (taken.named, taken.cut) == (None, ()), "nor what was taken"


def test_a_zip_that_is_not_there_to_its_end_is_seen(site: Site) -> None:
    (site.folder() / "roster.zip").write_bytes(b"PK\x03\x04 and so on")
    seen = Seen(movement(inspected(site, Seen()).files), MONDAY)
    assert inspected(site, seen).cut == ("roster.zip",)
