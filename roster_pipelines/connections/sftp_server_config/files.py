"""The files of the server: each is made of checked values only, and the same accounts give the same bytes."""

import textwrap
from collections.abc import Iterable, Iterator

from jinja2 import Environment, PackageLoader, StrictUndefined

from roster_pipelines.connections.sftp_server_config.accounts import Account
from roster_pipelines.connections.sftp_server_config.server import Server
from roster_pipelines.upload_account import split

MADE = "Made by `roster sftp-config` from the registry: change a district's record, not this file."
INSTALL = "install.sh"
_FROM_TEMPLATES = ("proftpd.conf", "roster-sftp.service", INSTALL)
NAMES = {*_FROM_TEMPLATES, "passwd", "group", "folders", "keys", "allow"}
"""Everything that stands at the top of the folder."""
_SERVICE = "proftpd"  # as mod_wrap2 calls itself in its lists


def files(server: Server, accounts: Iterable[Account]) -> dict[str, str]:
    """Write the server's configuration.

    Args:
        server: Checked.
        accounts: As `accounts.accounts` gives them.

    Returns:
        The texts by their path in the folder, one level deep at most.
    """
    every = list(accounts)
    fields = {
        "made": MADE,
        "server": server,
        "wildcard": server.listen in ("0.0.0.0", "::"),  # noqa: S104 - compared, not listened on
        "addresses": sorted({address for account in every for address in account.addresses}),
    }
    environment = Environment(
        loader=PackageLoader("roster_pipelines", "connections/sftp_server_config"),
        autoescape=False,  # noqa: S701 - no HTML; every value is checked before it comes here
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    written = {name: environment.get_template(f"{name}.j2").render(fields) for name in _FROM_TEMPLATES}
    written["passwd"] = _lines(_login(server, account) for account in every)
    written["group"] = _lines([f"roster-sftp:*:{server.uid}:"])
    written["folders"] = _lines(sorted(_folders(every)))
    for account in every:
        written[f"allow/{account.username}"] = _lines(_allowed(address) for address in account.addresses)
        if account.keys:
            written[f"keys/{account.username}"] = _lines(map(_rfc4716, account.keys))
    return written


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in (f"# {MADE}", *lines))


def _login(server: Server, account: Account) -> str:
    # The pipelines see the districts' files by their group, and may write only where it may.
    uid = server.uid if account.folder else server.uid + 1
    home = f"{server.root}/{account.folder}".rstrip("/")
    return f"{account.username}:{account.password_hash}:{uid}:{server.uid}::{home}:/usr/sbin/nologin"


def _folders(accounts: Iterable[Account]) -> Iterator[str]:
    for account in accounts:
        if account.folder:
            yield account.folder
            if account.reports:
                yield f"{account.folder}/{account.reports}"


def _allowed(address: str) -> str:
    place, mask = split(address)
    place = f"[{place}]" if ":" in place else place
    return f"{_SERVICE}: {place}" + (f"/{mask}" if mask else "")


def _rfc4716(key: str) -> str:
    """Write an OpenSSH public key as ProFTPD reads it."""
    body = "\n".join(textwrap.wrap(key.split(" ")[1], 70))
    return f"---- BEGIN SSH2 PUBLIC KEY ----\n{body}\n---- END SSH2 PUBLIC KEY ----"
