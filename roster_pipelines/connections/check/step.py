"""The steps of a check: each is tried, timed and told; what rests on one that failed is not tried."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from roster_pipelines.connections import http
from roster_pipelines.connections.check.remedies import Cause, Way, remedy
from roster_pipelines.errors import CallSomebody, RosterError

State = Literal["ok", "failed", "skipped"]
NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Found:
    """What a step came to.

    Attributes:
        detail: One phrase.
        lines: More of it, for people.
        extra: The same, for programs.
    """

    detail: str
    lines: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


class Fault(CallSomebody):
    """What a step found to be wrong, where the error itself does not say it.

    Args:
        what: What is wrong.
        cause: What the remedy depends on.
        do: The remedy, where it is for us.
        lines: As of `Found`.
        extra: As of `Found`.
    """

    def __init__(
        self,
        what: str,
        cause: Cause,
        do: str = "",
        *,
        lines: tuple[str, ...] = (),
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(what, do)
        self.cause = cause
        self.found = Found(what, lines, extra or {})


@dataclass(frozen=True, eq=False)
class Planned:
    """A step that is to be tried.

    Attributes:
        name: Its name.
        act: Does it.
        cause: What is wrong where it fails, unless the error says it.
        needs: The steps without which it would be in vain.
    """

    name: str
    act: Callable[[], Found]
    cause: Cause
    needs: tuple["Planned", ...] = ()


@dataclass(frozen=True)
class Step:
    """A step that was tried, or was not.

    Attributes:
        name: Its name.
        state: How it ended.
        detail: What was found, or what is wrong.
        seconds: How long it took.
        remedy: What is to be done, where it failed.
        ours: Whether that is for us to do; otherwise it is said in words for the district's administrator.
        lines: More of the detail, for people.
        extra: More of the detail, for programs.
    """

    name: str
    state: State
    detail: str
    seconds: float = 0.0
    remedy: str = ""
    ours: bool = False
    lines: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


def taken(planned: Iterable[Planned], way: Way, begun: Callable[[str], None]) -> Iterator[Step]:
    """Try one step after the other.

    Args:
        planned: The steps, each after those that it needs.
        way: By which way the roster comes.
        begun: Told the name of each step that begins.
    """
    amiss: set[Planned] = set()
    for one in planned:
        if amiss.intersection(one.needs):
            step = Step(one.name, "skipped", NOT_TRIED)
        else:
            begun(one.name)
            step = _tried(one, way)
        if step.state != "ok":
            amiss.add(one)
        yield step


def _tried(one: Planned, way: Way) -> Step:
    began = time.perf_counter()
    try:
        with http.once():
            found = one.act()
    except RosterError as error:
        seconds = time.perf_counter() - began
        told = error.found if isinstance(error, Fault) else Found(error.what)
        words, ours = remedy(way, _cause(error, one.cause), error.do)
        return Step(one.name, "failed", told.detail, seconds, words, ours, told.lines, told.extra)
    return Step(one.name, "ok", found.detail, time.perf_counter() - began, lines=found.lines, extra=found.extra)


def _cause(error: RosterError, otherwise: Cause) -> Cause:
    if isinstance(error, Fault):
        return error.cause
    return "ill" if isinstance(error, (http.Passing, http.NotUnderstood)) else otherwise
