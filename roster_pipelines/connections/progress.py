"""How far a collection is that is pulled in pages: what to ask for next, and whether all of it has come.

Paging by offset is all that every server offers, and none promises that its data stand still. So nothing is assumed:
pages advance by the rows that were received, whatever was asked for, to one that is empty or was there before. How many
records a server counts only lets pages be asked for at the same time, and is held against what came.
"""

from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from roster_pipelines.connections.paging import Ids, Page, Part
from roster_pipelines.errors import LookAtData

PAGES_BEFORE_DOUBT = 64
# No district has so many; a server may count what it likes.
PAGES_AHEAD = 10_000


@dataclass
class Progress:
    """How far a collection is; says what to ask for next. Whatever order pages come in, all of it is asked for.

    Attributes:
        collection: Its name.
        page_size: Records to ask for at once.
        total: How many records the server counts; None: it does not.
        moved: Whether that number changed on the way, so that records may have slipped from page to page.
        earlier: Whether the server passed the filter over.
        absent: Whether the server has no such collection, or does not give it.
        doubled: Whether what came twice is there twice.
        fresh: How many records have come in pages that were not there before.
        again: Where a page begins that came again in place of others, and may not be the last; None: none did.
    """

    collection: str
    page_size: int
    total: int | None = None
    moved: bool = False
    earlier: bool = False
    absent: bool = False
    doubled: bool = False
    fresh: int = 0
    again: int | None = None
    _asked: dict[int, int] = field(default_factory=dict)
    _pages: list[Page] = field(default_factory=list)
    _seen: dict[bytes, int] = field(default_factory=dict)

    def begin(self) -> list[Part]:
        """The first part."""
        return self._ask([(0, self.page_size)])

    def received(self, page: Page) -> list[Part]:
        """Take note of a page; return what to ask for now.

        Raises:
            LookAtData: The same records come again and again.
        """
        self._pages.append(page)
        part = page.part
        if part.limit < self._asked.get(part.offset, 0):
            # More at once is too much for the server.
            self.page_size = part.limit
        self._asked[part.offset] = part.limit
        self.earlier |= page.earlier
        if page.total is not None:
            self.moved |= self.total not in (None, page.total)
            self.total = page.total
        content = sha256(np.sort(page.ids).tobytes()).digest()
        if not page.rows or content in self._seen:
            if page.rows and (self.total is not None or page.rows == self._asked[0] > 1):
                self._seen[content] = self.again = min(self._seen[content], part.offset)
            return []
        self._seen[content] = part.offset
        self.fresh += page.rows
        self._is_going_on()
        end = part.offset + page.rows
        if self.total is None:
            return self._ask([(end, self.page_size)])
        if part.offset == 0 and len(self._asked) == 1:
            # What the server gives at once, which may be less than was asked for. The last one should be empty.
            offsets = [*range(end, self.total, page.rows)[:PAGES_AHEAD], max(end, self.total)]
            return self._ask([(offset, page.rows) for offset in offsets])
        if end in self._asked:
            return []
        following = min((offset for offset in self._asked if offset > part.offset), default=None)
        if following is None:
            return self._ask([(end, part.limit)])
        return self._ask([(end, following - end)] if end < following else [])

    def _is_going_on(self) -> None:
        """Look, each time that there are twice as many pages, whether they bring anything new."""
        pages = len(self._pages)
        if pages >= PAGES_BEFORE_DOUBT and pages & (pages - 1) == 0 and self.rows > 2 * self.distinct():
            raise LookAtData(
                f"the same {self.collection} come again and again, whatever is asked for, so nothing is changed",
                "ask the provider: the server passes offset over",
            )

    def _ask(self, parts: list[tuple[int, int]]) -> list[Part]:
        new = [(offset, min(limit, self.page_size)) for offset, limit in parts if offset not in self._asked]
        self._asked.update(new)
        return [Part(self.collection, offset, limit) for offset, limit in new]

    def is_beyond(self, part: Part) -> bool:
        """Say whether a part only makes sure that no records come after those that are counted."""
        return self.total is not None and part.offset >= self.total > 0

    def is_after_a_short_page(self, part: Part) -> bool:
        """Say whether a part follows a page that seems to be the last: shorter than asked for, and than any before."""
        before = [page for page in self._pages if page.part.offset + page.rows == part.offset]
        usual = max((page.rows for page in self._pages if page not in before), default=part.limit)
        return self.total is None and any(page.rows < min(page.part.limit, usual) for page in before)

    @property
    def pages(self) -> list[Page]:
        """What has come, in order."""
        return sorted(self._pages, key=lambda page: page.part.offset)

    @property
    def rows(self) -> int:
        """How many records have come, some perhaps twice."""
        return sum(page.rows for page in self._pages)

    def distinct(self) -> int:
        """Count the sourcedIds that have come."""
        return _distinct(self._ids())

    def kept(self) -> int:
        """Count the records that have come; one that is twice in a page is two records by its sender's mistake."""
        return self.distinct() + sum(page.rows - _distinct(page.ids) for page in self._pages)

    def repeated(self) -> bytes:
        """Sum up which sourcedIds have come more than once."""
        ids, times = np.unique(self._ids(), return_counts=True)
        return sha256(ids[times > 1].tobytes()).digest()

    def _ids(self) -> Ids:
        return np.concatenate([page.ids for page in self._pages]) if self._pages else np.empty(0, np.int64)


def _distinct(ids: Ids) -> int:
    """Count different numbers; `numpy.unique` takes fifty times as long for it."""
    in_order = np.sort(ids)
    return int(len(ids) > 0) + int(np.count_nonzero(in_order[1:] != in_order[:-1]))
