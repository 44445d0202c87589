"""`roster identities`: who each sign-in is, why some are nobody, and the decision to forget who one was."""

import getpass
from collections import Counter
from typing import Annotated

import typer

from roster_pipelines.cli import database, output
from roster_pipelines.cli.district import AsJson, Key, said
from roster_pipelines.platform import registry
from roster_pipelines.platform.identities import Identity, Matched, forget, latest, some
from roster_pipelines.reports.places import masked
from roster_pipelines.rostering.identity import OUTCOMES


def identities(
    district: Key,
    every: Annotated[bool, typer.Option("--all", help="List the matched ones, too.")] = False,
    json: AsJson = False,
    sign_in: Annotated[
        int | None,
        typer.Option("--forget", metavar="SIGN_IN", help="Match this one afresh: forget who it was. Needs --why."),
    ] = None,
    why: Annotated[
        str | None, typer.Option("--why", callback=said, help="The reason, for the district's history.")
    ] = None,
    same_person: Annotated[
        bool,
        typer.Option("--same-person", help="it is the same human being, so the linked account stays theirs"),
    ] = False,
) -> None:
    """List the SSO sign-ins that are nobody in the roster: why, what to do about it, and who must."""
    if (sign_in is None) != (why is None):
        raise typer.BadParameter("give both, or neither", param_hint="--forget and --why")
    with database.opened() as engine, engine.begin() as connection:
        registry.get(connection, district)
        if sign_in is not None and why is not None:
            person = forget(connection, district, sign_in, by=getpass.getuser(), why=why, same_person=same_person)
            output.console.print(
                f"sign-in {sign_in} is not taken for {person} any more; the next run, within seconds where Dagster"
                " runs, matches it by its claims.",
                markup=False,
            )
            return
        found = latest(connection, district)
    if json:
        output.as_json(found and _as_json(found, every))
    elif found is None:
        output.console.print(f"{district} has matched no sign-ins yet: nothing has been delivered and accepted.")
    else:
        _print(district, found, every)


def _shown(found: Matched, every: bool) -> list[Identity]:
    return [identity for identity in found.identities if every or identity.outcome in OUTCOMES]


def _as_json(found: Matched, every: bool) -> dict[str, object]:
    return {
        "matched_at": found.matched_at,
        "sign_ins": found.sign_ins,
        "matched": found.matched,
        "match_rate": found.rate,
        "identities": [
            _masked(identity) | (vars(OUTCOMES[identity.outcome]) if identity.outcome in OUTCOMES else {})
            for identity in _shown(found, every)
        ],
    }


def _masked(identity: Identity) -> dict[str, object]:
    return vars(identity) | {
        "person": identity.person and masked(identity.person),
        "candidates": [*map(masked, identity.candidates)],
    }


def _print(district: str, found: Matched, every: bool) -> None:
    rate = "" if found.rate is None else f" ({found.rate} %)"
    output.console.print(
        f"{found.matched:,} of {found.sign_ins:,} sign-ins of {district} match{rate}, {found.matched_at:%Y-%m-%d %H:%M}"
    )
    shown = _shown(found, every)
    if not shown:
        return
    output.table(
        "sign-ins" if every else "sign-ins that are nobody",
        ["sign-in", "outcome", "by", "is, or may be"],
        [(str(i.sign_in_id), i.outcome, i.key, masked(i.person or "") or some(i.candidates)) for i in shown],
    )
    counts = Counter(identity.outcome for identity in shown)
    reasons = [(outcome, reason) for outcome, reason in OUTCOMES.items() if counts[outcome]]
    if reasons:
        output.table(
            "why, and what to do",
            ["outcome", "sign-ins", "why", "what to do", "who"],
            [(outcome, counts[outcome], r.what, r.do, r.who) for outcome, r in reasons],
        )
