"""`roster district`: the registry."""

import getpass
from pathlib import Path
from typing import Annotated, get_args

import typer
import yaml

from roster_pipelines import district as districts
from roster_pipelines.cli import database, output
from roster_pipelines.district import Stage
from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import deliveries, drops, plans, registry

app = typer.Typer(help="Add, change and look at districts.", no_args_is_help=True)


def said(why: str | None) -> str | None:
    """Refuse a reason that says nothing."""
    if why is not None and not why.strip():
        raise typer.BadParameter("give a reason: the district's history keeps it")
    return why


Why = Annotated[str, typer.Option("--why", callback=said, help="The reason, for the district's history.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[str, typer.Argument(metavar="DISTRICT", help="The district's key.")]


@app.command("apply")
def apply(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="YAML records, one district each.")],
    why: Why = "applied from file",
) -> None:
    """Add districts, or change them, from YAML files. All are checked before any is stored."""
    records = [districts.parse(read(file), file.name) for file in files]
    with database.opened() as engine, engine.begin() as connection:
        before = {known.district: known for known in registry.every(connection)}
        for record in records:
            version = registry.apply(connection, record, by=getpass.getuser(), why=why)
            output.console.print(f"{record.district}: {_change(before.get(record.district), record, version)}")


@app.command("list")
def list_(json: AsJson = False) -> None:
    """List every district with its stage, latest delivery and latest plan."""
    with database.opened() as engine, engine.connect() as connection:
        problems = drops.problems(connection)
        rows = []
        for record in registry.every(connection):
            delivery = deliveries.newest(connection, record.district)
            plan = plans.newest(connection, record.district)
            rows.append(
                {
                    "district": record.district,
                    "stage": record.stage,
                    "delivery": delivery and delivery.delivery_id,
                    "status": delivery and delivery.status,
                    "plan": plan and plan.told,
                    "problem": problems.get(record.district) or (delivery and delivery.reason),
                }
            )
    if json:
        output.as_json(rows)
    elif rows:
        shown = [name for name in rows[0] if name != "problem"]
        output.table("districts", shown, [tuple(row[name] for name in shown) for row in rows])
        for row in rows:
            if row["problem"]:
                output.console.print(f"{row['district']}: {row['problem']}", markup=False)
    else:
        output.console.print("No district yet. Add one with: roster district apply FILE")


@app.command("show")
def show(district: Key, json: AsJson = False) -> None:
    """Show a district's record and who changed it."""
    with database.opened() as engine, engine.connect() as connection:
        record = registry.get(connection, district)
        changes = registry.history(connection, district)
    if json:
        output.as_json({"record": record.model_dump(), "history": [vars(change) for change in changes]})
        return
    output.console.print(_yaml(record), markup=False)
    output.table(
        "history",
        ["version", "when", "who", "why"],
        [(c.version, f"{c.changed_at:%Y-%m-%d %H:%M}", c.changed_by, c.why) for c in changes],
    )


@app.command("export")
def export(district: Key) -> None:
    """Print a district's record as the YAML that apply takes."""
    with database.opened() as engine, engine.connect() as connection:
        output.console.print(_yaml(registry.get(connection, district)), markup=False, end="")


@app.command("stage")
def stage(
    district: Key,
    to: Annotated[str, typer.Argument(metavar="STAGE", help="onboarding, testing, live or paused.")],
    why: Why,
) -> None:
    """Move a district to another stage of its life."""
    if to not in get_args(Stage):
        raise typer.BadParameter(f"{to} is none of {', '.join(get_args(Stage))}", param_hint="STAGE")
    with database.opened() as engine, engine.begin() as connection:
        record = registry.get(connection, district)
        changed = districts.checked({**record.model_dump(), "stage": to}, district)
        version = registry.apply(connection, changed, by=getpass.getuser(), why=why)
    output.console.print(f"{district}: {f'version {version}, stage {to}' if version else f'is {to} already'}")


def _change(before: districts.District | None, record: districts.District, version: int | None) -> str:
    if version is None:
        return "unchanged"
    if before is None:
        return f"version {version}, stage {record.stage}"
    keys = [key for key in districts.District.model_fields if getattr(before, key) != getattr(record, key)]
    stage = f"stage {before.stage} -> {record.stage}" if before.stage != record.stage else f"stage {record.stage}"
    return f"version {version}, {stage}; changed: {', '.join(keys)}"


def read(file: Path) -> str:
    """Read a file with a district's record.

    Raises:
        CallSomebody: It cannot be read.
    """
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CallSomebody(
            f"{file} cannot be read ({type(error).__name__})", "name a YAML file with a district's record"
        ) from None


def _yaml(record: districts.District) -> str:
    return yaml.safe_dump(record.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True)
