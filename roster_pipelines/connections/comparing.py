"""Whether what lies in a folder is what was delivered before, by its content: then it needs no run."""

import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path

from roster_pipelines.connections.looking import Looked
from roster_pipelines.errors import RosterError

AT_ONCE = 4
# More than that is not read beside the looks. A run finds out as well, and then writes nothing.
MOST_BYTES = 128 * 1024**2


def same(folders: Mapping[str, tuple[Looked, str]], seconds: float) -> dict[str, bool | None]:
    """Fetch what lies in folders, and compare it with deliveries.

    Args:
        folders: By district, the latest look at its folder and the fingerprint of the delivery before.
        seconds: What takes longer counts as another content.

    Returns:
        By district, whether it is the same content; None where there was no time to begin.
    """
    few = {key: pair for key, pair in folders.items() if pair[0].listing.size <= MOST_BYTES}
    if not few:
        return {}
    until = time.monotonic() + seconds
    pool = ThreadPoolExecutor(AT_ONCE, "comparing")
    try:
        work = {key: pool.submit(_is_same, *pair, until) for key, pair in few.items()}
        wait(work.values(), max(0, until - time.monotonic()))
        return {key: _answer(future) for key, future in work.items()}
    finally:
        # A copy that was begun goes on to its end; what it is then, nobody hears.
        pool.shutdown(wait=False, cancel_futures=True)


def _answer(future: Future[bool | None]) -> bool | None:
    if future.done():
        return future.result()
    return False if future.running() else None


def _is_same(looked: Looked, fingerprint: str, until: float) -> bool | None:
    from roster_pipelines.connections import landing, sftp

    if time.monotonic() >= until or looked.look is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        try:
            gathered = sftp.fetch_delivery(looked.task.connection, Path(folder))
            fetched = landing.receipt(gathered, datetime.now(UTC))
        except (RosterError, OSError):  # whatever keeps us from comparing, the run tells
            return False
    return gathered.listing == looked.look.files and fetched.fingerprint == fingerprint
