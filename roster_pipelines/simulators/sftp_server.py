"""A vendor's sFTP server as its districts see it: one account for each, confined to a folder of its own.

A real server on a loopback port, in a thread with its own event loop. It speaks sFTP only: no shell, no
commands, no scp, no forwarding.
"""

import asyncio
import os
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncssh

from roster_pipelines.simulators.sftp_habits import Behaviour, Habits, Read

# Opening a file for any of these is no mere reading.
_WRITES = asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC


class SftpServer:
    """An sFTP server that runs until it is stopped, or for the length of a ``with`` block.

    Args:
        root: Where the accounts' folders are made: ``root/<account>`` is that account's ``/``.
        accounts: Passwords by account.
        host: The address to listen on.
        port: The port to listen on. 0 takes a free one, which then is in ``port`` and is kept by a restart.
        host_key: A file with the server's private key, made if missing, so that the key outlives the process.
            Without it the key is a fresh one.
        authorized_keys: OpenSSH public keys by account, for accounts that log in by key.
    """

    def __init__(
        self,
        root: Path,
        accounts: Mapping[str, str],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        host_key: Path | None = None,
        authorized_keys: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port
        self._host = host
        self._root = root
        self._passwords = dict(accounts)
        self._keys = {name: asyncssh.import_public_key(key) for name, key in (authorized_keys or {}).items()}
        self._key_file = host_key
        self._key = asyncssh.read_private_key(host_key) if host_key and host_key.exists() else self._new_key()
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._behaviour = Behaviour()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def public_host_key(self) -> str:
        """The server's public key as clients pin it: ``ssh-ed25519 AAAA...``."""
        return " ".join(self._key.export_public_key().decode("ascii").split()[:2])

    @property
    def habits(self) -> Habits:
        """How it behaves; replaceable while it runs: ``server.habits = replace(server.habits, ...)``."""
        return self._behaviour.habits

    @habits.setter
    def habits(self, habits: Habits) -> None:
        self._behaviour.habits = habits

    @property
    def reads(self) -> list[Read]:
        """Every read of a file that was answered so far."""
        return self._behaviour.reads

    @property
    def listings(self) -> int:
        """How often a folder was listed so far."""
        return self._behaviour.listings

    def reset(self) -> None:
        """Be healthy, and forget what was seen."""
        self._behaviour.reset()

    def start(self) -> None:
        """Make the accounts' folders and listen; return when clients can connect.

        Raises:
            OSError: The port is taken.
        """
        for account in {*self._passwords, *self._keys}:
            (self._root / account).mkdir(parents=True, exist_ok=True)
        self._behaviour.stopping = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp-server", daemon=True)
        self._thread.start()
        try:
            self._acceptor = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        except BaseException:
            self._end(self._loop)
            raise
        self.port = self._acceptor.get_port()

    def stop(self) -> None:
        """Cut all connections and stop listening. A server that does not run is left alone."""
        if self._loop:
            self._behaviour.stopping = True
            asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()
            self._end(self._loop)

    def rotate_host_key(self) -> None:
        """Restart on the same port with a new host key, as a reinstalled or an impostor's server would."""
        self.stop()
        self._key = self._new_key()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _new_key(self) -> asyncssh.SSHKey:
        """Make a key, and keep it in the file if there is to be one."""
        key = asyncssh.generate_private_key("ssh-ed25519")
        if self._key_file:
            self._key_file.parent.mkdir(parents=True, exist_ok=True)
            self._key_file.touch(mode=0o600)
            key.write_private_key(self._key_file)
        return key

    async def _listen(self) -> asyncssh.SSHAcceptor:
        """Listen with sFTP as the only service."""
        return await asyncssh.listen(
            self._host,
            self.port,
            server_host_keys=[self._key],
            server_factory=lambda: _Door(self._passwords, self._keys, self._connections, self._behaviour),
            sftp_factory=lambda channel: _Folder(channel, self._root, self._behaviour),
            allow_pty=False,
        )

    async def _hang_up(self) -> None:
        """Stop listening, cut the connections and wait until nothing of them is left."""
        self._acceptor.close()
        # Sessions close their files when they see the end of their connection; cancelled, they would not.
        while self._connections or len(asyncio.all_tasks()) > 1:
            for connection in self._connections:
                connection.abort()
            await asyncio.sleep(0.005)
        await self._acceptor.wait_closed()

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the loop and its threads."""
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()
        self._loop = None


class _Door(asyncssh.SSHServer):
    """Who may come in, for one connection; keeps the set of open connections."""

    def __init__(
        self,
        passwords: Mapping[str, str],
        keys: Mapping[str, asyncssh.SSHKey],
        connections: set[asyncssh.SSHServerConnection],
        behaviour: Behaviour,
    ) -> None:
        self._passwords = passwords
        self._keys = keys
        self._connections = connections
        self._behaviour = behaviour

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        if self._behaviour.habits.single_connection and self._connections:
            asyncio.get_running_loop().call_soon(conn.abort)
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._connections.discard(self._connection)

    async def begin_auth(self, username: str) -> bool:  # noqa: ARG002
        await self._behaviour.hang("login")
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return self._passwords.get(username) == password

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._keys.get(username) == key


class _Folder(asyncssh.SFTPServer):
    """What an account sees: its own folder as ``/``, served by the server's habits."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], root: Path, behaviour: Behaviour) -> None:
        self._connection = channel.get_connection()
        account = self._connection.get_extra_info("username")
        super().__init__(channel, chroot=str(root / account).encode())
        self._behaviour = behaviour
        self._given: Counter[str] = Counter()

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        await self._behaviour.hang("listing")
        self._behaviour.listings += 1
        names = [name async for name in super().scandir(path)]
        if self._behaviour.habits.listing_seed is not None:
            names.sort(key=lambda name: name.filename)
            random.Random(self._behaviour.habits.listing_seed).shuffle(names)  # noqa: S311 - no secret
        for name in names:
            yield name

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        habits = self._behaviour.habits
        if habits.read_delay_seconds:
            await asyncio.sleep(habits.read_delay_seconds)
        name = Path(os.fsdecode(file_obj.name)).name  # type: ignore[attr-defined]
        if self._behaviour.dies(name, self._given[name]):
            self._connection.abort()
            raise asyncssh.SFTPConnectionLost("cut")
        data = super().read(file_obj, offset, min(size, habits.read_bytes or size))
        assert isinstance(data, bytes)  # noqa: S101 - it never waits
        self._given[name] += len(data)
        self._behaviour.reads.append(Read(name, offset, len(data)))
        return data

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if pflags & _WRITES:
            self._write()
        return super().open(path, pflags, attrs)

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self._write()
        super().setstat(path, attrs)

    def remove(self, path: bytes) -> None:
        self._write()
        super().remove(path)

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self._write()
        super().mkdir(path, attrs)

    def rmdir(self, path: bytes) -> None:
        self._write()
        super().rmdir(path)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._write()
        super().rename(oldpath, newpath)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._write()
        super().posix_rename(oldpath, newpath)

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        self._write()
        super().link(oldpath, newpath)

    def _write(self) -> None:
        if self._behaviour.habits.read_only:
            raise asyncssh.SFTPPermissionDenied("the folder is read-only")

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:  # noqa: ARG002
        # A relative link that is harmless where it is made leads out once it is moved up.
        raise asyncssh.SFTPPermissionDenied("links are not allowed")
