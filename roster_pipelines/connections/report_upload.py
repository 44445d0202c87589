"""Put a delivery's report where the district fetches it: a sub-folder of its own folder on the sFTP server."""

import io
from contextlib import suppress
from pathlib import PurePosixPath

import paramiko

from roster_pipelines.connections.sftp import opened
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody


def upload_report(connection: SftpConnection, name: str, text: str) -> None:
    """Put a report into the district's sub-folder; it has its name there only when it is whole.

    Args:
        connection: Where and how; `reports` names the sub-folder, which is made where it is missing.
        name: The file's name; one that is there already is replaced.
        text: What is in it.

    Raises:
        TryAgain: The server is not reached, or the session was cut.
        CallSomebody: The record names no sub-folder; the key, the login or the folder is wrong, or nothing may be
            written there.
    """
    if connection.reports is None:
        raise CallSomebody("the record names no folder for reports", "set reports in its connection")
    folder = PurePosixPath(connection.directory) / connection.reports
    with opened(connection) as session:
        client = session.client
        try:
            _put(client, folder, name, text.encode())
        except OSError as error:
            # A refusal leaves the session open; that it was cut, `opened` tells.
            if isinstance(error, TimeoutError) or _is_cut(client):
                raise
            raise CallSomebody(
                f"{connection.username}@{connection.host} does not let the report be put into {folder}",
                "check the record's directory and the account's rights there, or take reports out of the record",
            ) from None


def _put(client: paramiko.SFTPClient, folder: PurePosixPath, name: str, content: bytes) -> None:
    temporary = str(folder / f".{name}.part")
    try:
        client.stat(str(folder))
    except FileNotFoundError:
        client.mkdir(str(folder))
    try:
        client.putfo(io.BytesIO(content), temporary)  # looks at the size that has arrived
        client.posix_rename(temporary, str(folder / name))
    except OSError:
        with suppress(OSError):
            client.remove(temporary)
        raise


def _is_cut(client: paramiko.SFTPClient) -> bool:
    channel = client.get_channel()
    return channel is None or channel.closed
