"""`roster templates`: empty files to fill, with the standard's headers."""

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from roster_pipelines.cli import output
from roster_pipelines.errors import CallSomebody
from roster_pipelines.oneroster import templates as standard
from roster_pipelines.oneroster.shape import Version


def templates(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made if it is missing.")],
    version: Annotated[str, typer.Option(help="The OneRoster version: 1.1 or 1.2.")] = "1.1",
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
) -> None:
    """Write the header-only template of every OneRoster file that is read, and a manifest that declares them.

    Fill each file below its header, without changing names or order of the columns. Leave a file that you have no
    rows for out, and write absent for it in manifest.csv. Then check the folder: roster validate DIR.

    Gradebook files and demographics are never used, so they have no template and the manifest says absent.
    """
    if version not in get_args(Version):
        raise typer.BadParameter(f"{version} is none of {', '.join(get_args(Version))}", param_hint="--version")
    if folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder", param_hint="DIR")
    contents = standard.templates(cast("Version", version))
    there = [name for name in contents if (folder / name).exists()]
    if there and not force:
        raise CallSomebody(f"{folder} already holds {', '.join(there)}", "name another folder, or add --force")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name).write_bytes(text.encode())
    output.console.print(
        f"{len(contents)} files of OneRoster {version} are in {folder}. Fill them, then: roster validate {folder}",
        markup=False,
    )
