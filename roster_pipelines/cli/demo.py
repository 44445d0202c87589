"""`roster demo`: the main job for four districts, through the real daemon, checked at every step.

One drops its files by sFTP, the others are pulled from their APIs when it is time; then teachers sign in.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import duckdb
from sqlalchemy.engine import Engine

from roster_pipelines.cli import database, output, playground
from roster_pipelines.cli.dagster_api import DagsterApi, Run
from roster_pipelines.cli.dagster_instance import reserved, running
from roster_pipelines.cli.playground import Cast
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.duck import one
from roster_pipelines.errors import CallSomebody, RosterError
from roster_pipelines.platform import derived, plans, registry
from roster_pipelines.rostering.plan import PUBLISHED
from roster_pipelines.rostering.reasons import REASONS
from roster_pipelines.settings import settings

PRODUCT = "music-lessons"
# Each wait is for one run. With six busy loops beside it on two cores the first took 53 s, with twelve 92 s.
PATIENCE_SECONDS = 300

T = TypeVar("T")


class NotSo(RosterError):
    """A step of the demo did not come true."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "look at the run in Dagster's UI (roster up) and at the logs in the data folder")


@dataclass
class Steps:
    """Prints each step with the time it took, and waits for things to come true."""

    started: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)
    rows: list[tuple[str, str]] = field(default_factory=list)

    def done(self, what: str) -> None:
        """Print a step that is done."""
        now = time.monotonic()
        output.console.print(f"[green]✓[/] {now - self.last:5.1f} s  {what}")
        self.last = now

    def wait(self, what: str, look: Callable[[], T | None]) -> T:
        """Look until there is something.

        Raises:
            NotSo: There is nothing in time.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        with output.console.status(f"waiting for {what} (at most {PATIENCE_SECONDS} s)"):
            while time.monotonic() < deadline:
                found = look()
                if found is not None:
                    return found
                time.sleep(0.3)
        raise NotSo(f"{what} did not come within {PATIENCE_SECONDS} s")


def demo() -> None:
    """Play the first days of four districts, one for each kind of connection. A minute or two."""
    of, steps = settings(), Steps()
    if of.database_url:
        raise CallSomebody(
            "the demo writes invented teachers into the vendor's tables, so it plays on the embedded database only",
            "unset ROSTER_DATABASE_URL for it",
        )
    with ExitStack() as stack:
        lock = stack.enter_context(reserved(of, 0))
        url = stack.enter_context(database.server(of))
        engine = stack.enter_context(database.migrated(url))
        steps.done("PostgreSQL is up, schemas roster and platform are there")
        casts = playground.new_districts(of, engine)
        stack.enter_context(playground.playground(of, engine))
        steps.done("an sFTP server and the APIs of ClassLink, Infinite Campus and PowerSchool are up")
        api = stack.enter_context(running(of, url, 0, lock))
        steps.done("Dagster's code server, daemon and UI are up")
        play(engine, api, casts, steps)
    output.console.print(f"All of it in {time.monotonic() - steps.started:.0f} s. Look around in the UI: make ui")


def play(engine: Engine, api: DagsterApi, casts: Sequence[Cast], steps: Steps) -> None:
    """Play the districts' first days, and check at every step that what should have come true has.

    Raises:
        NotSo: Something has not.
    """
    from roster_pipelines.simulators import product

    for cast in casts:
        with engine.begin() as connection:
            product.sell(connection, cast.district, PRODUCT)
        if cast.player.kind == "sftp":
            _upload(engine, cast)
            steps.done(f"{cast.district} uploaded its files: {_numbers(cast.counts)}")
    arrived = {}
    for cast in casts:
        run = _run(api, cast.district, "process_delivery", steps)
        arrived[cast.district] = run.trigger
        _expect(f"published rows of {cast.district} before any sign-in", _published(engine, cast), _NOTHING)
        steps.done(f"{cast.district}: {run.trigger}, run {run.run_id[:8]} ended well after {run.seconds:.1f} s")
    steps.done("nobody has signed in, so no class was created")

    signed_in = {cast.district: _sign_in(engine, cast) for cast in casts}
    steps.done("teachers signed in by SSO; one of them holds no active account")
    for cast in casts:
        run = _run(api, cast.district, "refresh_entitlements", steps)
        active, _ = signed_in[cast.district]
        _expect(f"published rows of {cast.district}", _published(engine, cast), _from_files(cast.files, *active))
        numbers = _numbers(_published(engine, cast))
        steps.done(f"{cast.district}: {numbers}, as its files say; run {run.run_id[:8]} took {run.seconds:.1f} s")
    reasons = {cast.district: _reasons(engine, cast.district) for cast in casts}
    for cast in casts:
        active, waiting = signed_in[cast.district]
        told = [reasons[cast.district][teacher] for teacher in (*active, *waiting)]
        _expect(f"reasons of {cast.district}", told, [None] * len(active) + ["account-inactive"] * len(waiting))
    steps.done("who waits is known, and why")
    _tables(engine, casts, arrived, reasons, signed_in)


def _numbers(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)


_WHAT = [table.what for table in PUBLISHED]
_NOTHING = dict.fromkeys(_WHAT, 0)


def _sign_in(engine: Engine, cast: Cast) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sign teachers in: some hold accounts that a code made active, and in the first district one that none did."""
    from roster_pipelines.simulators import product

    active, waiting = (cast.teachers[:2], cast.teachers[2:3]) if cast.player.kind == "sftp" else (cast.teachers[:1], ())
    with engine.begin() as connection:
        for teacher in active:
            account = product.open_account(connection, cast.district, PRODUCT)
            product.sign_in(connection, cast.district, teacher, account)
        for teacher in waiting:
            product.sign_in(connection, cast.district, teacher, product.open_account(connection, cast.district))
    return active, waiting


