"""The demo's sFTP server, with an account for each demo district; `roster up` serves it too."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import Engine

from roster_pipelines.district import District, SignIn, Terms
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import registry
from roster_pipelines.settings import Settings

NAME = "maple-valley"


def folder(of: Settings) -> Path:
    """Where the demo keeps its districts' sFTP folders, its server's key and its password."""
    return of.data / "demo"


def new_district(of: Settings, engine: Engine) -> str:
    """Choose a name that no earlier demo has used, and make its sFTP folder."""
    with engine.connect() as connection:
        taken = set(registry.keys(connection))
    number = next(n for n in range(1, len(taken) + 2) if _name(n) not in taken)
    (folder(of) / "sftp" / _name(number)).mkdir(parents=True, exist_ok=True)
    return _name(number)


@contextmanager
def playground(of: Settings, engine: Engine) -> Iterator[Path | None]:
    """Serve the demo districts' folders by sFTP, and keep their records pointing there.

    Args:
        of: The settings.
        engine: The database with the registry.

    Yields:
        The folder with one sub-folder per district; None where no demo was ever played, or the database is not the
        embedded one: invented districts belong nowhere else.

    Raises:
        CallSomebody: The demo's packages are not installed.
    """
    if of.database_url:
        yield None
        return
    root = folder(of) / "sftp"
    names = sorted(entry.name for entry in root.iterdir()) if root.exists() else []
    if not names:
        yield None
        return
    try:
        from roster_pipelines.simulators.sftp_server import SftpServer
    except ImportError:
        raise CallSomebody("the demo's packages are not installed", "pip install --editable '.[demo]'") from None
    password = folder(of) / "password"
    if not password.exists():
        password.touch(0o600)
        password.write_text(secrets.token_urlsafe(16), "utf-8")
    accounts = dict.fromkeys(names, password.read_text("utf-8"))
    with SftpServer(root, accounts, host_key=folder(of) / "host_key") as server:
        with engine.begin() as connection:
            known = registry.keys(connection)
            for name in names:
                record = _record(name, server.port, server.public_host_key, password)
                if name in known:
                    # Whatever a person has changed since stays.
                    record = registry.get(connection, name).model_copy(update={"connection": record.connection})
                registry.apply(connection, record, by="roster demo", why="where the demo's server listens now")
        yield root


def _record(name: str, port: int, host_key: str, password: Path) -> District:
    return District(
        district=name,
        name="Maple Valley School District (invented)",
        stage="live",
        time_zone="America/Los_Angeles",
        connection=SftpConnection(
            kind="sftp",
            host="127.0.0.1",
            port=port,
            username=name,
            password=f"file:{password}",
            host_key=host_key,
            quiet_seconds=0,
        ),
        sign_in=SignIn(provider="classlink", match=("sourced_id", "email"), email_domains=("maple-valley.example",)),
        terms=Terms(opens_days_before=90),  # so that there are classes to be seen in summer, too
    )


def _name(number: int) -> str:
    return NAME if number == 1 else f"{NAME}-{number}"
