"""`roster plan`: what would change, what was applied, what is held, and who waits for what."""

from dataclasses import asdict
from typing import Annotated

import duckdb
import typer
from sqlalchemy.engine import Connection

from roster_pipelines.cli import database, output
from roster_pipelines.cli.district import AsJson, Key
from roster_pipelines.duck import attached
from roster_pipelines.errors import LookAtData
from roster_pipelines.lake import Lake
from roster_pipelines.platform import decisions, derived, plans, registry
from roster_pipelines.reports.places import masked
from roster_pipelines.rostering import guard
from roster_pipelines.rostering.plan import ACTIONS, PUBLISHED
from roster_pipelines.rostering.reasons import REASONS
from roster_pipelines.settings import settings


def plan(
    district: Key,
    json: AsJson = False,
    waiting: Annotated[bool, typer.Option("--waiting", help="List every waiting teacher by opaque id.")] = False,
    held: Annotated[
        bool, typer.Option("--held", help="List every class of which rows are held, by opaque id.")
    ] = False,
) -> None:
    """Show a district's newest plan: rows by action, what it holds, and what teachers with classes wait for."""
    with database.opened() as engine, engine.connect() as connection:
        registry.get(connection, district)
        newest = plans.newest(connection, district)
        if newest is None:
            if json:
                output.as_json(None)
            else:
                output.console.print(f"{district} has no plan yet: nothing has been delivered and accepted.")
            return
        if json:
            _as_json(connection, newest)
        elif waiting:
            rows = [
                (masked(w.person_sourced_id), w.classes, w.gate, w.reason)
                for w in derived.waiting(connection, district)
            ]
            output.table("teachers", ["teacher", "classes", "waits for", "reason"], [row for row in rows if row[2]])
        elif held and not newest.held:
            output.console.print(f"plan {newest.plan_id} of {district} holds nothing.")
        elif held:
            output.table(
                f"classes of which plan {newest.plan_id} holds rows",
                ["class", "the class itself", "its teachers", "its students"],
                [(masked(name), "held" if whole else "", *counts) for name, whole, *counts in _held_classes(newest)],
            )
        else:
            _tell(connection, newest)


def _tell(connection: Connection, plan: plans.Plan) -> None:
    output.table(
        f"plan {plan.plan_id} of {plan.district}: {plan.told}\nfrom delivery {plan.delivery_id}",
        ["what", *ACTIONS],
        [(table.what, *(plan.rows(table.name, action) for action in ACTIONS)) for table in PUBLISHED],
    )
    if plan.held:
        output.console.print(_held(connection, plan), markup=False)
    counts = derived.counts(connection, plan.district)
    output.table(
        "what teachers and classes wait for",
        ["gate", "reason", "teachers", "classes", "who"],
        [
            (c.gate, c.reason, c.teachers, c.classes, REASONS[c.reason].who)
            if c.reason
            else ("all open", "", c.teachers, c.classes, "")
            for c in counts
        ],
    )
    waited_for = [c.reason for c in counts if c.reason]
    if waited_for:
        output.table("what opens it", ["reason", "what"], [(code, REASONS[code].opens) for code in waited_for])
    more = derived.classes_if_all_signed_in(connection, plan.district)
    output.console.print(
        f"{more:,} more classes would be there if every waiting teacher signed in, with an active account"
        + (" and a code." if registry.get(connection, plan.district).registration == "access_code" else "."),
    )


def _held(connection: Connection, plan: plans.Plan) -> str:
    told = f"{plan.held:,} rows are held: {guard.reason(plan.held_by_table, plan.active)}."
    decided = decisions.of(connection, plan)
    if decided:
        return f"{told} They were {decisions.DONE[decided]}: the next run goes by it."
    commands = {
        f"roster plan {plan.district} --held": "lists the classes",
        f"roster approve {plan.plan_id} --why ...": "deactivates the rows",
        f"roster discard {plan.plan_id} --why ...": "keeps them until the next delivery",
    }
    width = max(map(len, commands))
    return "\n".join([told, *(f"  {command:<{width}}  {what}" for command, what in commands.items())])


def _as_json(connection: Connection, plan: plans.Plan) -> None:
    output.as_json(
        {
            **asdict(plan),
            "changes": plan.changes,
            "held": plan.held,
            "held_because": guard.reason(plan.held_by_table, plan.active) if plan.held else None,
            "decided": decisions.of(connection, plan),
            "held_classes": [
                {"class": masked(name), "itself": whole, "teachers": teachers, "students": students}
                for name, whole, teachers, students in _held_classes(plan)
            ],
            "teachers": [
                {
                    "teacher": masked(w.person_sourced_id),
                    "classes": w.classes,
                    "waiting_for": w.gate,
                    "reason": w.reason,
                }
                for w in derived.waiting(connection, plan.district)
            ],
            "classes_if_all_signed_in": derived.classes_if_all_signed_in(connection, plan.district),
        }
    )


def _held_classes(plan: plans.Plan) -> list[tuple[str, bool, int, int]]:
    if not plan.held:
        return []
    lake = Lake(settings().lake)
    try:
        with lake.reading(lake.plan(plan.district, plan.plan_id)) as file, attached(plan=file) as con:
            return guard.held_classes(con, "plan")
    except (OSError, duckdb.Error) as error:
        raise LookAtData(
            f"the rows of plan {plan.plan_id} cannot be read ({type(error).__name__})",
            "check ROSTER_LAKE; or run the district again from roster_plan on",
        ) from None
