"""The gates of one person as a ladder: a sign for each, what it rests on, and how the first that is shut opens."""

from collections import Counter
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from roster_pipelines.reports.explain.data import Answers, Person, Place, Right, SignedIn, furthest
from roster_pipelines.rostering.identity import OUTCOMES
from roster_pipelines.rostering.reasons import GATES, REASONS, Gate, Who

LABELS: dict[str, str] = {
    "in_roster": "in the roster",
    "role": "role teaches",
    "signed_in": "signed in",
    "account_active": "account active",
    "entitled": "entitled",
    "stage": "stage allows",
    "class_current": "class there today",
}
WHO: dict[Who, str] = {
    "district": "the district",
    "teacher": "the teacher",
    "vendor": "sales or support",
    "integrations": "the integrations team",
}
SIGNS = {
    "✓": Text("✓", "green"),
    "✗": Text("✗", "red"),
    "?": Text("?", "yellow"),
    "!": Text("!", "bold yellow"),
}
"""For each answer a sign, so that none is told by its colour alone."""


def grid(*widths: int | None) -> Table:
    """Make a table without lines, whose last column takes what is left of the terminal and folds."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for width in widths:
        table.add_column(width=width, no_wrap=width is not None)
    table.add_column(ratio=1, overflow="fold")
    table.expand = True
    return table


def cut(more: int) -> list[Text]:
    """Say that more is in `--json`, if it is."""
    return [Text(f"  and {more:,} more: --json shows them all", "dim")] if more > 0 else []


def remedy(code: str) -> Text:
    """Say what would open a gate, and who must act."""
    reason = REASONS[code]
    return Text.assemble("→ ", (WHO[reason.who], "bold"), f": {reason.opens}")


def ladder(person: Person, stage: str) -> Table | None:
    """Draw the gates; None for whoever has none.

    Args:
        person: Whose.
        stage: The district's stage.
    """
    rows = [row for row in person.classes if row.gates]
    first = furthest(rows)
    if first is None:
        return None
    table, rests_on = grid(1, max(map(len, LABELS.values()))), _rests_on(person, stage)
    for gate in GATES:
        _rung(table, gate, rows, first, rests_on.get(gate, []))
    return table


def _rung(table: Table, gate: Gate, rows: Sequence[Answers], first: Answers, rests_on: list[str]) -> None:
    reasons = Counter(code for row in rows if (code := row.gates[gate]))
    shut = sum(reasons.values())
    is_first = gate == first.waiting_for
    told: list[Text] = []
    if shut == len(rows):
        told += [Text(REASONS[code].what, "bold red" if is_first else "") for code in reasons]
        told += [remedy(code) for code in reasons if is_first]
    elif shut or gate == "class_current":
        told.append(Text(f"{len(rows) - shut} of {len(rows)} classes"))
    follows = all(_unknown(code, row) for row in rows if (code := row.gates[gate]))
    sign = "✓" if shut < len(rows) else "?" if follows and not is_first else "✗"
    told += [Text(line, "dim" if shut else "") for line in rests_on]
    table.add_row(SIGNS[sign], Text(LABELS[gate], "bold red" if is_first else ""), Text("\n").join(told))


def _unknown(code: str, row: Answers) -> bool:
    """Whether an answer only says that it cannot be told before an earlier gate holds."""
    return code == "code-unknown" or (code == "no-account" and row.gates["signed_in"] is not None)


def _rests_on(person: Person, stage: str) -> dict[str, list[str]]:
    """Say by gate what its answer rests on, as lines."""
    several = len(person.rows) > 1
    return {
        "in_roster": [
            (f"{row.sourced_id}: " if several else "")
            + where([row.place])
            + ("" if row.enabled else ", enabledUser false")
            + (", tobedeleted" if row.status == "tobedeleted" else "")
            for row in person.rows
        ],
        "role": [" and ".join(dict.fromkeys(row.role or "no role" for row in person.rows))],
        "signed_in": [signed_in(sign_in) for sign_in in person.sign_ins]
        or ["no sign-in carries their sourcedId, e-mail address or username"],
        "account_active": _accounts(person),
        "entitled": [_right(right) for right in person.entitlements],
        "stage": [stage],
    }


def _accounts(person: Person) -> list[str]:
    """Name the accounts, what auto-registration will do where it lets the gate hold, and who else has linked them."""
    holds = any(row.gates and row.gates["account_active"] is None for row in person.classes)
    waits = holds and all(account.status != "active" for account in person.accounts)
    if waits and not person.accounts:
        return ["none yet: auto-registration opens one with the first class"]
    return [
        f"account {account.account_id}, {account.status}"
        + (", auto-registration makes it active with the first class" if waits and account.status == "inactive" else "")
        + (f", code for {', '.join(account.codes)}" if account.codes else "")
        + (f", which {', '.join(account.others)} linked too: they see each other's classes" if account.others else "")
        for account in person.accounts
    ]


def signed_in(sign_in: SignedIn) -> str:
    """Say in a line what became of a sign-in."""
    name = f"sign-in {sign_in.sign_in_id}"
    if sign_in.outcome is None:
        return f"{name} came after the plan was made: ask again in a moment"
    if sign_in.outcome not in OUTCOMES:
        by = f" by {sign_in.key}" if sign_in.key else ""
        return f"{name}, {sign_in.outcome}{by}" + ("" if sign_in.theirs else ", is somebody else")
    outcome = OUTCOMES[sign_in.outcome]
    fits = f" ({', '.join(sign_in.candidates)})" if sign_in.candidates else ""
    return f"{name}, {sign_in.outcome}: {outcome.what}{fits}; {outcome.who}: {outcome.do}"


def _right(right: Right) -> str:
    scope = f"school {right.school_sourced_id}" if right.school_sourced_id else "whole district"
    in_classes = f", in {right.classes} of their classes" if right.classes else ""
    if not right.seated:
        return f"{right.product_id} by {right.basis}, {scope}{in_classes}: waits for a seat"
    licence = f", licence {right.licence_id} until {right.ends_on}" if right.licence_id else ", no seat needed yet"
    return f"{right.product_id} by {right.basis}, {scope}{in_classes}{licence}"


def where(places: Sequence[Place]) -> str:
    """Write files and lines, or collections and records, and an earlier delivery: `classes.csv 4, users record 9`."""
    files: dict[tuple[str, str], list[str]] = {}
    for place in places:
        of = f" of delivery {place.delivery}" if place.earlier else ""
        file = place.file if "." in place.file else f"{place.file} record"
        files.setdefault((file, of), []).append("?" if place.line is None else f"{place.line}")
    return ", ".join(f"{file} {' and '.join(lines)}{of}" for (file, of), lines in files.items())
