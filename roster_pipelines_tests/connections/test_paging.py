"""Whatever a server's pages are like, all of a collection is asked for, in a bounded number of requests."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipelines.connections import http
from roster_pipelines.connections.paging import Page, Part, ids_of, query, records, total_of
from roster_pipelines.connections.progress import Progress

SINCE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass
class Server:
    """A server in memory.

    Attributes:
        rows: How many records it has.
        cap: It gives at most so many at once.
        short: By the number of a request, how many rows fewer come than could; at least one comes.
        off: What it counts too many; None: it does not count.
        repeats: Whether an offset beyond the end gives the last page again.
        heavy: A larger page than this it cannot make, and the connector asks for half of it, and again.
    """

    rows: int
    cap: int
    short: list[int]
    off: int | None
    repeats: bool
    heavy: int
    requests: list[Part] = field(default_factory=list)

    def answer(self, part: Part) -> Page:
        short = self.short[len(self.requests) % len(self.short)] if self.short else 0
        self.requests.append(part)
        while part.limit > self.heavy:
            part = replace(part, limit=part.limit // 2)
        size = max(1, min(part.limit, self.cap) - short)
        first = part.offset
        if self.repeats and 0 < self.rows <= first:
            first = (self.rows - 1) // size * size
        found = [msgspec.json.encode({"sourcedId": str(n)}) for n in range(first, min(first + size, self.rows))]
        return Page(part, ids_of(found), None if self.off is None else self.rows + self.off, "", False, b"")


servers = st.builds(
    Server,
    rows=st.integers(0, 90),
    cap=st.integers(1, 40),
    short=st.lists(st.integers(0, 6), max_size=4),
    off=st.none() | st.just(0) | st.integers(-60, -1),
    repeats=st.booleans(),
    heavy=st.integers(1, 60),
)


def run(server: Server, progress: Progress, draw: st.DataObject) -> None:
    """Ask for all of it; answers come in any order."""
    open_parts = progress.begin()
    while open_parts:
        chosen = draw.draw(st.integers(0, len(open_parts) - 1)) if len(open_parts) > 1 else 0
        open_parts += progress.received(server.answer(open_parts.pop(chosen)))
        assert len(server.requests) <= 2 * server.rows + 4


@given(servers, st.integers(1, 60), st.data())
def test_all_records_come_whatever_the_pages_are_like(server: Server, page_size: int, draw: st.DataObject) -> None:
    progress = Progress("users", page_size)
    run(server, progress, draw)
    assert progress.distinct() == server.rows
    assert not progress.moved
    assert all(part.limit <= page_size for part in server.requests)
    offsets = [part.offset for part in server.requests]
    assert len(offsets) == len(set(offsets))
    assert [page.part.offset for page in progress.pages] == sorted(offsets)


@given(st.integers(0, 90), st.integers(1, 40), st.integers(1, 60), st.data())
def test_a_healthy_server_is_asked_for_one_page_more_at_most(
    rows: int, cap: int, size: int, draw: st.DataObject
) -> None:
    server = Server(rows, cap, [], 0, repeats=False, heavy=60)
    progress = Progress("users", size)
    run(server, progress, draw)
    assert len(server.requests) <= -(-rows // min(cap, size)) + 1
    assert progress.rows == rows


@given(servers, st.integers(1, 60), st.data())
def test_what_was_kept_is_not_asked_for_again_and_the_rest_is(server: Server, size: int, draw: st.DataObject) -> None:
    """A pull that was cut: some of its pages are there, whichever they are."""
    whole = Progress("users", size)
    run(server, whole, draw)
    kept = [page for page in whole.pages if page.part.offset == 0 or draw.draw(st.booleans())]
    begun = len(server.requests)
    resumed = Progress("users", size)
    parts = resumed.begin()
    for page in kept:
        parts += resumed.received(page)
    parts = [part for part in parts if part.offset not in {page.part.offset for page in kept}]
    while parts:
        parts += resumed.received(server.answer(parts.pop()))
    assert resumed.distinct() == server.rows
    assert not {part.offset for part in server.requests[begun:]} & {page.part.offset for page in kept}


@given(servers, st.integers(1, 60), st.data())
def test_a_collection_whose_total_changed_on_the_way_is_told_as_moved(
    server: Server, size: int, draw: st.DataObject
) -> None:
    server.off = 0
    progress = Progress("users", size)
    parts = progress.begin()
    pages = 0
    while parts:
        parts += progress.received(server.answer(parts.pop(0)))
        pages += 1
        if pages == 1:
            server.rows += draw.draw(st.sampled_from([-1, 1])) if server.rows else 1
    assert progress.moved == (pages > 1)


def test_a_total_that_counts_too_many_is_never_reached() -> None:
    server = Server(50, 20, [], 7, repeats=False, heavy=60)
    progress = Progress("users", 20)
    parts = progress.begin()
    while parts:
        parts += progress.received(server.answer(parts.pop()))
    assert progress.total == 57
    assert progress.distinct() == 50


@pytest.mark.parametrize(
    ("told", "total"),
    [
        ("0", 0), (" 45 ", 45), ("999999999", 999_999_999), ("1000000000", None), (str(10**12), None),
        ("7" * 5000, None), ("\u00b2", None), ("\u0663", None), ("-3", None), ("4.5", None), ("1e3", None),
        ("45, 45", None), ("", None), ("many", None),
    ],
)  # fmt: skip
def test_a_total_that_can_be_none_is_none(told: str, total: int | None) -> None:
    assert total_of(httpx.Headers([(b"x-total-count", told.encode())], encoding="utf-8")) == total
    assert total_of(httpx.Headers()) is None


@pytest.mark.parametrize("offsets", [(0, 20, 40, 60), (0, 60, 40, 20), (0, 40, 60, 20)])
def test_where_pages_begin_to_be_the_same_is_known_whatever_order_they_come_in(offsets: tuple[int, ...]) -> None:
    progress = Progress("users", 20)
    progress.begin()
    for offset in offsets:
        same = page(min(offset, 20), 20, 20, 80)
        progress.received(replace(same, part=Part("users", offset, 20)))
    assert (progress.again, progress.fresh, progress.rows) == (20, 40, 80)


@pytest.mark.parametrize("total", [10_000 * 20 + 60, 999_999_999])
def test_however_many_a_server_counts_only_so_many_pages_are_asked_for_at_once(total: int) -> None:
    progress = Progress("users", 20)
    progress.begin()
    parts = progress.received(page(0, 20, 20, total))
    assert [part.offset for part in parts] == [*range(20, 10_000 * 20 + 20, 20), total]
    # What lies between is asked for as the pages before it come.
    (following,) = progress.received(page(parts[-2].offset, 20, 20, total))
    assert following.offset == 10_000 * 20 + 20


def page(offset: int, limit: int, rows: int, total: int | None = None) -> Page:
    ids = ids_of([msgspec.json.encode({"sourcedId": str(offset + n)}) for n in range(rows)])
    return Page(Part("users", offset, limit), ids, total, "", False, b"")


@pytest.mark.parametrize(
    ("rows", "last"),
    [([7], True), ([20], False), ([20, 7], True), ([20, 20], False), ([7, 7], False), ([7, 7, 3], True), ([], False)],
)
def test_without_a_total_only_after_a_page_shorter_than_the_others_there_may_be_none(
    rows: list[int], last: bool
) -> None:
    """A server that gives seven at most gives seven whether these are the last or not."""
    progress = Progress("users", 20)
    for number, some in enumerate(rows):
        progress.received(page(sum(rows[:number]), 20, some))
    assert progress.is_after_a_short_page(Part("users", sum(rows), 20)) is last
    assert not progress.is_after_a_short_page(Part("users", sum(rows) + 1, 20))
    progress.total = 100
    assert not progress.is_after_a_short_page(Part("users", sum(rows), 20))


def test_a_page_beyond_the_total_is_known_as_such() -> None:
    progress = Progress("users", 20)
    assert not progress.is_beyond(Part("users", 20, 20))
    progress.total = 20
    assert progress.is_beyond(Part("users", 20, 20))
    assert not progress.is_beyond(Part("users", 19, 20))
    progress.total = 0
    assert not progress.is_beyond(Part("users", 0, 20))


def test_records_are_known_by_their_ids_whatever_these_are() -> None:
    same = ids_of([b'{"sourcedId":"7"}', b'{"a": 1, "sourcedId":"7"}', b'{"sourcedId":7}'])
    assert len(set(same.tolist())) == 1
    odd = [
        b'{"sourcedId":["a"]}',
        b'{"sourcedId":{"b":1}}',
        b'{"sourcedId":null,"a":1}',
        b'{"a":2}',
        b'{"sourcedId":""}',
    ]
    assert len(set(ids_of(odd).tolist())) == len(odd)
    assert len(ids_of([])) == 0


@pytest.mark.parametrize(
    "content",
    [
        b'{"users":[{"sourcedId":"1"},{"sourcedId":"2"}]}',
        b'\xef\xbb\xbf{"users":[{"sourcedId":"1"},{"sourcedId":"2"}]}',
        b'\xef\xbb\xbf[{"sourcedId":"1"},{"sourcedId":"2"}]',
        b'{"status": 1, "users" : [ {"sourcedId":"1"} , {"sourcedId":"2"} ], "warnings": []}',
        b' [{"sourcedId":"1"},{"sourcedId":"2"}]',
        b'{"users": [\r\n {"sourcedId":\n"1"},\r\n {"sourcedId":"2"}]}\n',
    ],
    ids=[
        "as the standard has it",
        "with a BOM",
        "a bare array with a BOM",
        "with more beside it",
        "a bare array",
        "with line breaks",
    ],
)
def test_records_are_found_and_each_is_one_line(content: bytes) -> None:
    found = records(content, "users", "who, what")
    assert [msgspec.json.decode(row) for row in found] == [{"sourcedId": "1"}, {"sourcedId": "2"}]
    assert not any(b"\n" in row or b"\r" in row for row in found)


def test_one_record_may_be_no_list_and_no_record_is_an_empty_list() -> None:
    assert records(b'{"users":{"sourcedId":"1"}}', "users", "") == [b'{"sourcedId":"1"}']
    assert records(b'{"users":[]}', "users", "") == []
    assert records(b'{"users": {}}', "users", "") == records(b'{"users":{ \n }}', "users", "") == []
    assert records(b"[]", "users", "") == []


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"7", b'"users"', b"{}", b'{"message":"wait"}', b'{"users":null}', b'{"users":"none"}',
        b'{"users":[1,2]}', b'{"users":[{"sourcedId":"1"},null]}', b'{"orgs":[]}', b'{"users":[{"sourcedId":"1"}',
        b'{"users":' + b"[" * 100_000, b'{"users":[{"a":' + b'{"a":' * 100_000, b"[" * 100_000, b"\xef\xbb\xbf",
        b"<html></html>", b"\xff\xfe", b'{"users":[{"sourcedId":"1","givenName":"Ren\xe9"}]}',
    ],
)  # fmt: skip
def test_anything_else_is_a_fault_and_never_zero_records(content: bytes) -> None:
    with pytest.raises(http.Passing, match=r"^who, what: the answer (is no JSON|lacks the list users|is not in UTF-8)"):
        records(content, "users", "who, what")


def test_a_query_is_written_as_it_is_signed() -> None:
    part = Part("users", 40, 20)
    order = "limit=20&offset=40&sort=sourcedId&orderBy=asc"
    assert query(part, None) == order
    assert query(part, SINCE) == f"{order}&filter=dateLastModified%3E%272026-01-02T03%3A04%3A05.000Z%27"
