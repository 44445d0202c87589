"""How long it takes from a teacher's sign-in to visible classes, in a system with many districts.

    .venv/bin/python benchmarks/sign_in.py [--districts 200] [--sign-ins 40] [--every 6]

Everything is real and as `roster up` runs it: the embedded PostgreSQL, Dagster's code server, daemon and webserver, and
an sFTP server with an account for each district, into which the arrivals sensor looks all the while. Each district has
its roster (600 students) already. Every few seconds a teacher of another district signs in; the time runs from the
commit of the sign-in's row to the moment at which another connection sees the class. The floor is what the same run
takes by itself, from its first event to its last, as Dagster's own run records tell.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from roster_pipelines.cli import database
from roster_pipelines.cli.dagster_instance import reserved, running
from roster_pipelines.connections.gather import gather_local
from roster_pipelines.connections.landing import Receipt
from roster_pipelines.district import District, SignIn, Terms
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.lake import Lake
from roster_pipelines.platform import deliveries, plans, registry
from roster_pipelines.platform.state import states
from roster_pipelines.settings import Settings
from roster_pipelines.simulators import districts, product
from roster_pipelines.simulators.sftp_server import SftpServer
from roster_pipelines.staging.build import build

PASSWORD = "BENCHMARK_SFTP_PASSWORD"  # noqa: S105 - the variable's name
PRODUCT = "music-lessons"
DELIVERY = "delivery-1"
PATIENCE_SECONDS = 120

signed_in_at: dict[str, float] = {}
"""By district, when its teacher signed in, as the wall clock has it."""


def roster(folder: Path) -> tuple[Path, list[str]]:
    """Stage one invented district; give its staging database and its teachers."""
    made = districts.generate(folder / "files", students=600, school_year_start=districts.school_year(date.today()))  # noqa: DTZ011
    gathered = gather_local(made.folder, folder)
    staging = folder / "staging.duckdb"
    build(gathered.files, gathered.findings, staging, "access_code", today=date.today())  # noqa: DTZ011
    return staging, made.teachers


def enter(engine: Engine, lake: Lake, names: list[str], sftp: SftpServer, staging: Path) -> None:
    """Register the districts, each with its accepted roster and a plan that was made from today's state."""
    with engine.begin() as connection:
        for name in names:
            registry.apply(connection, _record(name, sftp), by="benchmark", why="benchmark")
            product.sell(connection, name, PRODUCT)
            deliveries.record(connection, name, Receipt(DELIVERY, DELIVERY, datetime.now(UTC), (), (), {}))
            deliveries.decide(connection, name, DELIVERY, "accepted")
            target = Path(lake.staging(name, DELIVERY).path)
            target.parent.mkdir(parents=True)
            target.hardlink_to(staging)
    with engine.begin() as connection:
        for name, state in states(connection).items():
            plans.record(connection, name, plans.new_id(connection), DELIVERY, {}, state)


def _record(name: str, sftp: SftpServer) -> District:
    return District(
        district=name,
        name=name,
        stage="live",
        connection=SftpConnection(
            kind="sftp",
            host="127.0.0.1",
            port=sftp.port,
            username=name,
            password=f"env:{PASSWORD}",
            host_key=sftp.public_host_key,
        ),
        sign_in=SignIn(provider="classlink"),
        terms=Terms(opens_days_before=90),
    )


def measure(engine: Engine, names: list[str], teachers: list[str], every: float) -> dict[str, float]:
    """Sign a teacher in, in one district after the other; give the seconds until each one's classes are there."""
    began: dict[str, float] = {}
    took: dict[str, float] = {}
    waiting = list(names)
    next_at = time.monotonic()
    while len(took) < len(names):
        now = time.monotonic()
        if waiting and now >= next_at:
            name = waiting.pop(0)
            with engine.begin() as connection:
                account = product.open_account(connection, name, PRODUCT)
                product.sign_in(connection, name, teachers[len(waiting) % len(teachers)], account)
            began[name] = time.monotonic()
            signed_in_at[name] = time.time()
            next_at += every
        with engine.connect() as connection:
            seen = set(
                connection.scalars(sa.text("SELECT DISTINCT district FROM platform.rostered_class WHERE active"))
            )
        now = time.monotonic()
        took |= {name: now - began[name] for name in seen if name in began and name not in took}
        if late := [name for name in began if name not in took and now - began[name] > PATIENCE_SECONDS]:
            raise SystemExit(f"no classes after {PATIENCE_SECONDS} s in {late[0]}")
        time.sleep(0.1)
    return took


def parts(engine: Engine, names: list[str]) -> list[float]:
    """Give the median seconds from sign-in to the run's request, to its start, and to its end."""
    query = "SELECT extract(epoch FROM create_timestamp), start_time, end_time FROM runs WHERE partition = :name"
    found = []
    with engine.connect() as connection:
        for name in names:
            asked, began, ended = connection.execute(sa.text(query), {"name": name}).all()[-1]
            if ended is not None:  # the classes are there a moment before the run's end
                found.append((float(asked) - signed_in_at[name], began - float(asked), ended - began))
    return [statistics.median(part) for part in zip(*found, strict=True)]


@contextmanager
def system(folder: Path, count: int) -> Iterator[tuple[Engine, list[str], list[str]]]:
    """Run everything; give the database, the districts and their teachers."""
    names = [f"district-{number:03d}" for number in range(count)]
    os.environ[PASSWORD] = "benchmark"
    of = Settings(data=folder / "data", lake=str(folder / "data" / "lake"), database_url=None)
    of.data.mkdir()
    staging, teachers = roster(folder)
    with ExitStack() as stack:
        url = stack.enter_context(database.server(of))
        engine = stack.enter_context(database.migrated(url))
        sftp = stack.enter_context(SftpServer(folder / "sftp", dict.fromkeys(names, "benchmark")))
        enter(engine, Lake(of.lake), names, sftp, staging)
        lock = stack.enter_context(reserved(of, 0))
        stack.enter_context(running(of, url, 0, lock))
        yield engine, names, teachers


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--districts", type=int, default=200)
    parser.add_argument("--sign-ins", type=int, default=40, help="in as many districts")
    parser.add_argument("--every", type=float, default=6, help="seconds between two of them")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="roster-bench-") as name,
        system(Path(name), asked.districts) as (engine, names, teachers),
    ):
        chosen = names[:: max(1, asked.districts // asked.sign_ins)][: asked.sign_ins]
        measure(engine, chosen[:1], teachers, 0)  # partitions are entered, the first run is under way: all is warm
        took = sorted(measure(engine, chosen[1:], teachers, asked.every).values())
        noticed, started, worked = parts(engine, chosen[1:])
    percentile = took[min(len(took) - 1, int(len(took) * 0.95))]
    print(  # noqa: T201
        f"{asked.districts} districts, {len(took)} sign-ins, one every {asked.every:g} s: median "
        f"{statistics.median(took):.1f} s, 95 % within {percentile:.1f} s, longest {took[-1]:.1f} s\n"
        f"median {noticed:.1f} s until the sensor asked, {started:.1f} s until the run began, {worked:.1f} s in it "
        f"(the floor); so 95 % within {percentile / worked:.1f} x"
    )


if __name__ == "__main__":
    main()
