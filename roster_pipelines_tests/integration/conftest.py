"""One running system for all integration tests: PostgreSQL, sFTP server, code server, daemon and UI, all real."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import paramiko
import pytest
from sqlalchemy.engine import Engine

from roster_pipelines.cli import database
from roster_pipelines.cli.dagster_api import DagsterApi, Run
from roster_pipelines.cli.dagster_instance import reserved, running
from roster_pipelines.district import District, SignIn, Terms
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.platform import plans, registry
from roster_pipelines.rostering.plan import PUBLISHED
from roster_pipelines.settings import Settings
from roster_pipelines.simulators import districts, product
from roster_pipelines.simulators.sftp_server import SftpServer

ACCOUNTS = {name: f"password-of-{name}" for name in ("alder", "birch", "cedar", "elder")}
PRODUCT = "music-lessons"
T = TypeVar("T")
# Waits end when what they wait for is there: only a machine with too much to do ever comes near to this.
PATIENCE_SECONDS = 300


def wait_for(look: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Look until there is something; a condition of the real daemon, not a sleep of a guessed length."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        # Each look costs the webserver what the runs that are waited for could use.
        time.sleep(0.5)
    raise AssertionError(f"{what} did not come within {seconds:.0f} s")


@dataclass
class System:
    """What the tests speak to."""

    engine: Engine
    api: DagsterApi
    sftp: SftpServer
    folder: Path
    made: dict[str, districts.District] = field(default_factory=dict)

    def register(self, name: str, connection: SftpConnection | None = None) -> None:
        if connection is None:
            connection = SftpConnection(
                kind="sftp",
                host="127.0.0.1",
                port=self.sftp.port,
                username=name,
                password=f"env:SFTP_PASSWORD_{name.upper()}",
                host_key=self.sftp.public_host_key,
                quiet_seconds=0,
            )
        record = District(
            district=name,
            name=name.title(),
            stage="live",
            connection=connection,
            sign_in=SignIn(provider="classlink"),
            terms=Terms(opens_days_before=90),
        )
        with self.engine.begin() as change:
            registry.apply(change, record, by="tests", why="test")
            product.sell(change, name, PRODUCT)

    def generate(self, name: str, students: int = 40, seed: int = 1) -> districts.District:
        folder = self.folder / f"{name}-{seed}"
        folder.mkdir()
        self.made[name] = districts.generate(
            folder, students=students, seed=seed, school_year_start=districts.school_year(datetime.now(UTC).date())
        )
        return self.made[name]

    def upload(self, name: str, folder: Path) -> None:
        with paramiko.Transport(("127.0.0.1", self.sftp.port)) as transport:
            transport.connect(username=name, password=ACCOUNTS[name])
            client = paramiko.SFTPClient.from_transport(transport)
            assert client is not None
            for file in folder.iterdir():
                client.put(str(file), f"/{file.name}")

    def sign_in_with_code(self, name: str, teacher: str) -> None:
        with self.engine.begin() as change:
            product.sign_in(change, name, teacher, product.open_account(change, name, PRODUCT))

    def published(self, name: str) -> dict[str, int]:
        with self.engine.connect() as connection:
            return {table.name: plans.active(connection, name, table) for table in PUBLISHED}

    def run_of(self, name: str, job: str, beyond: int = 0) -> Run:
        """Wait for the district's next ended run of a job, beyond those that are known."""

        def ended() -> Run | None:
            runs = [run for run in self.api.runs(name) if run.job == job and run.ended]
            return runs[beyond] if len(runs) > beyond else None

        return wait_for(ended, f"run {beyond + 1} of {job} for {name}")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("system")
    of = Settings(data=folder / "data", lake=str(folder / "data" / "lake"), database_url=None)
    of.data.mkdir()
    os.environ.update({f"SFTP_PASSWORD_{name.upper()}": password for name, password in ACCOUNTS.items()})
    with ExitStack() as stack:
        url = stack.enter_context(database.server(of))
        engine = stack.enter_context(database.migrated(url))
        sftp = stack.enter_context(SftpServer(folder / "sftp", ACCOUNTS))
        lock = stack.enter_context(reserved(of, 0))
        api = stack.enter_context(running(of, url, 0, lock))
        yield System(engine, api, sftp, folder)
