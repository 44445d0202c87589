"""Fetch a district's files by sFTP: the server's key pinned, the secret by reference, nothing moved or deleted."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import paramiko
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from roster_pipelines.connections import secret
from roster_pipelines.connections.arrival import fingerprint
from roster_pipelines.connections.gather import Gathered, gather
from roster_pipelines.connections.sftp_errors import HostKeyRefused, Unreached, explained
from roster_pipelines.connections.sftp_folder import Folder, RemoteFile
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody, TryAgain

# For each step of a connection: what a busy server needs, and short enough for a sensor's tick of 60 s.
CONNECT_SECONDS = 10
# For all of them together.
OPEN_SECONDS = 25
CLOSE_SECONDS = 2
# So often a copy goes on in another session, after pauses of 1, 2 and 4 s.
RESUMPTIONS = 3
FIRST_PAUSE = 1.0
# A server sends no packets larger than we ask for, and paramiko puts those of its default, 32 KiB, together slowly.
PACKET_BYTES = 256 * 1024
WINDOW_BYTES = 4 * 1024**2
_KEY_TYPES = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class Session:
    """A session with a district's sFTP server.

    Attributes:
        client: For what a folder does not do.
    """

    def __init__(self, client: paramiko.SFTPClient, connection: SftpConnection) -> None:
        self.client = client
        self._connection = connection

    def folder(self, directory: str | None = None) -> Folder:
        """Give a folder, which is not asked for yet; without a name, the connection's own."""
        return Folder(self.client, self._connection, directory or self._connection.directory)


def fetch_delivery(
    connection: SftpConnection, folder: Path, before: Callable[[Folder], None] = lambda _: None
) -> Gathered:
    """Fetch what lies in a district's folder now.

    Where the session is cut, another one goes on from the bytes that are there, if the file is listed as before.

    Args:
        connection: Where and how.
        folder: An empty local folder.
        before: Is shown the folder first, and may raise what keeps it from being fetched: within the same session, as
            some servers let an account have one only.

    Raises:
        LookAtData: There is nothing that could be a delivery.
        TryAgain: The server was not reached, or a session was cut too often, or a file changed while it was copied.
        CallSomebody: The key, the login or the folder is wrong.
    """
    fetching = _Fetching(connection, folder, before)
    retrying = Retrying(
        retry=retry_if_exception(fetching.may_go_on),
        stop=stop_after_attempt(1 + RESUMPTIONS),
        wait=wait_exponential(multiplier=FIRST_PAUSE),
        reraise=True,
    )
    return retrying(fetching.fetched)


class _Fetching:
    """One delivery, over as many sessions as it takes."""

    def __init__(self, connection: SftpConnection, folder: Path, before: Callable[[Folder], None]) -> None:
        self._connection = connection
        self._folder = folder
        self._before = before
        self._begun: dict[str, RemoteFile] = {}

    def may_go_on(self, error: BaseException) -> bool:
        """Say whether another session could go on: a server that was never reached is for the next run."""
        return isinstance(error, Unreached) and bool(self._begun)

    def fetched(self) -> Gathered:
        """Fetch the delivery within one session."""
        with opened(self._connection) as session:
            remote = session.folder()
            self._before(remote)
            before = remote.files()
            self._forget(before)
            listed = {file.name: file for file in before}

            def fetch(name: str, into: Path) -> Path:
                self._begun[name] = listed[name]
                return remote.fetch(listed[name], into)

            times = {file.name: file.modified for file in before}
            gathered = gather(times, fetch, self._folder)
            if _only(gathered.taken, remote.files()) != _only(gathered.taken, before):
                raise TryAgain("a file changed while it was copied", "it is copied again once the upload has ended")
            came = {name: remote.came[path.name] for name, path in gathered.files.items() if path.name in remote.came}
            return replace(gathered, listing=fingerprint(before), came=came)

    def _forget(self, listed: list[RemoteFile]) -> None:
        """Remove whatever an earlier session left, but for copies of files that have not changed since."""
        self._begun = {file.name: file for file in listed if self._begun.get(file.name) == file}
        for path in self._folder.iterdir():
            if path.name not in self._begun:
                path.unlink()


def _only(names: tuple[str, ...], files: list[RemoteFile]) -> list[RemoteFile]:
    return [file for file in files if file.name in names]


@contextmanager
def opened(connection: SftpConnection) -> Iterator[Session]:
    """Open a session with a district's sFTP server.

    Args:
        connection: Where and how.

    Raises:
        TryAgain: The server is not reached, or the session was cut.
        CallSomebody: The key, the login or the folder is wrong.
    """
    client = paramiko.SSHClient()
    try:
        with explained(connection):
            with _watched(client):
                _connect(client, connection)
                sftp = _sftp(client)
            yield Session(sftp, connection)
    finally:
        _close(client)


def _close(client: paramiko.SSHClient) -> None:
    """Close a connection, and wait until it is: paramiko does so later, and some servers allow no other until then."""
    transport = client.get_transport()
    client.close()
    if transport is not None:
        transport.join(CLOSE_SECONDS)


def _sftp(client: paramiko.SSHClient) -> paramiko.SFTPClient:
    transport = client.get_transport()
    sftp = transport and paramiko.SFTPClient.from_transport(transport, WINDOW_BYTES, PACKET_BYTES)
    channel = sftp and sftp.get_channel()
    if not sftp or not channel:
        raise EOFError
    channel.settimeout(CONNECT_SECONDS)
    return sftp


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
