"""Fetch all pages of all collections, several at a time, and say whether each is whole."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

from roster_pipelines.connections.http import Forbidden, NotOffered, NotUnderstood, Passing
from roster_pipelines.connections.pages import Pages
from roster_pipelines.connections.paging import Page, Part, Service, fetch
from roster_pipelines.connections.progress import Progress
from roster_pipelines.district import District
from roster_pipelines.errors import LookAtData, RosterError, TryAgain
from roster_pipelines.oneroster import rest

# A run may take an hour (dagster.yaml); what is not whole by then is gone on with in the next.
LONGEST = timedelta(minutes=50)


class Moved(TryAgain):
    """The data have changed between two pages, or so it seems.

    Attributes:
        repeats: By collection, a digest of which records came more than once.
    """

    def __init__(self, what: str, repeats: Mapping[str, bytes] | None = None) -> None:
        super().__init__(what, "it is tried again; pull at a quieter time")
        self.repeats = repeats or {}


class Collecting:
    """Fetches all pages of all collections that are there, several at a time.

    Args:
        district: Whose registration decides what it cannot do without.
        service: Whom to ask.
        pages: Where pages are kept.
        changed_from: Only what has changed from then on; None: everything.
        repeats: By collection, which records came more than once in an earlier beginning: those are so.
        progress: See `pull`.
    """

    def __init__(
        self,
        district: District,
        service: Service,
        pages: Pages,
        changed_from: datetime | None,
        repeats: Mapping[str, bytes],
        progress: Callable[[str], None],
    ) -> None:
        wanted = rest.collections(district.requires)
        if not service.has_resources:
            wanted.pop("resources", None)
        self._required = wanted
        self._service = service
        self._pages = pages
        self._changed_from = changed_from
        self._repeats = repeats
        self._tell = progress
        self._pool = ThreadPoolExecutor(service.parallel)
        self._cancelled = threading.Event()
        self._revision = ""
        self._waiting: deque[Part] = deque()
        self._running: dict[Future[Page], Part] = {}
        self._left = Counter[str]()
        self._under_way = {name: Progress(name, service.page_size) for name in wanted}

    def run(self) -> dict[str, Progress]:
        """Fetch; return what has come of each collection that is there."""
        until = time.monotonic() + LONGEST.total_seconds()
        with self._pool:
            try:
                for one in self._under_way.values():
                    self._ask(one, self._gone_on(one))
                while self._waiting or self._running:
                    while self._waiting and len(self._running) < 2 * self._service.parallel:
                        part = self._waiting.popleft()
                        self._running[self._pool.submit(self._fetch, part)] = part
                    for future in self._done(until):
                        part = self._running.pop(future)
                        one = self._under_way[part.collection]
                        self._left[part.collection] -= 1
                        self._ask(one, self._received(one, part, future))
            except BaseException:
                self._cancelled.set()
                self._pool.shutdown(wait=False, cancel_futures=True)
                raise
        return {name: one for name, one in self._under_way.items() if not one.absent}

    def _done(self, until: float) -> set[Future[Page]]:
        done = wait(self._running, max(0, until - time.monotonic()), FIRST_COMPLETED).done
        if not done:
            raise TryAgain(f"{self._service.name}: the pull takes over {LONGEST}", "it is gone on with")
        return done

    def _ask(self, one: Progress, parts: list[Part]) -> None:
        self._waiting.extend(parts)
        self._left[one.collection] += len(parts)
        if self._left[one.collection]:
            return
        if one.absent:
            self._tell(f"{one.collection}: not offered")
            return
        self._check(one)
        pages = sum(page.rows > 0 for page in one.pages)
        self._tell(f"{one.collection}: {one.rows:,} records in {pages:,} pages")

    def _fetch(self, part: Part) -> Page:
        return self._pages.keep(self._page(part))

    def _page(self, part: Part) -> Page:
        dropped = rest.dropped(part.collection)
        return fetch(self._service, part, self._changed_from, dropped, self._cancelled)

    def _gone_on(self, one: Progress) -> list[Part]:
        """Begin a collection, or go on with it where pages of it are there."""
        parts = one.begin()
        for page in self._pages.kept(one.collection):
            self._hold(page)
            parts += one.received(page)
        there = {page.part.offset for page in one.pages}
        return [part for part in parts if part.offset not in there]

    def _received(self, one: Progress, part: Part, future: Future[Page]) -> list[Part]:
        try:
            page = future.result()
        except RosterError as error:
            if self._is_no_page(one, part, error):
                return []
            if not isinstance(error, NotOffered | Forbidden) or one.pages or self._required[one.collection]:
                raise
            one.absent = True
            return []
        self._hold(page)
        return one.received(page)

    @staticmethod
    def _is_no_page(one: Progress, part: Part, error: RosterError) -> bool:
        """Say whether an error is but how a server says that there is no page after the last one.

        Whether as many records have come as it counts, is looked at when all pages are there, whatever their order.
        """
        if one.is_beyond(part):
            return isinstance(error, Passing | NotOffered | NotUnderstood | Forbidden)
        return one.is_after_a_short_page(part) and isinstance(error, NotOffered | NotUnderstood)

    def _hold(self, page: Page) -> None:
        """Hold a page against the others: offsets mean nothing in data that were changed since."""
        if self._revision and page.revision and page.revision != self._revision:
            raise Moved(f"{self._service.name}: while the data were pulled, they changed")
        self._revision = self._revision or page.revision

    def _check(self, one: Progress) -> None:
        """Say whether a collection is whole."""
        name, told = one.collection, f"{self._service.name}: while the data were pulled,"
        if one.moved:
            raise Moved(f"{told} its number of {name} changed")
        if one.again is not None and (one.total is None or one.fresh < one.total):
            self._check_offset(one, one.again)
        if one.total is not None and one.kept() < one.total:
            # What is repeated alike in every pull is there twice; what has slipped from page to page is not.
            if one.fresh < one.total or self._repeats.get(name) != one.repeated():
                raise Moved(f"{told} it counted {one.total:,} {name} and gave {one.kept():,}", {name: one.repeated()})
            one.doubled = True
        if not one.rows and self._required[name] and self._changed_from is None:
            raise LookAtData(
                f"{self._service.name} gives no {name} at all, so nothing is changed",
                "ask the district whether its data are being loaded anew, and what the connection may read",
            )

    def _check_offset(self, one: Progress, again: int) -> None:
        """Tell a server that gives its last page again from one that passes offset over: ask for a page's second one.

        It is asked for in the pool, as one of the requests that are allowed at a time.
        """
        second = self._pool.submit(self._page, Part(one.collection, again + 1, 1)).result()
        (page,) = (page for page in one.pages if page.part.offset == again)
        if second.ids[:1].tolist() == page.ids[:1].tolist():
            raise LookAtData(
                f"{self._service.name} gives the same {page.rows:,} {one.collection} for any offset from {again:,} on, "
                "so that nobody knows whether there are more, and nothing is changed",
                "ask the provider: the server passes offset over",
            )
