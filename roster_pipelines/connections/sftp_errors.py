"""What goes wrong with an sFTP server, by what must happen next."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody, RosterError, TryAgain

# What paramiko says where the server was slow or went away before it had answered.
_CUT_AT_LOGIN = ("Authentication timeout", "Authentication failed: transport")
_WAIT = "it is tried again; if this goes on, check host, port and the server"
_OUR_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


class HostKeyRefused(CallSomebody):
    """The server's key is not the pinned one, or none is pinned."""


class LoginRefused(CallSomebody):
    """The server does not let the account in."""


class Unreached(TryAgain):
    """The server is not reached, or does not answer, or the session was cut."""


@contextmanager
def explained(connection: SftpConnection, directory: str | None = None) -> Iterator[None]:
    """Tell what goes wrong within by what must happen next.

    Args:
        connection: With whom.
        directory: In which folder; None: the connection's own.

    Raises:
        Unreached: The server is not reached, or the session was cut.
        CallSomebody: The key, the login or the folder is wrong.
        OSError: Our own disk is full, or ill.
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
    except paramiko.AuthenticationException as error:
        if str(error).startswith(_CUT_AT_LOGIN):
            raise Unreached(_unreached(connection, "cut at the login"), _WAIT) from None
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
            f"{place} does not show the folder {directory or connection.directory} or a file in it",
            "check directory in the record, and the account's rights on the server",
        ) from None
    except (paramiko.SSHException, paramiko.SFTPError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno in _OUR_DISK:
            raise
        raise Unreached(_unreached(connection, type(error).__name__), _WAIT) from None


def _unreached(connection: SftpConnection, how: str) -> str:
    return f"the sFTP server {connection.host}:{connection.port} cannot be reached ({how})"
