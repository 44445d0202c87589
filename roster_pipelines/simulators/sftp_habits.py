"""The habits and faults of real sFTP servers, switchable; what a server has seen, for tests to look at."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Cut:
    """A connection that dies in the middle of a file.

    Attributes:
        after: Bytes of the file that the connection has given before.
        times: How many connections die so; later ones live.
    """

    after: int
    times: int = 1


@dataclass(frozen=True)
class Habits:
    """How a server behaves. As it is made, it is a healthy one.

    Attributes:
        cuts: By a file's name, where connections die.
        single_connection: A second connection is hung up on.
        listing_seed: Folders are listed in a random order that follows from it; None: as the disk has it.
        read_only: Nothing can be written, renamed or removed.
        read_bytes: No request is given more, whatever it asks for; None: it is given all.
        read_delay_seconds: Each request to read is answered so much later.
        hangs: What gets no answer until this habit is taken away again, or the server stops.
    """

    cuts: Mapping[str, Cut] = field(default_factory=dict)
    single_connection: bool = False
    listing_seed: int | None = None
    read_only: bool = False
    read_bytes: int | None = None
    read_delay_seconds: float = 0.0
    hangs: frozenset[Literal["login", "listing"]] = frozenset()


@dataclass(frozen=True)
class Read:
    """A read that was answered: of which file, from where, how many bytes."""

    name: str
    offset: int
    size: int


class Behaviour:
    """The habits of a running server, and what it has seen.

    Attributes:
        habits: Replaceable at any time.
        reads: Every read that was answered.
        listings: How often a folder was listed.
        stopping: Nothing hangs any longer.
    """

    def __init__(self) -> None:
        self.stopping = False
        self.reset()

    def reset(self) -> None:
        """Be healthy, and forget what was seen."""
        self.habits = Habits()
        self.reads: list[Read] = []
        self.listings = 0
        self._cuts = Counter[str]()

    async def hang(self, step: Literal["login", "listing"]) -> None:
        """Wait until a step does not hang."""
        while step in self.habits.hangs and not self.stopping:
            await asyncio.sleep(0.005)

    def dies(self, name: str, given: int) -> bool:
        """Say whether a connection that has given so much of a file dies now."""
        cut = self.habits.cuts.get(name)
        if cut is None or given < cut.after or self._cuts[name] >= cut.times:
            return False
        self._cuts[name] += 1
        return True
