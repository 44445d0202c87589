"""Ask for a page of a collection, and take its records as they are."""

import codecs
import re
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from roster_pipelines.connections import http
from roster_pipelines.oneroster.shape import Version

TOTAL_HEADER = "X-Total-Count"
REVISION_HEADER = "X-Perm-Rev"

Ids = npt.NDArray[np.int64]
"""A number for each record, equal for equal sourcedIds."""


@dataclass(frozen=True)
class Service:
    """A OneRoster API that can be asked.

    Attributes:
        name: The provider's, for messages.
        client: From `http.opened`.
        auth: What signs requests.
        base: The address up to and including `/v1p1` or `/v1p2`.
        version: Of OneRoster.
        page_size: Records to ask for at once.
        parallel: Requests at the same time, at most.
        has_resources: Whether it may offer resources.
        refused: What to do where access is refused.
    """

    name: str
    client: httpx.Client
    auth: httpx.Auth
    base: str
    version: Version
    page_size: int
    parallel: int
    has_resources: bool
    refused: str


@dataclass(frozen=True)
class Part:
    """Some consecutive records to ask for."""

    collection: str
    offset: int
    limit: int


@dataclass(frozen=True)
class Page:
    """What came of a part.

    Attributes:
        part: What was asked for.
        ids: A number for each record, equal for equal sourcedIds.
        total: How many records the server counts in the collection; None: it does not.
        revision: A digest of ClassLink's number for the state of its data; blank elsewhere.
        earlier: Whether a record is older than was asked for: the filter was passed over, and all records come.
        frame: The records as compressed NDJSON; blank once it is kept.
    """

    part: Part
    ids: Ids
    total: int | None
    revision: str
    earlier: bool
    frame: bytes = field(repr=False)

    @property
    def rows(self) -> int:
        """How many records."""
        return len(self.ids)


def fetch(
    service: Service, part: Part, since: datetime | None, dropped: Collection[str], cancelled: threading.Event
) -> Page:
    """Ask for a part of a collection, persistently; for less of it where the server fails more than once.

    Args:
        service: Whom to ask.
        part: What.
        since: Only what has changed from then on; None: everything.
        dropped: Keys of a record which never land.
        cancelled: Set when nobody wants the page any more.

    Raises:
        TryAgain: The server was not reached, or gave no such records.
        NotOffered: There is no such collection.
        Denied: It may not be read.
        NotUnderstood: The server does not take the filter.
        CallSomebody: Otherwise a person must change something.
    """
    what = f"{service.name}, {part.collection}"
    failures = 0

    def attempt() -> Page:
        nonlocal failures
        # The first failure is taken for chance, each further one halves the page.
        asked = replace(part, limit=max(1, part.limit >> max(0, failures - 1)))
        request = service.client.build_request("GET", f"{service.base}/{part.collection}?{query(asked, since)}")
        try:
            content, headers = http.read(service.client, request, service.auth, what, refused=service.refused)
        except http.Overloaded:
            failures += 1
            raise
        rows, known = _read(content, part.collection, what)
        del content  # of a large page, every copy counts
        return _page(asked, rows, known, headers, since, dropped)

    return http.persistently(attempt, cancelled)


def query(part: Part, since: datetime | None) -> str:
    """Write the query: httpx would write a blank as `+`, which a signature does not."""
    order = f"limit={part.limit}&offset={part.offset}&sort=sourcedId&orderBy=asc"
    if since is None:
        return order
    changed = f"dateLastModified>'{since:%Y-%m-%dT%H:%M:%S}.000Z'"
    return f"{order}&filter={quote(changed, safe='-._~')}"


def records(content: bytes, collection: str, what: str) -> list[bytes]:
    """Take the records out of an answer, each as the JSON that it came as, in one line.

    The standard wants `{"users": [...]}`. A bare array, and a single record where there is one, are in use too. An
    answer without the key is never zero records.

    Raises:
        Passing: It holds no records.
    """
    return _read(content, collection, what)[0]


def _read(content: bytes, collection: str, what: str) -> tuple[list[bytes], list["_Known"]]:
    do = "it is tried again; if this goes on, ask the provider what is wrong"
    try:
        str(content, "utf-8")
        content = content.removeprefix(codecs.BOM_UTF8)
        is_bare = content.lstrip()[:1] == b"["
        found = memoryview(content if is_bare else _ENVELOPE.decode(content).get(collection, b""))
        if bytes(found[:1]) == b"{":
            # A single record; but there are servers that write an empty list as {}.
            found = memoryview(b"[%b]" % bytes(found) if bytes(found)[1:-1].strip() else b"[]")
        known = _KNOWN.decode(found)
        rows = [bytes(row) for row in _ROWS.decode(found)]
    except UnicodeDecodeError:
        raise http.Passing(f"{what}: the answer is not in UTF-8", do) from None
    except (msgspec.DecodeError, RecursionError):
        if not content.lstrip().startswith((b"{", b"[")):
            raise http.ForPeople(f"{what}: the answer is no JSON, such as a page for people to log in", do) from None
        raise http.Passing(f"{what}: the answer lacks the list {collection}", do) from None
    # Within a value, JSON has no line break but an escaped one.
    if b"\n" in content or b"\r" in content:
        rows = [row.replace(b"\n", b" ").replace(b"\r", b" ") for row in rows]
    return rows, known


class _Known(msgspec.Struct, gc=False):
    """What is looked at in a record before it lands."""

    sourcedId: Any = None
    dateLastModified: Any = None


# Records stay text on their way into the lake: only what is known of them is read.
_ENVELOPE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_KNOWN = msgspec.json.Decoder(list[_Known])


def _page(
    part: Part,
    rows: list[bytes],
    known: list[_Known],
    headers: httpx.Headers,
    since: datetime | None,
    dropped: Collection[str],
) -> Page:
    if dropped:
        rows = [_without(row, dropped) for row in rows]
    return Page(
        part,
        _ids(rows, known),
        total_of(headers),
        _digest(headers.get(REVISION_HEADER, "")),
        since is not None and any(_modified(one) < since.timestamp() for one in known),
        zstandard.ZstdCompressor(level=1).compress(b"\n".join([*rows, b""])),
    )


def total_of(headers: httpx.Headers) -> int | None:
    """Read how many records the server counts; None where it says nothing that can be one."""
    told = headers.get(TOTAL_HEADER, "").strip()
    return int(told) if re.fullmatch("[0-9]{1,9}", told) else None


def _without(row: bytes, dropped: Collection[str]) -> bytes:
    record = msgspec.json.decode(row)
    return msgspec.json.encode({key: value for key, value in record.items() if key not in dropped})


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8] if text else ""


def _modified(known: _Known) -> float:
    """When a record was changed; one that does not say it counts as new."""
    try:
        moment = datetime.fromisoformat(str(known.dateLastModified))
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return float("inf")


def ids_of(rows: Sequence[bytes]) -> Ids:
    """Number records by their sourcedIds; one that has none is equal only to itself."""
    return _ids(rows, _known(rows))


def _ids(rows: Sequence[bytes], known: Sequence[_Known]) -> Ids:
    each = zip(rows, known, strict=True)
    return np.fromiter((hash(str(one.sourcedId or row)) for row, one in each), np.int64, len(rows))


def _known(rows: Sequence[bytes]) -> list[_Known]:
    # At once, which takes a third of the time that one after the other would.
    return _KNOWN.decode(b"[%b]" % b",".join(rows))
