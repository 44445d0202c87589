"""Check how a district's connection is doing now, step by step, and say who must do what where it is amiss."""

from collections.abc import Callable, Iterator
from datetime import datetime

from roster_pipelines.connections.check import api, drop
from roster_pipelines.connections.check.letter import letter
from roster_pipelines.connections.check.step import State, Step
from roster_pipelines.district import District
from roster_pipelines.district_connection import SftpConnection

__all__ = ["State", "Step", "letter", "steps"]


def steps(district: District, now: datetime, begun: Callable[[str], None] = lambda _: None) -> Iterator[Step]:
    """Try each step once; nothing is stored anywhere.

    Args:
        district: Whose connection is checked.
        now: The time, in UTC.
        begun: Told the name of each step that begins.

    Yields:
        Each step as it ends. What rests on one that failed is skipped.
    """
    connection = district.connection
    if isinstance(connection, SftpConnection):
        yield from drop.steps(district, connection, now, begun)
    else:
        yield from api.steps(district, connection, now, begun)
