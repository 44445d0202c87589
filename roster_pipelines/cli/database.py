"""The database, for one command."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import database, embedded
from roster_pipelines.settings import Settings, settings


@contextmanager
def server(of: Settings) -> Iterator[str]:
    """Give the database's URL: the configured one, or the embedded server's for the time of its use."""
    if of.database_url:
        yield of.database_url
        return
    with embedded.server(of.embedded_database) as url:
        yield url


@contextmanager
def migrated(url: str) -> Iterator[Engine]:
    """Open a database and bring it to this version.

    Raises:
        CallSomebody: It cannot be reached.
    """
    engine = database.engine_for(url)
    try:
        database.migrate(engine)
        yield engine
    except OperationalError:
        raise database.unreachable(engine) from None
    except DBAPIError as error:
        raise CallSomebody(
            f"the database {engine.url.database} refuses ({type(error.orig).__name__})",
            "check ROSTER_DATABASE_URL, and that its user may create schemas and tables",
        ) from None
    finally:
        engine.dispose()


@contextmanager
def opened() -> Iterator[Engine]:
    """Open the database that the environment names."""
    with server(settings()) as url, migrated(url) as engine:
        yield engine
