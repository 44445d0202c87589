"""Reach the PostgreSQL server, and bring its schemas to this version."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from roster_pipelines.errors import CallSomebody

MIGRATIONS = Path(__file__).parent / "migrations"

# Long enough for a server that is just starting, short enough that a wrong host is told at once.
CONNECT_SECONDS = 5


def engine_for(url: str) -> Engine:
    """Make an engine for a database URL.

    Args:
        url: As in `ROSTER_DATABASE_URL`; `postgresql://` is read as psycopg 2, the driver that Dagster's storage uses.

    Raises:
        CallSomebody: The URL cannot be read. The message does not repeat it, for the password in it.
    """
    try:
        parsed: URL | None = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("postgresql", "postgres"):
        # Behind an unescaped @ the rest of a password is read as the port, and the ValueError would quote it.
        raise CallSomebody(
            "ROSTER_DATABASE_URL is no database URL",
            "write it as postgresql://user:password@host:5432/name, with %-escapes in the password",
        )
    parsed = parsed.set(drivername="postgresql+psycopg2")
    return sa.create_engine(parsed, connect_args={"connect_timeout": CONNECT_SECONDS}, pool_pre_ping=True)


def migrate(engine: Engine) -> None:
    """Create or upgrade the schemas `roster` and `platform`.

    Two processes may call this at once: the second waits.

    Args:
        engine: The database.

    Raises:
        CallSomebody: The database cannot be reached.
    """
    # Imported here: Alembic takes a third of a second, and runs and sensors never migrate.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('roster migrations'))"))
            connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS roster"))
            connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS platform"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except OperationalError:
        raise unreachable(engine) from None


def unreachable(engine: Engine) -> CallSomebody:
    """Say that the database cannot be reached, by host and port only."""
    url = engine.url
    return CallSomebody(
        f"the database {url.database} at {url.host or 'the local socket'}:{url.port or 5432} cannot be reached",
        "start it, or correct ROSTER_DATABASE_URL",
    )
