"""A folder on an sFTP server: what lies in it, how its files begin and end, and copies of them."""

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import paramiko

from roster_pipelines.connections.sftp_errors import explained
from roster_pipelines.connections.sftp_reading import REQUEST_BYTES, EndedEarlyError, Reading
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import TryAgain
from roster_pipelines.oneroster.package import shown

# A server may claim any size; this is more than it can have, and all sums of it are still numbers to a database.
MOST_BYTES = 2**53


class RemoteFile(NamedTuple):
    """One file of a folder, as a listing shows it."""

    name: str
    size: int
    modified: datetime


class Folder:
    """A folder on the server, within one session; what goes wrong with it leaves the session as it was.

    Whatever is asked of it raises:
        Unreached: The session was cut, and another one is needed.
        CallSomebody: The account is not shown the folder, or a file in it.

    Attributes:
        came: By the name of a copy, the SHA-256 of what was received for it.
    """

    def __init__(self, client: paramiko.SFTPClient, connection: SftpConnection, directory: str) -> None:
        self._client = client
        self._connection = connection
        self._directory = PurePosixPath(directory)
        self.came: dict[str, str] = {}

    def files(self) -> list[RemoteFile]:
        """List the folder's files by name; sub-folders are passed over."""
        with explained(self._connection, str(self._directory)):
            listed = [self._followed(entry) for entry in self._client.listdir_attr(str(self._directory))]
        return sorted(
            RemoteFile(
                entry.filename, min(entry.st_size or 0, MOST_BYTES), datetime.fromtimestamp(entry.st_mtime or 0, UTC)
            )
            for entry in listed
            if not stat.S_ISDIR(entry.st_mode or 0)
        )

    def head(self, name: str, size: int) -> bytes:
        """Read the first bytes of a file, at most `size`.

        Raises:
            TryAgain: It is there no longer.
        """
        with self._opened(name) as file:
            return file.read(size)

    def tail(self, name: str, size: int) -> bytes:
        """Read the last bytes of a file, at most `size`.

        Raises:
            TryAgain: It is there no longer.
        """
        with self._opened(name) as file:
            file.seek(max(0, (file.stat().st_size or 0) - size))
            return file.read(size)

    def fetch(self, file: RemoteFile, into: Path) -> Path:
        """Copy a file into a local folder; where its first bytes are there already, go on from them.

        Args:
            file: The file, as listed.
            into: The local folder. What has the file's name there must be the beginning of this very file; where it is
                longer than that, the copy starts over. What was copied before the session is cut stays there.

        Returns:
            The copy, which is as long as listed; `came` has the hash of what came.

        Raises:
            TryAgain: It is there no longer, or shorter than listed.
        """
        local = into / PurePosixPath(file.name).name
        with local.open("a+b") as copy:
            if copy.tell() > file.size:
                copy.truncate(0)
            copy.seek(0)
            came = hashlib.file_digest(copy, "sha256")
            with self._opened(file.name) as remote:
                for block in self._blocks(remote, copy.tell(), file):
                    came.update(block)
                    copy.write(block)
        self.came[local.name] = came.hexdigest()
        return local

    def _blocks(self, remote: paramiko.SFTPFile, start: int, file: RemoteFile) -> Iterator[bytes]:
        try:
            yield from Reading(self._client, remote).blocks(start, file.size)
        except EndedEarlyError:
            raise TryAgain(
                f"{shown(file.name)} became shorter while it was copied", "it is copied again once the upload has ended"
            ) from None

    @contextmanager
    def _opened(self, name: str) -> Iterator[paramiko.SFTPFile]:
        with explained(self._connection, str(self._directory)):
            try:
                with self._client.open(str(self._directory / name), "rb") as file:
                    file.MAX_REQUEST_SIZE = REQUEST_BYTES
                    yield file
            except FileNotFoundError:
                raise TryAgain(f"{shown(name)} went while it was to be copied", "it is looked for again") from None

    def _followed(self, entry: paramiko.SFTPAttributes) -> paramiko.SFTPAttributes:
        """Take what a link leads to for the link, and ask where a listing does not say all."""
        said = None not in (entry.st_size, entry.st_mtime, entry.st_mode)
        if said and not stat.S_ISLNK(entry.st_mode or 0):
            return entry
        try:
            found = self._client.stat(str(self._directory / entry.filename))
        except (FileNotFoundError, PermissionError):
            return entry
        found.filename = entry.filename
        return found
