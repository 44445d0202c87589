"""`roster demo`: the main job from an sFTP drop to rostered classes, through the real daemon, checked at every step."""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

import duckdb
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.cli import database, output, playground
from roster_pipelines.cli.dagster_api import DagsterApi, Run
from roster_pipelines.cli.dagster_instance import reserved, running
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.duck import one
from roster_pipelines.errors import CallSomebody, RosterError
from roster_pipelines.platform import deliveries, derived, plans, registry
from roster_pipelines.rostering.plan import PUBLISHED
from roster_pipelines.rostering.reasons import REASONS
from roster_pipelines.settings import settings

PRODUCT = "music-lessons"
STUDENTS = 600
# Each wait is for one run or one sensor tick; a quiet machine needs ten seconds, a busy one forty.
PATIENCE_SECONDS = 120

T = TypeVar("T")


class NotSo(RosterError):
    """A step of the demo did not come true."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "look at the run in Dagster's UI (roster up) and at the logs in the data folder")


@dataclass
class _Steps:
    """Prints each step with the time it took, and waits for things to come true."""

    started: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)
    rows: list[tuple[str, str]] = field(default_factory=list)

    def done(self, what: str) -> None:
        now = time.monotonic()
        output.console.print(f"[green]✓[/] {now - self.last:5.1f} s  {what}")
        self.last = now

    def wait(self, what: str, look: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + PATIENCE_SECONDS
        with output.console.status(f"waiting for {what} (at most {PATIENCE_SECONDS} s)"):
            while time.monotonic() < deadline:
                found = look()
                if found is not None:
                    return found
                time.sleep(0.3)
        raise NotSo(f"{what} did not come within {PATIENCE_SECONDS} s")


def demo() -> None:
    """Play a district's first days: an sFTP drop, sign-ins, rostered classes. About a minute."""
    of, steps = settings(), _Steps()
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
        district = playground.new_district(of, engine)
        stack.enter_context(playground.playground(of, engine))
        steps.done(f"an sFTP server is up, district {district} is registered")
        api = stack.enter_context(running(of, url, 0, lock))
        steps.done("Dagster's code server, daemon and UI are up")
        _play(engine, api, district, steps, Path(stack.enter_context(tempfile.TemporaryDirectory())))
    output.console.print(f"All of it in {time.monotonic() - steps.started:.0f} s. Look around in the UI: make ui")


def _play(engine: Engine, api: DagsterApi, district: str, steps: _Steps, folder: Path) -> None:
    from roster_pipelines.simulators import districts, product

    with engine.begin() as connection:
        product.sell(connection, district, PRODUCT)
    made = districts.generate(folder, students=STUDENTS, school_year_start=districts.school_year(_today()))
    _upload(engine, district, folder)
    steps.done(f"the district uploaded its files: {', '.join(f'{n:,} {what}' for what, n in made.counts.items())}")

    run = _run(api, district, "process_delivery", steps)
    steps.done(f"the arrivals sensor found them; run {run.run_id[:8]} ended well after {run.seconds:.1f} s")
    with engine.connect() as connection:
        delivery = deliveries.roster(connection, district)
    _expect("published rows before any sign-in", _published(engine, district), dict.fromkeys(_WHAT, 0))
    steps.done(f"delivery {delivery.delivery_id} is the roster; nobody has signed in, so no class was created")

    first, second, third = made.teachers[:3]
    with engine.begin() as connection:
        for teacher in (first, second):
            product.sign_in(connection, district, teacher, product.open_account(connection, district, PRODUCT))
        product.sign_in(connection, district, third, product.open_account(connection, district))
    steps.done("three teachers signed in by SSO; two hold active accounts, by access code")

    run = _run(api, district, "refresh_entitlements", steps)
    steps.done(f"the sign-ins sensor noticed; run {run.run_id[:8]} ended well after {run.seconds:.1f} s")
    _expect("published rows", _published(engine, district), _from_files(folder, first, second))
    steps.done(
        f"{', '.join(f'{n:,} {what}' for what, n in _published(engine, district).items() if n)}: as the files say"
    )

    with engine.connect() as connection:
        waiting = {teacher.person_sourced_id: teacher.reason for teacher in derived.waiting(connection, district)}
    _expect("reasons of the three", [waiting[t] for t in (first, second, third)], [None, None, "account-inactive"])
    steps.done("the third waits, and the reason is known")
    _table(district, waiting, (first, second, third), engine)


def _today() -> date:
    return date.today()  # noqa: DTZ011 - any day around today will do


_WHAT = [table.what for table in PUBLISHED]


def _upload(engine: Engine, district: str, folder: Path) -> None:
    """Do what a district's nightly script does: put every file into the root of its sFTP account."""
    import paramiko

    from roster_pipelines.connections import secret

    with engine.connect() as connection:
        sftp = registry.get(connection, district).connection
    if not isinstance(sftp, SftpConnection):
        raise TypeError(f"{district} has no sFTP folder")
    with paramiko.Transport((sftp.host, sftp.port)) as transport:
        transport.connect(username=sftp.username, password=secret.resolve(str(sftp.password)))
        client = paramiko.SFTPClient.from_transport(transport)
        if client is None:
            raise NotSo("the sFTP server gave no session")
        for file in sorted(folder.iterdir()):
            client.put(str(file), f"/{file.name}")


def _run(api: DagsterApi, district: str, job: str, steps: _Steps) -> Run:
    def ended() -> Run | None:
        return next((run for run in api.runs(district) if run.job == job and run.ended), None)

    run = steps.wait(f"a run of {job} for {district}", ended)
    if run.status != "SUCCESS":
        raise NotSo(f"run {run.run_id[:8]} of {job} ended with {run.status}: {api.failure(run.run_id)}")
    return run


def _published(engine: Engine, district: str) -> dict[str, int]:
    with engine.connect() as connection:
        return {table.what: plans.active(connection, district, table) for table in PUBLISHED}


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


def _table(district: str, waiting: dict[str, str | None], teachers: tuple[str, ...], engine: Engine) -> None:
    with engine.connect() as connection:
        counts = {
            row[0]: (row[1], row[2])
            for row in connection.execute(
                sa.text("""
                    SELECT t.teacher_sourced_id, count(DISTINCT t.class_sourced_id),
                           count(DISTINCT s.student_sourced_id)
                    FROM platform.rostered_class_teacher t
                    LEFT JOIN platform.rostered_class_student s USING (district, class_sourced_id)
                    WHERE district = :district AND t.active AND s.active GROUP BY 1
                """),
                {"district": district},
            )
        }
    output.table(
        f"Rostered classes of {district}",
        ["teacher", "classes", "students", "state"],
        [
            (
                teacher,
                *counts.get(teacher, (0, 0)),
                "all gates open" if reason is None else f"waits: {REASONS[reason].what}",
            )
            for teacher in teachers
            for reason in [waiting[teacher]]
        ],
    )
    others = sum(1 for teacher, reason in waiting.items() if reason and teacher not in teachers)
    output.console.print(f"{others} more teachers wait until they sign in (roster plan {district} --waiting).")
    output.console.print(f"Why does one of them see no classes? Ask: roster explain {district} {teachers[2]}")
