"""When an upload is over: a district's folder is taken when it has stood still for two looks and its quiet period."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from roster_pipelines.oneroster.package import concerns, contents


@dataclass(frozen=True)
class Seen:
    """What earlier looks at a folder, and earlier runs, have left.

    Attributes:
        listing: Fingerprint of the last look's listing; None before the first look.
        unchanged_since: When that listing was first seen.
        taken: Fingerprint of the listing that a run has decided on last.
        takings: How often a run has decided on another listing than the one before.
    """

    listing: str | None = None
    unchanged_since: datetime | None = None
    taken: str | None = None
    takings: int = 0

    @property
    def key(self) -> str:
        """What names this arrival; files that come back as they were before are another."""
        return f"{self.takings}:{self.listing}"


@dataclass(frozen=True)
class Look:
    """What one look says: what to remember, whether to take the files now, and why (not)."""

    seen: Seen
    take: bool
    reason: str


def decide(files: Sequence[tuple[str, int, datetime]], seen: Seen, now: datetime, quiet: timedelta) -> Look:
    """Decide whether a folder's files are taken now.

    Args:
        files: Name, size and modification time of everything in the folder.
        seen: What earlier looks left.
        now: The time of this look.
        quiet: How long nothing may have moved.

    Returns:
        The look. It says to take the files until a run has decided on them, so that no request is ever lost.
        Files that are still under a temporary name count as movement, but are never taken themselves.
    """
    found = contents([name for name, _, _ in files])
    if not found.files and not found.zips:
        return Look(replace(seen, listing=None, unchanged_since=None), take=False, reason="nothing to take")
    listing = fingerprint(files)
    if listing == seen.taken:
        return Look(replace(seen, listing=listing), take=False, reason="taken already")
    if listing != seen.listing or seen.unchanged_since is None:
        moved = replace(seen, listing=listing, unchanged_since=now)
        return Look(moved, take=False, reason="changed since the last look")
    if now - seen.unchanged_since < quiet:
        return Look(seen, take=False, reason="not quiet for long enough yet")
    return Look(seen, take=True, reason="settled")


def settled(listing: str, seen: Seen, now: datetime, quiet: timedelta) -> bool:
    """Say whether a folder that was fetched had stood still, as far as the sensor has looked.

    Args:
        listing: Fingerprint of the listing that was fetched.
        seen: What earlier looks left; before the sensor's first look there is nothing to hold against.
        now: The time.
        quiet: How long nothing may have moved.
    """
    if seen.listing is None or listing == seen.taken:
        return True
    return listing == seen.listing and seen.unchanged_since is not None and now - seen.unchanged_since >= quiet


def fingerprint(files: Sequence[tuple[str, int, datetime]]) -> str:
    """Sum up a listing: equal for equal names, sizes and times of what belongs to a delivery, in whatever order.

    Uploads under way belong to it, whatever else lies in the folder does not: a log that grows there is no arrival.
    """
    lines = "\n".join(
        f"{name}\t{size}\t{modified.isoformat()}" for name, size, modified in sorted(files) if concerns(name)
    )
    return hashlib.sha256(lines.encode()).hexdigest()
