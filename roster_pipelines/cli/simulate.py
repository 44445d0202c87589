"""`roster simulate`: an invented district's API, to try connectors against."""

import signal
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, cast, get_args

import typer
import yaml

from roster_pipelines.cli import output
from roster_pipelines.errors import CallSomebody
from roster_pipelines.oneroster.shape import Version
from roster_pipelines.simulators import districts
from roster_pipelines.simulators.oneroster_api import ApiServer
from roster_pipelines.simulators.oneroster_api.habits import ProviderName, known, parse


def simulate(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help=f"One of {', '.join(get_args(ProviderName))}.")],
    students: Annotated[int, typer.Option(min=1, help="How many students the invented district has.")] = 200,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The OneRoster 1.1 files to serve; where there are none, they are made."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0: any free one.")] = 0,
    latency_ms: Annotated[int, typer.Option(min=0, help="How much later every answer comes, in milliseconds.")] = 0,
    version: Annotated[str, typer.Option(help="The OneRoster version: 1.1, or 1.2 of Infinite Campus.")] = "1.1",
    habit: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="What it does besides; may be given again.")
    ] = None,
    list_habits: Annotated[bool, typer.Option("--list-habits", help="List the provider's habits, and end.")] = False,
) -> None:
    """Serve an invented district as the API of a provider, strictly, and stay until Ctrl-C."""
    if provider not in get_args(ProviderName):
        raise typer.BadParameter(f"{provider} is none of {', '.join(get_args(ProviderName))}", param_hint="PROVIDER")
    whose = cast("ProviderName", provider)
    if list_habits:
        rows = [(each.name, each.values, each.default, each.meaning) for each in known(whose)]
        output.table(f"Habits of {provider}", ("name", "values", "default", "meaning"), rows)
        return
    if version not in get_args(Version) or (version == "1.2" and whose != "infinite_campus"):
        raise typer.BadParameter(f"{provider} does not serve {version}", param_hint="--version")
    habits = parse(_pairs(habit or ()), whose)
    if latency_ms:
        habits = replace(habits, latency_seconds=latency_ms / 1000)
    with ExitStack() as stack:
        served = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roster-simulator-")))
        _fill(served, students)
        server = ApiServer(served, whose, habits, port=port, version=cast("Version", version))
        try:
            stack.enter_context(server)
        except OSError as error:
            raise CallSomebody(f"port {port}: {error.strerror}", "name another --port") from None
        _introduce(server, served)
        with suppress(KeyboardInterrupt):
            signal.pause()


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise CallSomebody(f"habit {each!r} has no value", "give NAME=VALUE; see --list-habits")
        pairs[name] = value
    return pairs


def _fill(folder: Path, students: int) -> None:
    """Invent a district, unless the folder holds one."""
    if not (folder / "users.csv").exists():
        today = datetime.now(UTC).date()
        districts.generate(
            folder, students=students, school_year_start=districts.school_year(today), resources=("lessons",)
        )


def _introduce(server: ApiServer, folder: Path) -> None:
    """Say what is there, and how it is reached."""
    output.console.print(f"Serving {folder} at {server.url}. A district's record reaches it by:\n", markup=False)
    output.console.print(yaml.safe_dump({"connection": server.settings()}, sort_keys=False), markup=False)
    output.console.print(
        "Put that into a YAML file with district: and name:, then: roster district apply FILE, roster check-connection"
        " DISTRICT, roster pull DISTRICT. The secrets are there as long as the server is. Ctrl-C stops it.",
        markup=False,
    )
