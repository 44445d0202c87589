"""Unpack a delivery's zip: only the files that are read, under the standard's names, and within limits."""

import errno
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from shutil import copyfileobj

from roster_pipelines.findings import Finding
from roster_pipelines.oneroster.package import Contents, contents, in_folder, leads_out, passed_over

MAX_ENTRIES = 1000
# New York's million students make about 2 GB; ten times that is no roster.
MAX_UNPACKED_BYTES = 20 * 1024**3
# Rosters reach 10, and 66 where every line is alike but for the id, quoted, and in UTF-16. Deflate can do 1,000.
MAX_RATIO = 200
RATIO_FROM_BYTES = 10 * 1024**2
# Python's zipfile reads a zip's directory in one piece and makes an object of every entry, before we can count them.
MAX_DIRECTORY_BYTES = 4 * 1024**2

# bzip2 and LZMA unpack kilobytes to gigabytes in one step, and the standard wants Deflate.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Encrypted, strongly encrypted, with an encrypted directory.
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
# All that Python's zipfile was seen to raise for a damaged archive.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error,
    EOFError, IndexError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip


class _DirectoryTooLargeError(Exception):
    pass


class _Archive(FileIO):
    """A file of which nobody reads more at once than a roster's zip needs for its directory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise _DirectoryTooLargeError
        return super().read(size)


def unpack(path: Path, shown: str, folder: Path) -> tuple[dict[str, Path], tuple[Finding, ...]]:
    """Take the files that are read out of a zip; nothing else of it touches the disk.

    Args:
        path: The zip.
        shown: What findings call it.
        folder: Where to put the files.

    Returns:
        Path by the standard's name, and what was found. There are no files where a finding is fatal.
    """
    try:
        with _Archive(path) as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            refusals = tuple(Finding(rule, "fatal", shown) for rule in _broken_limits(entries, path.stat().st_size))
            if refusals:
                return {}, refusals
            found = contents(entry.filename for entry in entries if not entry.is_dir())
            findings = (*_of_layout(found, shown), *found.findings)
            if any(finding.severity == "fatal" for finding in findings):
                return {}, findings
            return {
                standard: _take(archive, name, folder / standard) for standard, name in found.files.items()
            }, findings
    except _DirectoryTooLargeError:
        return {}, (Finding("zip-entries", "fatal", shown),)
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # a full disk is no fault of the zip
        return {}, (Finding("zip-damaged", "fatal", shown),)


def _broken_limits(entries: Sequence[zipfile.ZipInfo], size: int) -> Iterator[str]:
    """Say by the zip's directory which limits it breaks."""
    files = [entry for entry in entries if not entry.is_dir() and not passed_over(entry.filename)]
    if len(entries) > MAX_ENTRIES:
        yield "zip-entries"
    if any(leads_out(entry.filename) for entry in entries):
        yield "zip-path"
    if any(entry.flag_bits & _ENCRYPTED for entry in files):
        yield "zip-encrypted"
    elif any(entry.compress_type not in _METHODS for entry in files):
        yield "zip-method"
    if sum(entry.compress_size for entry in entries) > size:
        yield "zip-damaged"  # entries share their bytes, or lie about them
    if sum(entry.file_size for entry in files) > MAX_UNPACKED_BYTES:
        yield "zip-size"
    elif any(e.file_size > RATIO_FROM_BYTES and e.file_size > MAX_RATIO * e.compress_size for e in files):
        yield "zip-ratio"


def _of_layout(found: Contents, shown: str) -> Iterator[Finding]:
    if found.zips:
        yield Finding("zip-nested", "fatal", shown)
    elif not found.files:
        yield Finding("zip-empty", "fatal", shown)
    elif any(in_folder(name) for name in found.files.values()):
        yield Finding("zip-folder", "info", shown)


def _take(archive: zipfile.ZipFile, name: str, target: Path) -> Path:
    """Unpack one entry.

    However much is packed in it, zipfile reads no more of it than the directory declares, which was held against the
    limits; its checksum tells where that was a lie, and its size where there is less.
    """
    with archive.open(name) as source, target.open("wb") as written:
        copyfileobj(source, written)
        if written.tell() != archive.getinfo(name).file_size:
            raise zipfile.BadZipFile
    return target
