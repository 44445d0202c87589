"""The server's desk: takes each request, lets the habits have their way with it, counts, and answers."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from roster_pipelines.simulators.oneroster_api.asking import Ask
from roster_pipelines.simulators.oneroster_api.habits import Habits
from roster_pipelines.simulators.oneroster_api.library import Library
from roster_pipelines.simulators.oneroster_api.pages import Moment, page
from roster_pipelines.simulators.oneroster_api.provider import Provider, as_json

CUT = 0
"""The status of a request whose answer broke off."""


@dataclass(frozen=True)
class Seen:
    """A request that was answered.

    Attributes:
        method: GET, POST, ...
        path: The path as it was sent, with its escapes.
        query: The parameters, decoded.
        status: The answer's; `CUT` where it broke off.
        headers: The names of its headers, in lower case; never their values, which may be secrets.
    """

    method: str
    path: str
    query: dict[str, str]
    status: int
    headers: tuple[str, ...]


class Desk:
    """An ASGI application.

    Args:
        provider: The manners, which know the habits of the day.

    Attributes:
        seen: Every request that was answered.
        most_parallel: How many data requests were there at once, at most.
        served_seconds: How long making answers took; waiting is not counted.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._library: Library | None = None
        self._revision = 0
        self._present = 0
        self.forget()
        self.begin()

    def stock(self, library: Library) -> None:
        """Serve these records from now on."""
        self._library = library
        self._revision += 10

    def begin(self) -> None:
        """Count data requests anew."""
        self._number = 0
        self._last = float("-inf")

    def forget(self) -> None:
        """Forget what was seen."""
        self.seen: list[Seen] = []
        self.most_parallel = 0
        self.served_seconds = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        ask = await Ask.of(Request(scope, receive))
        name = self._provider.collection(ask.path)
        if name is None:
            response = await self._elsewhere(ask)
            await response(scope, receive, send)
            return
        self._present += 1
        self.most_parallel = max(self.most_parallel, self._present)
        try:
            response = await self._data(ask, name)
            await response(scope, receive, send)
        finally:
            self._present -= 1

    async def _elsewhere(self, ask: Ask) -> Response:
        habits = self._provider.habits
        await asyncio.sleep(habits.latency_seconds)
        began = time.perf_counter()
        return self._note(ask, habits, self._provider.elsewhere(ask), began)

    async def _data(self, ask: Ask, name: str) -> Response:
        habits = self._provider.habits
        self._number += 1
        number, present = self._number, self._present
        self._provider.counted(number)
        since_last, self._last = time.monotonic() - self._last, time.monotonic()
        await asyncio.sleep(habits.latency_seconds)
        if habits.slow_every and number % habits.slow_every == 0:
            await asyncio.sleep(habits.slow_seconds)
        began = time.perf_counter()
        limit = self._provider.parallel_limit if habits.parallel_limit is None else habits.parallel_limit
        too_many = bool(limit) and present > (limit or 0)
        if too_many or number <= habits.busy_first or habits.school_hours or since_last < habits.throttle_seconds:
            response = self._provider.error(429, "server busy", _retry_after(habits))
        else:
            response = self._serve(ask, name, Moment(habits, number, self._revision))
        if habits.cut_after is not None and number > habits.cut_after:
            response = _CutShort(response.body, response.status_code, response.headers)
        return self._note(ask, habits, response, began)

    def _serve(self, ask: Ask, name: str, moment: Moment) -> Response:
        """Say no, fail, or give a page."""
        habits = moment.habits
        refusal = self._provider.refusal(ask)
        if refusal is not None:
            return refusal
        if ask.method != "GET":
            return self._provider.error(405, "method not allowed")
        if habits.error_every and moment.number % habits.error_every == 0:
            return self._provider.error(habits.error_status, "server error")
        records = self._library.records(name) if self._library else None
        if records is None or name in habits.missing:
            return self._provider.error(404, "unknown object")
        if name in habits.forbidden:
            return self._provider.error(403, "forbidden")
        return page(ask, name, records, self._provider, moment)

    def _note(self, ask: Ask, habits: Habits, response: Response, began: float) -> Response:
        """Remember a request, before its answer leaves."""
        status = CUT if isinstance(response, _CutShort) else response.status_code
        self.seen.append(Seen(ask.method, ask.path, dict(ask.query), status, tuple(ask.headers)))
        self.served_seconds += time.perf_counter() - began
        if habits.leaky_errors and response.status_code >= 400:
            sent = f"{ask.headers.get('authorization', '')} {dict(ask.form)}"
            return as_json({"message": f"refused: {sent}"}, response.status_code)
        return response


def _retry_after(habits: Habits) -> dict[str, str]:
    if habits.retry_after is None:
        return {}
    in_a_second = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    return {"Retry-After": in_a_second if habits.retry_after == "date" else habits.retry_after}


class _CutShort(Response):
    """An answer of which only the first half leaves before the connection is closed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
