"""`roster sftp-config`: the vendor's own sFTP server, written from the registry."""

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from roster_pipelines.cli import database, output
from roster_pipelines.cli.district import read
from roster_pipelines.connections import secret
from roster_pipelines.connections.sftp_server_config import server as servers
from roster_pipelines.connections.sftp_server_config.accounts import accounts
from roster_pipelines.connections.sftp_server_config.server import Server
from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import registry

_STANDARD = Server()


def sftp_config(
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where to write; what it wrote there is replaced.")
    ],
    root: Annotated[str, typer.Option(help="On the server: the folder of the districts' folders.")] = _STANDARD.root,
    etc: Annotated[str, typer.Option(help="On the server: where the configuration is put.")] = _STANDARD.etc,
    state: Annotated[str, typer.Option(help="On the server: host keys and logs.")] = _STANDARD.state,
    listen: Annotated[str, typer.Option(help="The address to listen on; :: for IPv6 as well.")] = _STANDARD.listen,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = _STANDARD.port,
    uid: Annotated[
        int,
        typer.Option(min=1, max=60000, help="The number of the user that files belong to; the pipelines' is the next."),
    ] = _STANDARD.uid,
    reader: Annotated[str, typer.Option(help="The user name of the pipelines themselves.")] = "roster",
    reader_key: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Their public key, a .pub file; may be repeated. Without it they get no account."
        ),
    ] = None,
    reader_address: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Where they come from; may be repeated. Default: 127.0.0.1."),
    ] = None,
) -> None:
    """Write the configuration of the sFTP server that districts upload to: accounts, keys, addresses, installation.

    A district whose record has connection.upload gets an account with a root of its own. Copy DIR to the server and run
    install.sh there. Who has an account no longer keeps the folder: nothing is removed.
    """
    from roster_pipelines.connections.sftp_server_config.files import INSTALL, files

    own = None
    if reader_key:
        own = servers.reader(reader, [read(file) for file in reader_key], reader_address or ["127.0.0.1"])
    server = servers.checked(Server(root, etc, state, listen, port, uid, own))
    with database.opened() as engine, engine.connect() as connection:
        districts = registry.every(connection)
    given, without = accounts(districts, server, secret.resolve)
    written = files(server, given)
    _replace(folder.resolve(), written)
    _tell(without)
    if own is None:
        output.console.print("No account for the pipelines themselves: give their public key by --reader-key.")
    number = len(given) - (own is not None)
    output.console.print(
        f"{number} of {len(districts)} districts have an account. Copy {folder} to the server and run {INSTALL} there.",
        markup=False,
    )


def _tell(without: Mapping[str, str]) -> None:
    reasons = defaultdict[str, list[str]](list)
    for district, why in without.items():
        reasons[why].append(district)
    for why, names in sorted(reasons.items()):
        output.console.print(f"No account, as {why}: {', '.join(names)}", markup=False)


def _replace(folder: Path, written: Mapping[str, str]) -> None:
    """Put the folder into place when it is whole; whatever else a folder holds is not for us to remove.

    Raises:
        CallSomebody: It holds what this command has not written.
    """
    _raise_for_others(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Hashes of passwords are in it; beside the folder, so that it can be renamed.
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        new, old = beside / "new", beside / "old"
        for path in (new, new / "keys", new / "allow"):
            path.mkdir(mode=0o700)
        for name, text in written.items():
            file = new / name
            file.touch(0o700 if name.endswith(".sh") else 0o600)
            file.write_bytes(text.encode())
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(beside)


def _raise_for_others(folder: Path) -> None:
    from roster_pipelines.connections.sftp_server_config.files import MADE, NAMES

    if not folder.exists():
        return
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    ours = folder / "passwd"
    if there and not (there <= NAMES and ours.is_file() and MADE.encode() in ours.read_bytes()):
        raise CallSomebody(f"{folder} holds what roster sftp-config has not written", "name another folder")
