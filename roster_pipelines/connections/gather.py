"""Gather a delivery's files in a local folder: loose files or one zip, only what is read, demographics never."""

import errno
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj

from roster_pipelines.errors import LookAtData
from roster_pipelines.oneroster.package import Contents, contents

# All that Python's zipfile was seen to raise for a damaged archive.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, IndexError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip

# New York's million students make about 2 GB; ten times that is no roster.
MAX_UNPACKED_BYTES = 20 * 1024**3


@dataclass(frozen=True)
class Gathered:
    """A delivery's files on local disk.

    Attributes:
        files: Path by the standard's name.
        notes: Rule id by file name, for what a person should be told.
        taken: The names, as delivered, of what was fetched.
        listing: Fingerprint of the folder's listing, blank where there was none.
    """

    files: dict[str, Path]
    notes: dict[str, str]
    taken: tuple[str, ...]
    listing: str = ""


def gather(names: Iterable[str], fetch: Callable[[str, Path], Path], folder: Path) -> Gathered:
    """Fetch what belongs to a delivery.

    Args:
        names: Every name in the delivered folder.
        fetch: Brings one of them to local disk, into the folder where it must be copied; returns its path.
        folder: An empty folder for copies and for what a zip holds.

    Raises:
        LookAtData: There is nothing to take, it is not clear what to take, or the zip cannot be read.
    """
    found = contents(names)
    if found.zips and (found.files or len(found.zips) > 1):
        raise LookAtData(
            "the folder holds a zip beside other files, so it is not clear which is the delivery",
            "leave either one zip or loose CSV files there",
        )
    if found.zips:
        (name,) = found.zips
        files, inside = _unpack(fetch(name, folder), folder)
        return Gathered(files, {**found.notes, **inside.notes}, (name,))
    _refuse_doubled(found)
    if not found.files:
        raise LookAtData("there is no OneRoster file", "deliver the CSV files, or one zip with them")
    return Gathered(
        {standard: fetch(name, folder) for standard, name in found.files.items()},
        found.notes,
        tuple(found.files.values()),
    )


def gather_local(path: Path, folder: Path) -> Gathered:
    """Gather from a local folder, or from a zip given by its path; nothing is copied but what a zip holds.

    Raises:
        LookAtData: As `gather`, or there is nothing at the path.
    """
    if not path.exists():
        raise LookAtData(f"there is nothing at {path}", "give a folder with CSV files, or a zip")
    place = path if path.is_dir() else path.parent
    names = [entry.name for entry in place.iterdir() if entry.is_file()] if path.is_dir() else [path.name]
    return gather(names, lambda name, _: place / name, folder)


def _refuse_doubled(found: Contents) -> None:
    if found.doubled:
        raise LookAtData(f"{found.doubled[0]} is there twice", "deliver each file once")


def _unpack(path: Path, folder: Path) -> tuple[dict[str, Path], Contents]:
    """Take the known files out of a zip; nothing else of it touches the disk."""
    remedy = "zip the CSV files again and upload the whole file"
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            sizes = {entry.filename: entry.file_size for entry in entries}
            found = contents(entry.filename for entry in entries)
            _refuse_doubled(found)
            if not found.files:
                raise LookAtData("the zip holds no OneRoster file", remedy)
            if sum(sizes[name] for name in found.files.values()) > MAX_UNPACKED_BYTES:
                raise LookAtData("the zip unpacks to more than a roster can hold", remedy)
            files: dict[str, Path] = {}
            for standard, name in found.files.items():
                files[standard] = folder / standard
                with archive.open(name) as source, files[standard].open("wb") as target:
                    copyfileobj(source, target)
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # a full disk is no fault of the zip
        raise LookAtData("the zip cannot be unpacked: it is damaged, encrypted or no zip", remedy) from None
    return files, found
