"""Gather a delivery's files in a local folder: loose files or one zip, only what is read, demographics never."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import zstandard

from roster_pipelines.connections.arrival import apart
from roster_pipelines.connections.unpack import unpack
from roster_pipelines.errors import LookAtData
from roster_pipelines.findings import Finding
from roster_pipelines.oneroster.manifest import Mode
from roster_pipelines.oneroster.package import contents, shown


@dataclass(frozen=True)
class Pull:
    """How a delivery was pulled from an API.

    Attributes:
        began_at: When, in UTC.
        mode: `bulk` for everything, `delta` for what has changed.
        full_at: When everything was pulled the last time.
        repeated: Records that came more than once, and are kept once.
        base: The address that answered: changes since a pull from elsewhere would mean nothing.
        collections: What was there.
    """

    began_at: datetime
    mode: Mode
    full_at: datetime
    repeated: int
    base: str
    collections: tuple[str, ...]

    def json(self) -> dict[str, object]:
        """Write it as JSON has it."""
        return {**asdict(self), "began_at": self.began_at.isoformat(), "full_at": self.full_at.isoformat()}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read it back."""
        times = {key: datetime.fromisoformat(told[key]) for key in ("began_at", "full_at")}
        return cls(**{**told, **times, "collections": tuple(told["collections"])})


@dataclass(frozen=True)
class Gathered:
    """A delivery's files on local disk.

    Attributes:
        files: Path by the standard's name; none where a finding is fatal.
        findings: What a person should be told of the names and the zip.
        taken: The names, as delivered, of what the delivery consists of.
        refused: Hash of a zip that was fetched and is refused; blank where there was none.
        listing: Fingerprint of the folder's listing, blank where there was none.
        size: The bytes of what was fetched, as it was delivered.
        came: By the standard's name, the SHA-256 of what was received, where that is known.
        pull: How they were pulled from an API; None where they were dropped.
    """

    files: dict[str, Path]
    findings: tuple[Finding, ...]
    taken: tuple[str, ...]
    refused: str = ""
    listing: str = ""
    size: int = 0
    came: Mapping[str, str] = field(default_factory=dict)
    pull: Pull | None = None


def gather(times: Mapping[str, datetime], fetch: Callable[[str, Path], Path], folder: Path) -> Gathered:
    """Fetch what belongs to a delivery; nothing is fetched where it is not clear what does.

    Args:
        times: Every name in the delivered folder, and when the file was written.
        fetch: Brings one of them to local disk, into the folder where it must be copied; returns its path.
        folder: An empty folder for copies and for what a zip holds.

    Raises:
        LookAtData: There is nothing that could be a delivery.
    """
    found = contents(times)
    taken = (*found.files.values(), *found.zips)
    if not taken and not found.findings:
        raise LookAtData("there is no OneRoster file", "deliver the CSV files, or one zip with them")
    if found.zips and len(taken) > 1:
        beside = Finding("zip-beside-files", "fatal", _shown_zip(found.zips[0]))
        return Gathered({}, (beside, *found.findings), taken)
    if found.zips:
        path = fetch(found.zips[0], folder)
        files, inside = unpack(path, _shown_zip(found.zips[0]), folder)
        refused = "" if files else sha256(path)
        return Gathered(files, (*inside, *found.findings), taken, refused, size=path.stat().st_size)
    if any(finding.severity == "fatal" for finding in found.findings):
        return Gathered({}, found.findings, taken)
    files = {standard: fetch(name, folder) for standard, name in found.files.items()}
    old = apart({standard: times[name] for standard, name in found.files.items()})
    findings = (*found.findings, *(Finding("files-apart", "warning", standard) for standard in old))
    return Gathered(files, findings, taken, size=sum(path.stat().st_size for path in files.values()))


def gather_local(path: Path, folder: Path) -> Gathered:
    """Gather from a local folder, or from a zip given by its path; nothing is copied but what a zip holds.

    Raises:
        LookAtData: As `gather`, or there is nothing at the path, or it cannot be read.
    """
    try:
        if not path.exists():
            raise LookAtData(f"there is nothing at {path}", "give a folder with CSV files, or a zip")
        place = path if path.is_dir() else path.parent
        entries = [entry for entry in place.iterdir() if entry.is_file()] if path.is_dir() else [path]
        times = {entry.name: datetime.fromtimestamp(entry.stat().st_mtime, UTC) for entry in entries}
    except OSError:
        raise _unreadable(path) from None
    return gather(times, lambda name, _: _readable(place / name), folder)


def sha256(path: Path) -> str:
    """Hash a file's content; of records, as they are when unpacked: how they came in pages does not matter."""
    with path.open("rb") as stream:
        if path.suffix != ".zst":
            return hashlib.file_digest(stream, "sha256").hexdigest()
        unpacked, hashed = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True), hashlib.sha256()
        while block := unpacked.read(2**20):
            hashed.update(block)
        return hashed.hexdigest()


def _shown_zip(name: str) -> str:
    return shown(name, otherwise="delivery.zip")


def _readable(path: Path) -> Path:
    try:
        path.open("rb").close()
    except OSError:
        raise _unreadable(path) from None
    return path


def _unreadable(path: Path) -> LookAtData:
    return LookAtData(f"{path} cannot be read", "give a folder with CSV files, or a zip, that you may read")
