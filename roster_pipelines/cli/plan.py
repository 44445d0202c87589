"""`roster plan`: what would change, what was applied, and who waits for what."""

from collections import Counter
from typing import Annotated

import typer

from roster_pipelines.cli import database, output
from roster_pipelines.cli.district import AsJson, Key
from roster_pipelines.platform import derived, plans, registry
from roster_pipelines.rostering.gates import REASONS
from roster_pipelines.rostering.plan import ACTIONS, PUBLISHED


def plan(
    district: Key,
    json: AsJson = False,
    waiting: Annotated[bool, typer.Option("--waiting", help="List every waiting teacher by opaque id.")] = False,
) -> None:
    """Show a district's newest plan: rows by action, and what teachers with classes wait for."""
    with database.opened() as engine, engine.connect() as connection:
        registry.get(connection, district)
        newest = plans.newest(connection, district)
        teachers = derived.waiting(connection, district)
    if json:
        rows = [{"teacher": t, "classes": c, "waiting_for": w} for t, c, w in teachers]
        output.as_json(newest and {**vars(newest), "teachers": rows})
        return
    if newest is None:
        output.console.print(f"{district} has no plan yet: nothing has been delivered and accepted.")
        return
    output.table(
        f"plan {newest.plan_id} of {district}: {newest.outcome}\nfrom delivery {newest.delivery_id}",
        ["what", *ACTIONS],
        [(table.what, *(newest.counts[table.name][action] for action in ACTIONS)) for table in PUBLISHED],
    )
    if waiting:
        output.table("teachers", ["teacher", "classes", "waits for"], [row for row in teachers if row[2]])
        return
    counts = Counter(gate for _, _, gate in teachers)
    output.table(
        f"{len(teachers)} teachers with classes",
        ["gate", "teachers", "meaning"],
        [
            ("all open", counts[None], "their classes are rostered"),
            *((gate, counts[gate], reason) for gate, reason in REASONS.items() if counts[gate]),
        ],
    )
