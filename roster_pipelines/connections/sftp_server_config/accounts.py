"""Who gets an account on the server, and why the others get none."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from roster_pipelines.connections.sftp_server_config.server import Server
from roster_pipelines.district import District
from roster_pipelines.district_connection import SftpConnection, UploadAccount
from roster_pipelines.errors import CallSomebody

NO_PASSWORD = "*"  # noqa: S105 - what no password ever fits
# ProFTPD itself never lets root in.
_RESERVED = {"root"}
# SHA-512, SHA-256, yescrypt, bcrypt; a colon or a line end would end the field.
_STRONG = re.compile(r"\$(6|5|y|2[aby])\$[A-Za-z0-9./$,=]{20,200}")


@dataclass(frozen=True)
class Account:
    """One login.

    Attributes:
        username: What it logs in as.
        folder: Its root, as a path below the server's root; blank: the server's root itself.
        keys: OpenSSH public keys.
        password_hash: A crypt hash, or `NO_PASSWORD`.
        addresses: Where it may come from.
        reports: The sub-folder that the pipelines may write into; None: there is none.
    """

    username: str
    folder: str
    keys: tuple[str, ...]
    password_hash: str = field(repr=False)
    addresses: tuple[str, ...]
    reports: str | None = None


def accounts(
    districts: Iterable[District], server: Server, resolve: Callable[[str], str]
) -> tuple[list[Account], dict[str, str]]:
    """Choose who gets an account.

    Args:
        districts: All of the registry's.
        server: For the pipelines' own account, whose name no district can have.
        resolve: Reads a secret by its reference.

    Returns:
        The accounts, the pipelines' first and then by name; and why each other district has none.

    Raises:
        CallSomebody: Two would have the same name, a name cannot be, or a secret is missing or no strong hash.
    """
    found = list[Account]()
    without = dict[str, str]()
    for district in districts:
        connection = district.connection
        if not isinstance(connection, SftpConnection):
            without[district.district] = f"its data come by {connection.kind}"
        elif connection.upload is None:
            without[district.district] = "its record has no upload"
        else:
            found.append(_account(district.district, connection, connection.upload, resolve))
    _raise_for_names(found, server)
    found.sort(key=lambda account: account.username)
    if server.reader:
        own = server.reader
        found.insert(0, Account(own.username, "", own.keys, NO_PASSWORD, own.addresses))
    return found, without


def _account(
    district: str, connection: SftpConnection, upload: UploadAccount, resolve: Callable[[str], str]
) -> Account:
    return Account(
        upload.username or district,
        district,
        tuple(dict.fromkeys(upload.authorized_keys)),
        _hash(district, upload.password_hash, resolve) if upload.password_hash else NO_PASSWORD,
        tuple(dict.fromkeys(upload.addresses)),
        connection.reports,
    )


def _hash(district: str, reference: str, resolve: Callable[[str], str]) -> str:
    value = resolve(reference)
    if not _STRONG.fullmatch(value):
        raise CallSomebody(
            f"{district}: the secret {reference} is no strong crypt hash of a password",
            "put there what openssl passwd -6 prints, and nothing else",
        )
    return value


def _raise_for_names(found: Iterable[Account], server: Server) -> None:
    # Names that differ in case only would be two accounts to the server and one to whoever types them.
    taken = {name: "the server" for name in _RESERVED}
    if server.reader:
        taken[server.reader.username.lower()] = "the pipelines' own account (--reader gives it another)"
    for account in found:
        name = account.username.lower()
        if name in taken:
            raise CallSomebody(
                f"{account.folder}: the user name {account.username} is taken by {taken[name]}",
                "give the district another one as upload.username and apply again",
            )
        taken[name] = account.folder
