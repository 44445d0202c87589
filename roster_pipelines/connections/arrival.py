"""When an upload is over and whole: pure, from what looks at a district's folder have seen (docs/arrivals.md)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from roster_pipelines.oneroster import manifest
from roster_pipelines.oneroster.package import Contents, concerns, contents, passed_over

File = tuple[str, int, datetime]
"""Name, size in bytes and modification time."""

# A night's export takes minutes, seldom hours; what is older is an earlier night's.
TOGETHER = timedelta(hours=6)
# Then nobody looks any more: the sensor is switched off, or there is no daemon.
OUTDATED = timedelta(hours=1)

State = Literal["empty", "taken", "moving", "early", "waiting", "settled", "overdue"]


@dataclass(frozen=True)
class Listing:
    """What one look finds in a district's folder.

    Attributes:
        files: Everything in it.
        named: The standard's names of the files that the manifest says are there, in bulk or as changes; None where
            there is no manifest, or none that says so of any file.
        cut: The names, as delivered, of files that do not reach their end.
        delta: Whether the manifest says that a file holds changes only.
    """

    files: tuple[File, ...]
    named: frozenset[str] | None = None
    cut: tuple[str, ...] = ()
    delta: bool = False

    @property
    def sizes(self) -> list[int]:
        """The bytes of each file that belongs to the delivery."""
        found = contents([name for name, _, _ in self.files])
        taken = {*found.files.values(), *found.zips}
        return [size for name, size, _ in self.files if name in taken]

    @property
    def size(self) -> int:
        """The bytes of all of them."""
        return sum(self.sizes)


@dataclass(frozen=True)
class Seen:
    """What earlier looks at a folder, and earlier runs, have left.

    Attributes:
        listing: What the last look showed, with uploads under way, summed up; None before the first look.
        unchanged_since: When that was first seen.
        taken: Fingerprint of the files that a run has decided on last.
        takings: How often a run has decided on other files than the time before.
        files: The standard's names of the set that was accepted last; None before the first.
        looked_at: When the last look was made; None before the first.
    """

    listing: str | None = None
    unchanged_since: datetime | None = None
    taken: str | None = None
    takings: int = 0
    files: frozenset[str] | None = None
    looked_at: datetime | None = None


@dataclass(frozen=True)
class Patience:
    """How long a district's folder is waited for.

    Attributes:
        quiet: How long nothing may have moved.
        wait: How long after the last movement what is missing is waited for; never shorter than `quiet`.
        required: The standard's names of the files without which a district's first delivery is none.
    """

    quiet: timedelta
    wait: timedelta
    required: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Look:
    """What one look says: what to remember, where the upload is, and why it is not taken, or not whole.

    Attributes:
        seen: What to remember.
        state: `empty`: there is nothing to take; `taken`: a run has decided on it; `moving`: it has changed since the
            last look; `early`: it has not been quiet for long enough; `waiting`: it is not whole; `settled`: it is;
            `overdue`: it is not, and was waited for.
        reason: What is waited for, for a person; blank where nothing is.
        files: Fingerprint of the files that are, or would be, taken; blank where there are none.
    """

    seen: Seen
    state: State
    reason: str = ""
    files: str = ""

    @property
    def take(self) -> bool:
        """Whether the files are to be taken now; so each look says, until a run has decided on them."""
        return self.state in ("settled", "overdue")

    @property
    def key(self) -> str:
        """What names this arrival; files that come back as they were before are another."""
        return f"{self.seen.takings}:{self.files}"


def decide(listing: Listing, seen: Seen, now: datetime, patience: Patience) -> Look:
    """Decide where a folder's upload is.

    Args:
        listing: What is there.
        seen: What earlier looks and runs left.
        now: The time of this look, on the clock that `seen` was told by; the server's own clock does not matter.
        patience: How long it is waited for.

    Returns:
        The look. Files under a temporary name count as movement, but are never taken themselves.
    """
    found = contents([name for name, _, _ in listing.files])
    if not found.files and not found.zips:
        return Look(replace(seen, listing=None, unchanged_since=None), "empty")
    shown, files = movement(listing.files), fingerprint(listing.files)
    if files == seen.taken:
        return Look(replace(seen, listing=shown, unchanged_since=None), "taken", files=files)
    if shown != seen.listing or seen.unchanged_since is None:
        return Look(replace(seen, listing=shown, unchanged_since=now), "moving", files=files)
    still = now - seen.unchanged_since
    if still < patience.quiet:
        return Look(seen, "early", files=files)
    lacking = _lacking(listing, found, seen, seen.unchanged_since, patience)
    if not lacking:
        return Look(seen, "settled", files=files)
    return Look(seen, "waiting" if still < max(patience.wait, patience.quiet) else "overdue", lacking, files)


def hindrance(listing: Listing, seen: Seen, now: datetime, patience: Patience, *, whole: bool) -> str:
    """Say what keeps a run from fetching what lies in a folder: blank where nothing does.

    Args:
        listing: What is there.
        seen: What earlier looks and runs left.
        now: The time.
        patience: How long the folder is waited for.
        whole: Whether it must be whole; or else somebody has asked for what is there, and where no look tells whether
            that stands still, as none was made or the last is an hour old, the server's clock does.
    """
    look = decide(listing, seen, now, patience)
    if look.state == "waiting" and whole:
        return f"the upload is not whole ({look.reason})"
    if look.state not in ("moving", "early"):
        return ""
    is_told = seen.listing is not None and seen.looked_at is not None and now - seen.looked_at < OUTDATED
    if (
        whole
        or is_told
        or any(_is_fresh(modified, now, patience) for name, _, modified in listing.files if concerns(name))
    ):
        return "the folder is still moving"
    return ""


def _is_fresh(modified: datetime, now: datetime, patience: Patience) -> bool:
    # A time in the future tells nothing.
    return timedelta(0) <= now - modified < patience.quiet


def _lacking(listing: Listing, found: Contents, seen: Seen, latest: datetime, patience: Patience) -> str:
    """Say what keeps a folder that stands still from being whole: blank where nothing does."""
    if listing.cut:
        return _told(tuple(_standard(name, found) for name in listing.cut), "not there to its end")
    if found.zips:
        return ""
    expected = listing.named or seen.files or patience.required
    missing = tuple(sorted(expected - found.files.keys()))
    if missing:
        return _told(missing, "missing")
    if listing.named is None:
        return ""
    times = {name: modified for name, _, modified in listing.files}
    # A time in the future is no later than when it was first seen.
    told = {
        standard: min(times[name], latest)
        for standard, name in found.files.items()
        if standard in listing.named or standard == manifest.FILE
    }
    return _told(apart(told), "of an earlier upload")


def apart(times: Mapping[str, datetime]) -> tuple[str, ...]:
    """Find the files that were written hours before the newest.

    Args:
        times: Modification time by name.

    Returns:
        Their names, sorted.
    """
    newest = max(times.values(), default=None)
    return tuple(sorted(name for name, time in times.items() if newest is not None and newest - time > TOGETHER))


def _standard(name: str, found: Contents) -> str:
    return next((standard for standard, delivered in found.files.items() if delivered == name), "the zip")


def _told(names: Sequence[str], what: str) -> str:
    return f"{', '.join(names)}: {what}" if names else ""


def fingerprint(files: Sequence[File]) -> str:
    """Sum up a delivery's files: equal for equal names, sizes and times, in whatever order.

    What else lies in the folder does not belong to them, nor uploads under way, which may have been given up.
    """
    return _sum([file for file in files if concerns(file[0]) and not passed_over(file[0])])


def movement(files: Sequence[File]) -> str:
    """Sum up what moves in a folder: a delivery's files and uploads under way, but not a log that grows there."""
    return _sum([file for file in files if concerns(file[0])])


def _sum(files: Sequence[File]) -> str:
    lines = "\n".join(f"{name}\t{size}\t{modified.isoformat()}" for name, size, modified in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()
