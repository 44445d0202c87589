"""Ask a OneRoster API over HTTP: only what was meant is asked, answers are bounded, passing faults are tried again."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_after_attempt,
    stop_when_event_set,
    wait_exponential,
    wait_random,
)

from roster_pipelines.errors import CallSomebody, RosterError, TryAgain

ATTEMPTS = 5
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
# A page of 10,000 people is 6 MB.
MAX_BYTES = 256 * 1024**2
# Infinite Campus has pages that take 100 s; nothing has any that take five minutes.
ANSWER_SECONDS = 300
TIMEOUT = httpx.Timeout(120, connect=10)

T = TypeVar("T")
_once: ContextVar[bool] = ContextVar("once", default=False)


class Passing(TryAgain):
    """A fault after which the same request may succeed in a moment.

    Attributes:
        seconds: How long the server asks to wait; None: it does not say.
    """

    def __init__(self, what: str, do: str, seconds: float | None = None) -> None:
        super().__init__(what, do)
        self.seconds = seconds


class Overloaded(Passing):
    """The server fails, or takes too long: perhaps it cannot make so much at once."""


class ForPeople(Passing):
    """The answer is a page for people or leads to one, as where a server is being maintained, or there is no API."""


class NotOffered(CallSomebody):
    """There is nothing at that address."""


class NotUnderstood(CallSomebody):
    """The server does not take the request as it is, such as a filter that it does not know.

    Attributes:
        said: The answer's content, which is never shown.
    """

    def __init__(self, what: str, do: str, said: bytes) -> None:
        super().__init__(what, do)
        self.said = said


class Denied(CallSomebody):
    """The credentials are refused."""


class Forbidden(Denied):
    """The credentials are good, but may not read this."""


@contextmanager
def opened(connections: int) -> Iterator[httpx.Client]:
    """Open a client that verifies TLS, follows no redirect and keeps the cookies that a server sets."""
    # Its lines at level INFO are one for each page.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with httpx.Client(
        timeout=TIMEOUT,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=connections),
        # What a server may pack most tightly is not asked for: a block is unpacked whole before anybody can count.
        headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "roster-pipelines"},
    ) as client:
        yield client


@contextmanager
def once() -> Iterator[None]:
    """Try nothing again within: somebody waits to be told how things stand now."""
    token = _once.set(True)
    try:
        yield
    finally:
        _once.reset(token)


def persistently(attempt: Callable[[], T], cancelled: threading.Event | None = None) -> T:
    """Try until it succeeds or a fault does not pass.

    Between attempts is an exponential pause with jitter, or what the server asks for. Where it asks for more than
    `LONGEST_PAUSE`, that is for the next run.

    Args:
        attempt: What to try.
        cancelled: Set when nobody wants the result any more.

    Raises:
        TryAgain: It did not succeed in `ATTEMPTS` attempts, or in one within `once`.
    """
    growing = wait_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE) + wait_random(0, FIRST_PAUSE)

    def pause(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.seconds if isinstance(error, Passing) else None
        return growing(state) if asked is None else asked

    given_up = cancelled or threading.Event()
    retrying = Retrying(
        retry=retry_if_exception(_may_pass_soon),
        stop=stop_after_attempt(1 if _once.get() else ATTEMPTS) | stop_when_event_set(given_up),
        wait=pause,
        sleep=sleep_using_event(given_up),
        reraise=True,
    )
    return retrying(attempt)


def _may_pass_soon(error: BaseException) -> bool:
    return isinstance(error, Passing) and (error.seconds or 0) <= LONGEST_PAUSE


def read(
    client: httpx.Client, request: httpx.Request, auth: httpx.Auth | None, what: str, *, refused: str
) -> tuple[bytes, httpx.Headers]:
    """Send a request once, and read its answer.

    Args:
        client: From `opened`.
        request: The request.
        auth: What signs it.
        what: Who is asked for what, for messages: `Infinite Campus, users`.
        refused: What to do when access is refused.

    Returns:
        The answer's content and headers.

    Raises:
        Passing: The server was not reached, or is busy or ill; the same may succeed later.
        NotOffered: 404.
        NotUnderstood: 400 or 422.
        Denied: 401.
        Forbidden: 403.
        CallSomebody: Any other status, more than a page can be, or a certificate that is not valid.
    """
    started, size, blocks = time.monotonic(), 0, list[bytes]()
    response: httpx.Response | None = None
    try:
        response = client.send(request, stream=True, auth=auth)
        for block in response.iter_bytes():
            blocks.append(block)
            size += len(block)
            if size > MAX_BYTES:
                raise CallSomebody(f"{what}: the answer has over {MAX_BYTES // 1024**2} MB", "set a smaller page_size")
            if time.monotonic() - started > ANSWER_SECONDS:
                raise Overloaded(f"{what}: the answer took over {ANSWER_SECONDS} s", "set a smaller page_size")
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise _unreached(error, what, request.url.host) from None
    finally:
        if response is not None:
            response.close()
    content = b"".join(blocks)
    _raise_for(response, content, what, refused)
    return content, response.headers


def _unreached(error: Exception, what: str, host: str) -> RosterError:
    if "CERTIFICATE_VERIFY" in str(error):
        return CallSomebody(
            f"{what}: the TLS certificate of {host} is not valid, so nothing was sent",
            "ask whoever runs the server for one of a public authority that is in date and bears this name",
        )
    kind = Overloaded if isinstance(error, httpx.ReadTimeout) else Passing
    return kind(
        f"{what}: {host} cannot be reached, or hung up ({type(error).__name__})",
        "it is tried again; if this goes on, run: roster check-connection",
    )


def _raise_for(response: httpx.Response, content: bytes, what: str, refused: str) -> None:
    """Say by the status what must happen next; the body's words are the server's and may name anybody."""
    status = response.status_code
    if status == 200:
        return
    told = f"{what}: the server answers {status}"
    if status == 429 or status >= 500:
        do = "it is tried again; if this goes on, ask the provider"
        kind = Passing if status == 429 else Overloaded
        raise kind(told, do, _retry_after(response.headers.get("Retry-After")))
    if status == 401:
        raise Denied(told, refused)
    if status == 403:
        raise Forbidden(told, "the credentials are good, but may not read this: ask the district's administrator")
    if status == 404:
        raise NotOffered(told, "check base_url, and which collections the connection may read")
    if status in (400, 422):
        raise NotUnderstood(told, "check base_url; if this goes on, ask the provider", content)
    if 300 <= status < 400:
        raise ForPeople(
            f"{told}, a redirect, which is never followed",
            "it is tried again, as a server under maintenance does this; if it goes on, correct base_url",
        )
    raise CallSomebody(told, "check base_url; if this goes on, ask the provider")


def _retry_after(value: str | None) -> float | None:
    """Read the header: seconds, or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
