"""`roster powerschool-plugin`: what a district installs in its PowerSchool, and the letter that goes with it."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from roster_pipelines.cli import output
from roster_pipelines.connections.powerschool_plugin.build import Supplied, plugin_xml, plugin_zip
from roster_pipelines.connections.powerschool_plugin.steps import steps
from roster_pipelines.errors import CallSomebody
from roster_pipelines.settings import PluginSettings, settings


def _setting(name: str, what: str) -> Any:
    return typer.Option(help=f"{what}; without it ROSTER_PLUGIN_{name} holds.")


def powerschool_plugin(
    out: Annotated[Path, typer.Option(metavar="FILE", help="The zip; the letter is put beside it, as .txt.")] = Path(
        "powerschool-plugin.zip"
    ),
    name: Annotated[str | None, _setting("NAME", "The plugin's name, of 40 characters at most")] = None,
    version: Annotated[str | None, _setting("VERSION", "Its version")] = None,
    publisher: Annotated[str | None, _setting("PUBLISHER", "The vendor")] = None,
    email: Annotated[str | None, _setting("EMAIL", "Whom administrators write to")] = None,
    phone: Annotated[str | None, _setting("PHONE", "Whom they call; may be left out")] = None,
    opportunity_id: Annotated[
        str | None, typer.Option(help="The Opportunity ID that PowerSchool gave you, for the letter.")
    ] = None,
    powerschool_xml: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="Elements that PowerSchool gave you, put in as they are."
        ),
    ] = None,
    powerschool_attribute: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="An attribute of <plugin> that PowerSchool gave you; may be repeated."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
) -> None:
    """Write the plugin by which a district lets us read its PowerSchool, and its administrator's steps.

    What grants a plugin OneRoster is not public, so it is not made up: ask PowerSchool, of whom you become a partner.
    Put in what they give you, by --powerschool-xml or --powerschool-attribute.
    """
    if out.suffix.lower() != ".zip":
        raise typer.BadParameter(f"{out} does not end in .zip", param_hint="--out")
    supplied = Supplied(_read(powerschool_xml), _pairs(powerschool_attribute or []))
    said = {"name": name, "version": version, "publisher": publisher, "email": email, "phone": phone}
    plugin = _whole(replace(settings().plugin, **{key: value for key, value in said.items() if value is not None}))
    packed = plugin_zip(plugin_xml(plugin, supplied))
    letter = out.with_suffix(".txt")
    text = steps(plugin, out.name, opportunity_id)
    there = [str(path) for path in (out, letter) if path.exists()]
    if there and not force:
        raise CallSomebody(f"{' and '.join(there)} would be replaced", "name another file with --out, or add --force")
    if not out.absolute().parent.is_dir():
        raise CallSomebody(f"there is no folder {out.parent}", "make it, or name another file with --out")
    out.write_bytes(packed)
    letter.write_text(text, "utf-8")
    output.console.print(text, markup=False)
    output.console.print(f"The plugin: {out}\nThese steps, to be sent with it: {letter}", markup=False)
    if supplied == Supplied():
        output.console.print(
            "Nothing that PowerSchool supplies is in it. What grants OneRoster is to be had from their partner "
            "programme only: see --powerschool-xml and --powerschool-attribute.",
            markup=False,
        )


def _whole(plugin: PluginSettings) -> PluginSettings:
    missing = [key for key in ("name", "publisher", "email") if not getattr(plugin, key).strip()]
    if missing:
        raise CallSomebody(
            f"the plugin has no {' and no '.join(missing)}",
            "; ".join(f"give --{key} or set ROSTER_PLUGIN_{key.upper()}" for key in missing),
        )
    return plugin


def _read(path: Path | None) -> str:
    try:
        return "" if path is None else path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise CallSomebody(f"{path} is not UTF-8", "save it in this encoding") from None


def _pairs(attributes: list[str]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for attribute in attributes:
        name, equals, value = attribute.partition("=")
        if not equals or not value:
            raise typer.BadParameter("write NAME=VALUE", param_hint="--powerschool-attribute")
        pairs.append((name, value))
    return tuple(pairs)
