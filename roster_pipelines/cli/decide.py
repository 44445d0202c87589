"""`roster approve` and `roster discard`: decide on what a plan holds."""

import getpass
from typing import Annotated

import typer

from roster_pipelines.cli import database, output
from roster_pipelines.cli.district import Why
from roster_pipelines.platform import decisions
from roster_pipelines.platform.decisions import Decision

Number = Annotated[int, typer.Argument(metavar="PLAN", help="The plan's number, as roster plan DISTRICT shows it.")]


def approve(plan: Number, why: Why) -> None:
    """Let what a plan holds be deactivated after all. It counts once, and not past the next delivery."""
    _decide(plan, "approve", why, "its next run deactivates them")


def discard(plan: Number, why: Why) -> None:
    """Keep what a plan holds as it is. It counts until the next delivery."""
    _decide(plan, "discard", why, "they stay until the next delivery is looked at")


def _decide(plan_id: int, decision: Decision, why: str, then: str) -> None:
    with database.opened() as engine, engine.begin() as connection:
        plan = decisions.record(connection, plan_id, decision, by=getpass.getuser(), why=why)
    output.console.print(
        f"{plan.district}: {plan.held:,} held rows of plan {plan_id} {decisions.DONE[decision]}; {then}"
    )
