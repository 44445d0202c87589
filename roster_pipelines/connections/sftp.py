"""Fetch a district's files by sFTP: the server's key pinned, the secret by reference, nothing moved or deleted."""

import errno
import io
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import paramiko

from roster_pipelines.connections import secret
from roster_pipelines.connections.arrival import fingerprint
from roster_pipelines.connections.gather import Gathered, gather
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody, RosterError, TryAgain
from roster_pipelines.oneroster.package import shown

# For each step of a connection: what a busy server needs, and short enough for a sensor's tick of 60 s.
CONNECT_SECONDS = 10
# For all of them together.
OPEN_SECONDS = 25
# With the default of no limit, paramiko needs five times as long for a large file.
PREFETCH_REQUESTS = 64
_KEY_TYPES = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class HostKeyRefused(CallSomebody):
    """The server's key is not the pinned one, or none is pinned."""


class LoginRefused(CallSomebody):
    """The server does not let the account in."""


class RemoteFile(NamedTuple):
    """One file of a folder, as a listing shows it."""

    name: str
    size: int
    modified: datetime


class Folder:
    """A district's folder on the server, within one session."""

    def __init__(self, client: paramiko.SFTPClient, directory: str) -> None:
        self._client = client
        self._directory = PurePosixPath(directory)

    def files(self) -> list[RemoteFile]:
        """List the folder's files; sub-folders are passed over."""
        return [
            RemoteFile(entry.filename, entry.st_size or 0, datetime.fromtimestamp(entry.st_mtime or 0, UTC))
            for entry in sorted(self._client.listdir_attr(str(self._directory)), key=lambda entry: entry.filename)
            if not stat.S_ISDIR(entry.st_mode or 0)
        ]

    def fetch(self, name: str, into: Path) -> Path:
        """Copy one listed file into a local folder.

        Raises:
            TryAgain: It is there no longer.
        """
        local, remote = into / PurePosixPath(name).name, str(self._directory / name)
        try:
            self._client.get(remote, str(local), max_concurrent_prefetch_requests=PREFETCH_REQUESTS)
        except FileNotFoundError:
            raise TryAgain(f"{shown(name)} went while it was to be copied", "it is looked for again") from None
        return local


def fetch_delivery(connection: SftpConnection, folder: Path) -> Gathered:
    """Fetch what lies in a district's folder now.

    Args:
        connection: Where and how.
        folder: An empty local folder.

    Raises:
        LookAtData: There is nothing that could be a delivery.
        TryAgain: The server was not reached, or a file changed while it was copied.
        CallSomebody: The key, the login or the folder is wrong.
    """
    with opened(connection) as remote:
        before = remote.files()
        gathered = gather([file.name for file in before], remote.fetch, folder)
        if _only(gathered.taken, remote.files()) != _only(gathered.taken, before):
            raise TryAgain("a file changed while it was copied", "it is copied again once the upload has ended")
        return replace(gathered, listing=fingerprint(before))


def _only(names: tuple[str, ...], files: list[RemoteFile]) -> list[RemoteFile]:
    return [file for file in files if file.name in names]


@contextmanager
def opened(connection: SftpConnection) -> Iterator[Folder]:
    """Open a session with a district's sFTP server.

    Args:
        connection: Where and how.

    Yields:
        The district's folder.

    Raises:
        TryAgain: The server is not reached, or the session was cut.
        CallSomebody: The key, the login or the folder is wrong.
    """
    client = paramiko.SSHClient()
    try:
        with explained(connection):
            with _watched(client):
                _connect(client, connection)
                sftp = client.open_sftp()
            sftp.get_channel().settimeout(CONNECT_SECONDS)  # type: ignore[union-attr]
            yield Folder(sftp, connection.directory)
    finally:
        client.close()


