"""Look into many districts' sFTP folders within a given time: a thread per server, a session per account."""

import time
import traceback
from collections import defaultdict, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from roster_pipelines.connections import ends
from roster_pipelines.connections.arrival import Listing, Look, Patience, Seen, decide, fingerprint, movement
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody, RosterError, TryAgain
from roster_pipelines.oneroster import manifest
from roster_pipelines.oneroster.package import contents, is_read

if TYPE_CHECKING:
    from roster_pipelines.connections.sftp import Session
    from roster_pipelines.connections.sftp_folder import Folder

SERVERS_AT_ONCE = 16
# OpenSSH begins to turn connections away where ten have not logged in yet.
SESSIONS_PER_SERVER = 4


@dataclass(frozen=True)
class Task:
    """One folder to look into.

    Attributes:
        district: Whose.
        connection: Where and how.
        seen: What earlier looks and runs left.
        patience: How long its uploads are waited for.
    """

    district: str
    connection: SftpConnection
    seen: Seen
    patience: Patience


NOTHING = Listing(())


@dataclass(frozen=True)
class Looked:
    """One look that was made, or tried.

    Attributes:
        task: At what.
        look: What it says; None where the folder could not be looked into.
        listing: What was there.
        problem: Why it could not be looked into.
    """

    task: Task
    look: Look | None
    listing: Listing = NOTHING
    problem: RosterError | None = None


def sweep(tasks: Sequence[Task], seconds: float, grace: float) -> list[Looked]:
    """Look into folders, the first first, as many as there is time for.

    Args:
        tasks: The folders.
        seconds: After so many no further look is begun.
        grace: So much longer looks that were begun are waited for; one that has not ended then is a problem.

    Returns:
        The looks; what there was no time for is not among them.
    """
    until = time.monotonic() + seconds
    visit = _Visit(until)
    servers: dict[tuple[str, int], dict[object, deque[Task]]] = defaultdict(lambda: defaultdict(deque))
    for task in tasks:
        to = task.connection
        login = (to.username, to.password, to.private_key, to.host_key)
        servers[to.host, to.port][login].append(task)
    pool = ThreadPoolExecutor(SERVERS_AT_ONCE, "looking")
    try:
        work = []
        for logins in servers.values():
            accounts = deque(logins.values())
            work += [pool.submit(visit.server, accounts) for _ in range(min(len(accounts), SESSIONS_PER_SERVER))]
        wait(work, max(0, until + grace - time.monotonic()))
    finally:
        # A server that hangs is left to its own time limits: what it says then, nobody hears.
        pool.shutdown(wait=False, cancel_futures=True)
    return visit.ended()


class _Visit:
    """The looks of one sweep, by several threads."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._looked: list[Looked] = []
        self._begun: dict[str, Task] = {}

    def server(self, accounts: deque[deque[Task]]) -> None:
        """Visit a server's accounts, one after the other, until none is left."""
        while self._has_time():
            try:
                tasks = accounts.popleft()
            except IndexError:  # another thread has taken the last
                return
            while tasks and self._has_time():
                self._account(tasks)

    def ended(self) -> list[Looked]:
        """Give the looks so far; those that were begun and have not ended did not come to anything."""
        looked = list(self._looked)
        known = {look.task.district for look in looked}
        hung = [task for key, task in self._begun.copy().items() if key not in known]
        late = TryAgain("the sFTP server does not answer in time", "it is tried again; if this goes on, ask its owner")
        return looked + [Looked(task, None, problem=late) for task in hung]

    def _has_time(self) -> bool:
        return time.monotonic() < self._until

    def _account(self, tasks: deque[Task]) -> None:
        """Look into an account's folders within one session; a session that is cut costs the look of one folder."""
        from roster_pipelines.connections import sftp

        opened = False
        self._begun[tasks[0].district] = tasks[0]
        try:
            with sftp.opened(tasks[0].connection) as session:
                opened = True
                while tasks and self._has_time():
                    self._begun[tasks[0].district] = tasks[0]
                    self._looked.append(_look(session, tasks[0]))
                    tasks.popleft()
            if tasks:  # opened too late for the next
                self._begun.pop(tasks[0].district, None)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not cost other districts their looks
            problem = error if isinstance(error, RosterError) else unexpected(error)
            failed = [tasks.popleft()] if opened and tasks else [tasks.popleft() for _ in range(len(tasks))]
            self._looked += [Looked(task, None, problem=problem) for task in failed]


def _look(session: "Session", task: Task) -> Looked:
    from roster_pipelines.connections.sftp_errors import Unreached

    try:
        now = datetime.now(UTC)
        listing = inspected(session.folder(task.connection.directory), task.seen, task.patience, now)
        return Looked(task, decide(listing, task.seen, now, task.patience), listing)
    except Unreached:
        raise
    except RosterError as problem:  # of this folder, not of the session
        return Looked(task, None, problem=problem)
    except Exception as error:  # noqa: BLE001 - nor must this
        return Looked(task, None, problem=unexpected(error))


def unexpected(error: Exception) -> CallSomebody:
    """Tell a mistake of our own by its kind and place: its text may quote what is in a folder."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return CallSomebody(
        f"looking into the folder ended with {type(error).__name__} in {Path(place.filename).name}:{place.lineno}",
        "report it: this is a mistake of the program",
    )


def inspected(folder: "Folder", seen: Seen, patience: Patience, now: datetime) -> Listing:
    """List a folder; where it has stood still for long enough and was not taken yet, see whether it is whole.

    Raises:
        TryAgain: A file went meanwhile, or the session was cut.
        CallSomebody: The folder is not shown.
    """
    files = tuple(folder.files())
    still = movement(files) == seen.listing and seen.unchanged_since is not None
    if fingerprint(files) == seen.taken or not still or now - seen.unchanged_since < patience.quiet:  # type: ignore[operator]
        return Listing(files)
    found = contents([file.name for file in files])
    modes: dict[str, manifest.Mode] = {}
    if manifest.FILE in found.files:
        modes = manifest.parse(folder.head(found.files[manifest.FILE], manifest.READ_BYTES)).modes
    cut = [name for name in found.zips if not ends.zip_ends(folder.tail(name, ends.ZIP_TAIL))]
    for name in found.files.values():
        if not ends.csv_ends(folder.head(name, ends.CSV_BYTES), folder.tail(name, ends.CSV_BYTES)):
            cut.append(name)
    there = {f"{table}.csv" for table, mode in modes.items() if mode != "absent"}
    return Listing(files, frozenset(filter(is_read, there)) or None, tuple(cut), "delta" in modes.values())
