"""What it costs to look into every district's folder once, none of them changed, and how long a tick of it takes.

    .venv/bin/python benchmarks/sweep.py [--folders 13318] [--files 6]

The server is OpenSSH's `sshd` on the loopback address; one account sees all folders, as docs/sftp-server.md has it.
The ledger is in the embedded PostgreSQL, the partitions are in a Dagster instance in memory, and the sensor `arrivals`
ticks as the daemon has it tick, until each folder was looked into. The floor is listing the same folders within one
session and doing nothing with what is listed. CPU of the sFTP server's own, and of PostgreSQL's, is told apart.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from sftp import HOST, connection, cpu_of, server
from sqlalchemy.engine import Engine

from roster_pipelines.cli import database
from roster_pipelines.connections import sftp
from roster_pipelines.definitions import build_defs
from roster_pipelines.district import District
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.platform import drops, registry
from roster_pipelines.resources.database import DatabaseResource
from roster_pipelines.sensors.arrivals import arrivals
from roster_pipelines.settings import Settings


def enter(engine: Engine, folder: Path, port: int, count: int, files: int) -> list[SftpConnection]:
    """Register the districts and fill their folders."""
    found = []
    with engine.begin() as database_connection:
        for number in range(count):
            name = f"district-{number:05d}"
            drop = folder / "drops" / name
            drop.mkdir(parents=True)
            for file in range(files):
                (drop / f"{('users', 'orgs', 'classes', 'courses', 'enrollments', 'manifest')[file % 6]}.csv").touch()
            found.append(SftpConnection.model_validate(connection(folder, str(port), drop)))
            record = District(district=name, name=name, connection=found[-1])
            registry.apply(database_connection, record, by="benchmark", why="benchmark")
    return found


def tick(instance: dg.DagsterInstance, url: str) -> str:
    """Let the sensor tick once; what it says."""
    resources = {"database": DatabaseResource(url=url)}
    with dg.build_sensor_context(
        instance=instance, definitions=build_defs(**resources), resources=resources
    ) as context:
        return str(arrivals(context))


def looked_into(engine: Engine, instance: dg.DagsterInstance, url: str) -> list[float]:
    """Tick until each folder was looked into; seconds of each tick."""
    ticks = []
    while True:
        with engine.connect() as asked:
            left = len(drops.due(asked, datetime.now(UTC)))
        if not left:
            return ticks
        began = time.monotonic()
        told = tick(instance, url)
        ticks.append(time.monotonic() - began)
        print(f"  {ticks[-1]:5.1f} s  {told}", file=sys.stderr)  # noqa: T201


def all_taken(engine: Engine) -> None:
    """Let what was seen be taken, and all folders be due."""
    with engine.begin() as change:
        change.execute(sa.text("UPDATE roster.drop_look d SET taken = a.listing FROM roster.arrival a"
                               " WHERE a.district = d.district"))  # fmt: skip
        change.execute(sa.text("DELETE FROM roster.arrival"))
        change.execute(sa.text("UPDATE roster.drop_look SET looked_at = looked_at - interval '1 hour'"))


def cpu_of_all(pid: int) -> float:
    """Seconds of CPU of a process and of all that it has started, also of what has not ended yet."""
    # Before the process itself, which counts whatever of them has ended when it is read.
    spent = 0.0
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):
            spent += cpu_of_all(int(child))
    return spent + cpu_of(pid)


def floor(connections: list[SftpConnection]) -> float:
    """List every folder within one session; seconds of this process's CPU."""
    began = time.process_time()
    with sftp.opened(connections[0]) as session:
        for to in connections:
            session.folder(to.directory).files()
    return time.process_time() - began


def main() -> None:
    """Measure, and print a few lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folders", type=int, default=13_318)
    parser.add_argument("--files", type=int, default=6)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="roster-bench-") as name:
        folder = Path(name)
        os.environ["ROSTER_DATA"] = str(folder / "data")
        (folder / "data").mkdir()
        of = Settings(data=folder / "data", lake=str(folder / "lake"), database_url=None)
        with (
            database.server(of) as url,
            database.migrated(url) as engine,
            server(folder) as (port, sshd),
            dg.DagsterInstance.ephemeral() as instance,
        ):
            connections = enter(engine, folder, port, asked.folders, asked.files)
            instance.add_dynamic_partitions("districts", [f"district-{number:05d}" for number in range(asked.folders)])
            looked_into(engine, instance, url)
            all_taken(engine)
            postgres = int((of.embedded_database / "postmaster.pid").read_text().split()[0])
            served, stored = cpu_of_all(sshd), cpu_of_all(postgres)
            began, cpu = time.monotonic(), time.process_time()
            ticks = looked_into(engine, instance, url)
            took, worked = time.monotonic() - began, time.process_time() - cpu
            served, stored = cpu_of_all(sshd) - served, cpu_of_all(postgres) - stored
            listed = floor(connections)
    print(  # noqa: T201
        f"{asked.folders:,} unchanged folders on {HOST}: {len(ticks)} ticks, {took:.1f} s, the longest "
        f"{max(ticks):.1f} s; {worked:.1f} s of CPU here, {stored:.1f} s of PostgreSQL's and {served:.1f} s of the "
        f"sFTP server's; "
        f"{worked / listed:.2f} x listing them alone"
    )


if __name__ == "__main__":
    main()