@contextmanager
def explained(connection: SftpConnection) -> Iterator[None]:
    """Tell what goes wrong within by what must happen next.

    Raises:
        TryAgain: The server is not reached, or the session was cut.
        CallSomebody: The key, the login or the folder is wrong.
    """
    place = f"{connection.username}@{connection.host}:{connection.port}"
    try:
        yield
    except RosterError:
        raise
    except paramiko.BadHostKeyException as error:
        raise HostKeyRefused(
            f"the host key of {connection.host} has changed, so nothing was fetched",
            "ask the server's owner; if the change is theirs, put the new key into the record: "
            f"host_key: {error.key.get_name()} {error.key.get_base64()}",
        ) from None
    except paramiko.AuthenticationException:
        raise LoginRefused(
            f"{place} refuses the login", "check the user name and the secret that the record names"
        ) from None
    except UnicodeError:
        raise CallSomebody(
            f"the host name {connection.host} or a file name in its folder cannot be read",
            "correct host in the record, or have the file named in UTF-8",
        ) from None
    except (FileNotFoundError, PermissionError):
        raise CallSomebody(
            f"{place} does not show the folder {connection.directory} or a file in it",
            "check directory in the record, and the account's rights on the server",
        ) from None
    except (paramiko.SSHException, EOFError, socket.gaierror, TimeoutError, OSError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EROFS):
            raise  # our own disk
        raise TryAgain(
            f"the sFTP server {connection.host}:{connection.port} cannot be reached ({type(error).__name__})",
            "it is tried again; if this goes on, check host, port and the server",
        ) from None


@contextmanager
def _watched(client: paramiko.SSHClient) -> Iterator[None]:
    """Close a connection that is not open in time: paramiko waits without end for some of a server's answers."""
    watchdog = threading.Timer(OPEN_SECONDS, client.close)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


def login(connection: SftpConnection) -> tuple[str | None, paramiko.PKey | None]:
    """Resolve what the account logs in by: a password, or a private key.

    Raises:
        CallSomebody: It is not there, or no private key.
    """
    if connection.private_key:
        return None, _private_key(secret.resolve(connection.private_key), connection)
    return secret.resolve(str(connection.password)), None


def _connect(client: paramiko.SSHClient, connection: SftpConnection) -> None:
    name = connection.host if connection.port == 22 else f"[{connection.host}]:{connection.port}"
    client.set_missing_host_key_policy(_Refuse(connection.host))
    if connection.host_key is not None:
        key = _pinned_key(f"{name} {connection.host_key}", connection)
        client.get_host_keys().add(name, key.get_name(), key)
    password, login_key = login(connection)
    client.connect(
        connection.host,
        connection.port,
        connection.username,
        password,
        login_key,
        timeout=CONNECT_SECONDS,
        banner_timeout=CONNECT_SECONDS,
        auth_timeout=CONNECT_SECONDS,
        allow_agent=False,
        look_for_keys=False,
    )


def _pinned_key(line: str, connection: SftpConnection) -> paramiko.PKey:
    try:
        entry = paramiko.hostkeys.HostKeyEntry.from_line(line)
    except (paramiko.hostkeys.InvalidHostKey, paramiko.SSHException, ValueError):
        entry = None
    if entry is None or entry.key is None:
        raise HostKeyRefused(
            f"the host_key of {connection.host} is no public key",
            "write it as the server's .pub file has it: ssh-ed25519 AAAA...",
        )
    return entry.key


def _private_key(text: str, connection: SftpConnection) -> paramiko.PKey:
    for kind in _KEY_TYPES:
        try:
            return kind.from_private_key(io.StringIO(text + "\n"))
        except (paramiko.SSHException, ValueError, IndexError, AssertionError):  # as paramiko takes damaged keys
            continue
    raise CallSomebody(
        f"the secret {connection.private_key} is no private key",
        "put an OpenSSH private key without passphrase there",
    )


class _Refuse(paramiko.MissingHostKeyPolicy):
    """Refuse a server whose key was never pinned, or whose key is of another type than the pinned one."""

    def __init__(self, host: str) -> None:
        self._host = host

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:  # noqa: ARG002
        """Tell which key the server shows; a person decides whether it is the right one."""
        shown = f"{key.get_name()} {key.get_base64()}"
        raise HostKeyRefused(
            f"the host key of {self._host} is not the pinned one or none is pinned, so nothing was fetched",
            f"ask the server's owner for its key; if it is the one shown, put it into the record: host_key: {shown}",
        )