def _reasons(engine: Engine, district: str) -> dict[str, str | None]:
    with engine.connect() as connection:
        return {teacher.person_sourced_id: teacher.reason for teacher in derived.waiting(connection, district)}


def _upload(engine: Engine, cast: Cast) -> None:
    """Do what a district's nightly script does: put every file into the root of its sFTP account."""
    import paramiko

    from roster_pipelines.connections import secret

    with engine.connect() as connection:
        sftp = registry.get(connection, cast.district).connection
    if not isinstance(sftp, SftpConnection):
        raise TypeError(f"{cast.district} has no sFTP folder")
    with paramiko.Transport((sftp.host, sftp.port)) as transport:
        transport.connect(username=sftp.username, password=secret.resolve(str(sftp.password)))
        client = paramiko.SFTPClient.from_transport(transport)
        if client is None:
            raise NotSo("the sFTP server gave no session")
        for file in sorted(cast.files.iterdir()):
            client.put(str(file), f"/{file.name}")


def _run(api: DagsterApi, district: str, job: str, steps: Steps) -> Run:
    def ended() -> Run | None:
        return next((run for run in api.runs(district) if run.job == job and run.ended), None)

    try:
        run = steps.wait(f"a run of {job} for {district}", ended)
    except NotSo as late:
        so_far = ", ".join(f"{run.job} {run.status}" for run in api.runs(district)) or "none was asked for"
        raise NotSo(f"{late.what} (of its runs, {so_far})") from None
    if run.status != "SUCCESS":
        raise NotSo(f"run {run.run_id[:8]} of {job} ended with {run.status}: {api.failure(run.run_id)}")
    return run


def _published(engine: Engine, cast: Cast) -> dict[str, int]:
    with engine.connect() as connection:
        return {table.what: plans.active(connection, cast.district, table) for table in PUBLISHED}


def _from_files(folder: Path, *teachers: str) -> dict[str, int]:
    """Count what the teachers' classes should come to, from the delivered file itself."""
    with duckdb.connect() as con:
        classes, in_classes, students, teaching = one(
            con,
            """
            WITH enrollment AS (FROM read_csv(?, all_varchar = true, header = true)),
            taught AS (SELECT * FROM enrollment WHERE role = 'teacher' AND list_contains(?, "userSourcedId")),
            learnt AS (SELECT DISTINCT "classSourcedId", "userSourcedId" FROM enrollment
                       WHERE role = 'student' AND "classSourcedId" IN (SELECT "classSourcedId" FROM taught))
            SELECT (SELECT count(DISTINCT "classSourcedId") FROM taught), (SELECT count(*) FROM learnt),
                   (SELECT count(DISTINCT "userSourcedId") FROM learnt), (SELECT count(*) FROM taught)
            """,
            [str(folder / "enrollments.csv"), list(teachers)],
        )
    counts = {
        "rostered_class": classes,
        "student_account": students,
        "rostered_class_teacher": teaching,
        "rostered_class_student": in_classes,
    }
    return {table.what: counts.get(table.name, 0) for table in PUBLISHED}


def _expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise NotSo(f"{what}: expected {expected}, found {found}")


def _tables(
    engine: Engine,
    casts: Sequence[Cast],
    arrived: Mapping[str, str],
    reasons: Mapping[str, Mapping[str, str | None]],
    signed_in: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]],
) -> None:
    rows = []
    for cast in casts:
        published, (_, late) = _published(engine, cast), signed_in[cast.district]
        others = sum(1 for teacher, reason in reasons[cast.district].items() if reason and teacher not in late)
        counts = (published[_WHAT_OF[name]] for name in ("rostered_class", "student_account"))
        rows.append((cast.district, cast.player.kind, arrived[cast.district], *counts, others))
    output.table("Four districts", ["district", "connection", "came by", "classes", "students", "not in yet"], rows)
    district = casts[0].district
    (teacher,) = signed_in[district][1]
    output.console.print(
        f"In {district}, one teacher signed in and waits: {REASONS[str(reasons[district][teacher])].what}."
    )
    output.console.print(f"Why does she see no classes? Ask: roster explain {district} {teacher}")
    output.console.print(f"Who else waits: roster plan {district} --waiting")


_WHAT_OF = {table.name: table.what for table in PUBLISHED}
