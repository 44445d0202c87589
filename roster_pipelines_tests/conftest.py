"""What many tests share: a database of its own for each test, a day to count from, an invented district."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from hypothesis import settings
from sqlalchemy.engine import Connection, Engine

from roster_pipelines.connections.landing import Receipt
from roster_pipelines.district import District, SignIn
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.platform import database, deliveries, embedded, registry
from roster_pipelines.simulators import districts
from roster_pipelines.simulators.sftp_server import SftpServer

# The same examples in every run, however slow the machine; nothing is remembered between runs.
settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")

_numbers = count(1)
LONGEST = ("test_daemon.py", "test_scenarios.py", "test_door.py")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Let DuckDB compute in one thread: a few rows are never shared out, and the tests' workers share the cores."""
    connect = duckdb.connect

    def connected(*words: Any, config: dict[str, Any] | None = None, **more: Any) -> duckdb.DuckDBPyConnection:
        return connect(*words, config={"threads": 1, **(config or {})}, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duckdb, "connect", connected)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, of which one worker each is at work: at the end all would wait for it."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


class Databases:
    """The databases of one PostgreSQL server that the tests have for themselves."""

    def __init__(self, url: str) -> None:
        self._server = database.engine_for(url).execution_options(isolation_level="AUTOCOMMIT")

    def do(self, *statements: str) -> None:
        with self._server.connect() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    def engine(self, name: str) -> Engine:
        return database.engine_for(self._server.url.set(database=name).render_as_string(hide_password=False))

    @contextmanager
    def copy(self, template: str) -> Iterator[Engine]:
        """Make a database that is a copy of another, for the time of its use."""
        name = f"test_{next(_numbers)}"
        self.do(f"CREATE DATABASE {name} TEMPLATE {template}")
        engine = self.engine(name)
        try:
            yield engine
        finally:
            engine.dispose()
            self.do(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        self._server.dispose()


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """The server, with a migrated database `migrated` to copy from."""
    # Not in pytest's folder: for root the server runs as another user, and whenever another pytest starts, it closes
    # that folder to all others, at which the server dies. The path is short for the sake of the server's socket.
    with tempfile.TemporaryDirectory(prefix="roster-pg-") as folder, embedded.server(Path(folder) / "pg") as url:
        server = Databases(url)
        try:
            # What a power cut would do to these databases does not matter, and each DROP is fifteen times as fast.
            server.do("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "CREATE DATABASE migrated")
            engine = server.engine("migrated")
            database.migrate(engine)
            engine.dispose()
            yield server
        finally:
            server.close()


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    """A migrated, empty database for one test."""
    with databases.copy("migrated") as engine:
        yield engine


class Site:
    """The vendor's sFTP server, with an account for each of two districts."""

    accounts = ("maple-valley", "cedar-creek")

    def __init__(self, folder: Path) -> None:
        self.secrets = {account: f"the-password-of-{account}" for account in self.accounts}
        self.server = SftpServer(folder / "sftp", self.secrets)
        self._folder = folder
        for account, secret in self.secrets.items():
            (folder / f"password-of-{account}").write_text(f"{secret}\n")

    def connection(
        self, account: str = "maple-valley", *, quiet_seconds: int = 0, wait_seconds: int = 0
    ) -> SftpConnection:
        """How the pipelines reach an account; nothing is waited for unless told otherwise."""
        return SftpConnection(
            kind="sftp",
            host="127.0.0.1",
            port=self.server.port,
            username=account,
            password=f"file:{self._folder / f'password-of-{account}'}",
            host_key=self.server.public_host_key,
            quiet_seconds=quiet_seconds,
            wait_seconds=wait_seconds,
        )

    def folder(self, account: str = "maple-valley") -> Path:
        """The account's folder as it lies on the server's disk."""
        return self._folder / "sftp" / account

    def upload(self, files: Path, account: str = "maple-valley") -> None:
        """Put one file, or every file of a folder, into an account's folder."""
        for file in sorted(files.iterdir()) if files.is_dir() else [files]:
            shutil.copyfile(file, self.folder(account) / file.name)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An sFTP server for one test."""
    found = Site(tmp_path)
    with found.server:
        yield found


@pytest.fixture
def today() -> date:
    """A Monday in the middle of the first semester."""
    return date(2026, 11, 23)


@pytest.fixture(scope="session")
def clean_district(tmp_path_factory: pytest.TempPathFactory) -> districts.District:
    """A small district whose files have nothing to be found; read it, never write into its folder."""
    return districts.generate(tmp_path_factory.mktemp("clean"), students=40)


def url_of(engine: Engine) -> str:
    """The database's URL, as ROSTER_DATABASE_URL would have it."""
    return engine.url.render_as_string(hide_password=False)


def nowhere() -> SftpConnection:
    """A connection for tests in which nobody connects."""
    return SftpConnection(kind="sftp", host="sftp.example", username="nobody", password="env:NOBODY_HAS_SET_THIS")


def register(
    engine: Engine,
    name: str = "maple-valley",
    *,
    connection: SftpConnection | dict[str, Any] | None = None,
    by: str = "tests",
    why: str = "test",
    **changes: Any,
) -> District:
    """Put a district into the registry: live, matching by sourcedId and then by e-mail, unless told otherwise."""
    record: dict[str, Any] = {
        "district": name,
        "name": name.replace("-", " ").title(),
        "stage": "live",
        "connection": connection or nowhere(),
        "sign_in": SignIn(provider="classlink", match=("sourced_id", "email"), email_domains=("maple-valley.example",)),
        **changes,
    }
    district = District.model_validate(record)
    with engine.begin() as change:
        registry.apply(change, district, by=by, why=why)
    return district


def accept(connection: Connection, district: str, delivery_id: str) -> None:
    """Enter a delivery as accepted, as validating it does."""
    receipt = Receipt(delivery_id, delivery_id, datetime.now(UTC), (), (), {})
    deliveries.record(connection, district, receipt)
    deliveries.decide(connection, district, delivery_id, "accepted")
