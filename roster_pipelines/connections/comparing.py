"""Whether what lies in a folder is what was delivered before, by its content: then it needs no run."""

import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path

from roster_pipelines.connections.looking import Looked
from roster_pipelines.errors import RosterError

AT_ONCE = 4
# More than that is not read in the time that a sensor has. A run finds out as well, and then writes nothing.
MOST_BYTES = 512 * 1024**2


def same(folders: Mapping[str, tuple[Looked, str]], seconds: float) -> dict[str, str]:
    """Fetch what lies in folders, and compare it with deliveries.

    Args:
        folders: By district, the latest look at its folder and the fingerprint of its newest delivery.
        seconds: What is not compared by then counts as another content.

    Returns:
        By district with the same content, the fingerprint of its files (`arrival.fingerprint`).
    """
    until = time.monotonic() + seconds
    few = {key: pair for key, pair in folders.items() if pair[0].listing.size <= MOST_BYTES}
    if not few or seconds <= 0:
        return {}
    pool = ThreadPoolExecutor(AT_ONCE, "comparing")
    try:
        work = {key: pool.submit(_is_same, *pair, until) for key, pair in few.items()}
        wait(work.values(), max(0, until - time.monotonic()))
        return {
            key: few[key][0].look.files  # type: ignore[union-attr]
            for key, future in work.items()
            if future.done() and not future.cancelled() and future.result()
        }
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _is_same(looked: Looked, fingerprint: str, until: float) -> bool:
    from roster_pipelines.connections import landing, sftp

    if time.monotonic() >= until or looked.look is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            gathered = sftp.fetch_delivery(looked.task.connection, Path(folder))
        except RosterError:  # the run tells it
            return False
        fetched = landing.receipt(gathered, datetime.now(UTC))
    return gathered.listing == looked.look.files and fetched.fingerprint == fingerprint
