"""The steps of checking a district's sFTP folder, from the server's name to whether its files have settled."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from functools import partial

from roster_pipelines.connections import sftp
from roster_pipelines.connections.check.hosts import Host, resolve
from roster_pipelines.connections.check.span import span
from roster_pipelines.connections.check.step import Fault, Found, Planned, Step, taken
from roster_pipelines.connections.sftp_errors import LoginRefused
from roster_pipelines.connections.sftp_folder import RemoteFile
from roster_pipelines.district import District
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody
from roster_pipelines.oneroster.package import Contents, concerns, contents, passed_over, shown
from roster_pipelines.oneroster.standard import TABLES


def steps(
    district: District, connection: SftpConnection, now: datetime, begun: Callable[[str], None]
) -> Iterator[Step]:
    """Check a district's folder on its sFTP server.

    Args:
        district: Whose registration says which files are needed.
        connection: Its connection.
        now: The time.
        begun: Told the name of each step that begins.
    """
    with ExitStack() as stack:
        yield from taken(_Checking(district, connection, now, stack).planned(), "sftp", begun)


class _Checking:
    def __init__(self, district: District, connection: SftpConnection, now: datetime, stack: ExitStack) -> None:
        self._district = district
        self._connection = connection
        self._now = now
        self._stack = stack
        self._refused: CallSomebody | None = None

    def planned(self) -> Iterator[Planned]:
        host = Host(self._connection.host, self._connection.port)
        secrets = Planned("secrets", self._secrets, "ours")
        name = Planned("name resolution", partial(resolve, host), "name")
        # Nothing is said to a server before its key is known, and the key is not asked for without a login.
        key = Planned("host key", self._host_key, "host_key", (secrets, name))
        login = Planned("login", self._login, "login", (key,))
        folder = Planned("folder", self._folder, "folder", (login,))
        files = Planned("files", self._files, "files", (folder,))
        settled = Planned("settled", self._settled, "folder", (folder,))
        yield from (secrets, name, key, login, folder, files, settled)

    def _secrets(self) -> Found:
        sftp.login(self._connection)
        return Found(f"{'private_key' if self._connection.private_key else 'password'} can be read")

    def _host_key(self) -> Found:
        """Open the session; a login that is refused is the next step's, for then the key was the right one."""
        try:
            self._session = self._stack.enter_context(sftp.opened(self._connection))
        except LoginRefused as error:
            self._refused = error
        kind, key = str(self._connection.host_key).split()[:2]
        digest = base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest()).decode().rstrip("=")
        place = f"{self._connection.host}:{self._connection.port}"
        return Found(f"{place} shows the pinned one, {kind} SHA256:{digest}", extra={"sha256": digest})

    def _login(self) -> Found:
        if self._refused:
            raise self._refused
        way = "private key" if self._connection.private_key else "password"
        return Found(f"{self._connection.username} is let in by its {way}", extra={"way": way})

    def _folder(self) -> Found:
        self._listed = self._session.folder().files()
        self._contents = contents(file.name for file in self._listed)
        count = len(self._listed)
        return Found(
            f"{self._connection.directory} can be listed and holds {count:,} file{'' if count == 1 else 's'}",
            extra={"directory": self._connection.directory, "files": count},
        )

    def _files(self) -> Found:
        by_name = {file.name: file for file in self._listed}
        delivery = {standard: by_name[name] for standard, name in self._contents.files.items()}
        delivery |= {shown(name, otherwise="delivery.zip"): by_name[name] for name in self._contents.zips}
        lines = tuple(f"{name}: {self._told(file)}" for name, file in delivery.items())
        extra = {"found": [self._extra(name, file) for name, file in delivery.items()]}
        amiss = _amiss(self._contents, self._district)
        if amiss:
            raise Fault(amiss, "files", lines=lines, extra=extra)
        if self._contents.zips:
            return Found("a zip; what it holds is seen when it is taken", lines, extra)
        return Found(f"{len(delivery)} files of OneRoster, among them all that are needed", lines, extra)

    def _settled(self) -> Found:
        moving = [file for file in self._listed if concerns(file.name)]
        if not moving:
            return Found("nothing is there that could move")
        still = (self._now - max(file.modified for file in moving)).total_seconds()
        quiet = self._connection.quiet_seconds
        under_way = sum(passed_over(file.name) for file in moving)
        uploads = f"; {under_way} still under a name that clients use while they upload" if under_way else ""
        rule = f"files are taken after {span(quiet)} without movement"
        extra = {"settled": still >= quiet, "still_seconds": round(still), "uploads_under_way": under_way}
        since = "nothing has moved for" if still >= quiet else "not yet: something has moved within the last"
        return Found(f"{since} {span(still)}; {rule}{uploads}", extra=extra)

    def _told(self, file: RemoteFile) -> str:
        return f"{file.size:,} bytes, {span((self._now - file.modified).total_seconds())} old"

    def _extra(self, name: str, file: RemoteFile) -> dict[str, object]:
        return {"name": name, "bytes": file.size, "modified": file.modified.isoformat()}


def _amiss(found: Contents, district: District) -> str:
    """Say why the files would not be taken for a delivery; blank where they would."""
    if not found.files and not found.zips:
        return "no file of a OneRoster delivery is there"
    if len(found.zips) + bool(found.files) > 1:
        return "a zip lies beside other files, so that it is not clear which ones count"
    doubled = [finding.file for finding in found.findings if finding.severity == "fatal"]
    if doubled:
        return f"two files stand for {', '.join(doubled)}"
    needed = [table.file for table in TABLES.values() if table.only is None and table.needs_file(district.requires)]
    missing = [name for name in needed if name not in found.files]
    return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing" if missing and not found.zips else ""
