"""Where the server is and what it listens on; every value is one that a configuration can hold as it is."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import pairwise

from roster_pipelines.errors import CallSomebody
from roster_pipelines.upload_account import public_key, source

# What ProFTPD and a shell read as it is: no blank, no %, no quote.
_PATH = re.compile(r"(/[A-Za-z0-9_][A-Za-z0-9._-]*)+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True)
class Reader:
    """The pipelines' own account, which sees every district's folder and logs in by key only.

    Attributes:
        username: What they log in as.
        keys: OpenSSH public keys.
        addresses: Where they come from, as `upload_account.source` gives them.
    """

    username: str
    keys: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Server:
    """One sFTP server.

    Attributes:
        root: The folder of the districts' folders.
        etc: Where install.sh puts the configuration.
        state: Where host keys, logs and the list of sessions are.
        listen: The address to listen on; `::` is every one of IPv4 and IPv6.
        port: The port.
        uid: The number of the user and the group that the districts' files belong to; the pipelines' user is the next.
        reader: The pipelines' account; None: they have none.
    """

    root: str = "/srv/roster-sftp"
    etc: str = "/etc/roster-sftp"
    state: str = "/var/lib/roster-sftp"
    listen: str = "0.0.0.0"  # noqa: S104 - districts come from outside
    port: int = 22
    uid: int = 22022
    reader: Reader | None = None


def reader(username: str, keys: list[str], addresses: list[str]) -> Reader:
    """Check what was given for the pipelines' account.

    Raises:
        CallSomebody: It cannot be. The message repeats no key.
    """
    if not _NAME.fullmatch(username):
        raise CallSomebody("--reader is no user name", "use letters, digits, dots, hyphens and underscores")
    return Reader(
        username,
        tuple(dict.fromkeys(_checked("--reader-key", public_key, key) for key in keys)),
        tuple(dict.fromkeys(_checked("--reader-address", source, address) for address in addresses)),
    )


def checked(server: Server) -> Server:
    """See that a server's values can stand in its configuration.

    Raises:
        CallSomebody: One cannot.
    """
    places = {"--root": server.root, "--etc": server.etc, "--state": server.state}
    for option, path in places.items():
        if not _PATH.fullmatch(path):
            raise CallSomebody(
                f"{option} is no path that the server's configuration can hold",
                "give an absolute one of letters, digits, dots, hyphens and underscores, without a slash at its end",
            )
    folders = sorted(f"{path}/" for path in places.values())
    if any(later.startswith(former) for former, later in pairwise(folders)):
        raise CallSomebody("--root, --etc and --state lie within each other", "give three folders of their own")
    try:
        # What may follow the % of an IPv6 address is any text at all.
        ip_address(server.listen if "%" not in server.listen else "")
    except ValueError:
        raise CallSomebody("--listen is no address", "give one such as 0.0.0.0, or :: for IPv6 as well") from None
    return server


def _checked(option: str, check: Callable[[str], str], value: str) -> str:
    try:
        return check(value)
    except ValueError as error:
        raise CallSomebody(f"what {option} gives {error}", "correct it") from None
