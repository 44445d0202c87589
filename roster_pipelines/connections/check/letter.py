"""What went wrong, as a letter to the district's administrator."""

import textwrap
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from roster_pipelines.connections.check.remedies import PROVIDERS, way_of
from roster_pipelines.connections.check.step import Step
from roster_pipelines.district import District

_WIDTH = 76


def letter(district: District, steps: Sequence[Step], now: datetime) -> str:
    """Write it.

    Args:
        district: Whose administrator it is to.
        steps: Every step of the check.
        now: When that was.

    Returns:
        The letter; blank where nothing is for the administrator to do.
    """
    theirs = [step for step in steps if step.state == "failed" and not step.ours]
    if not theirs:
        return ""
    local = now.astimezone(ZoneInfo(district.time_zone))
    way = way_of(district.connection)
    source = "your sFTP folder" if way == "sftp" else PROVIDERS[way]
    opening = (
        f"Hello, we have tried to read the roster of {district.name} from {source}, on {local:%Y-%m-%d at %H:%M %Z}. "
        "This is what did not work, and what would help:"
    )
    said = [textwrap.fill(opening, _WIDTH)]
    by_remedy: dict[str, list[Step]] = {}
    for step in theirs:
        by_remedy.setdefault(step.remedy, []).append(step)
    for remedy, found in by_remedy.items():
        said.append("\n".join([*(_item(step.detail) for step in found), _below(remedy)]))
    said.append("Please write to us when it is done; then we try again. Thank you!")
    return "\n\n".join(said)


def _item(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _below(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
