"""How far a collection is that is pulled in pages: what to ask for next, and whether all of it has come.

Paging by offset is all that every server offers, and none promises that its data stand still. So nothing is assumed:
pages advance by the rows that were received, whatever was asked for, to one that is empty or was there before. How many
records a server counts only lets pages be asked for at the same time, and is held against what came.
"""

from dataclasses import dataclass, field

import numpy as np

from roster_pipelines.connections.paging import Page, Part


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
    """

    collection: str
    page_size: int
    total: int | None = None
    moved: bool = False
    earlier: bool = False
    absent: bool = False
    _asked: dict[int, int] = field(default_factory=dict)
    _pages: list[Page] = field(default_factory=list)
    _seen: set[bytes] = field(default_factory=set)

    def begin(self) -> list[Part]:
        """The first part."""
        return self._ask([(0, self.page_size)])

    def received(self, page: Page) -> list[Part]:
        """Take note of a page; return what to ask for now."""
        self._pages.append(page)
        if page.part.limit < self._asked.get(page.part.offset, 0):
            # More at once is too much for the server.
            self.page_size = page.part.limit
        self._asked[page.part.offset] = page.part.limit
        self.earlier |= page.earlier
        if page.total is not None:
            self.moved |= self.total not in (None, page.total)
            self.total = page.total
        content = page.ids.tobytes()
        if not page.rows or content in self._seen:
            return []
        self._seen.add(content)
        end = page.part.offset + page.rows
        if self.total is None:
            return self._ask([(end, self.page_size)])
        if page.part.offset == 0 and len(self._asked) == 1:
            # What the server gives at once, which may be less than was asked for. The last one should be empty.
            offsets = [*range(end, self.total, page.rows), max(end, self.total)]
            return self._ask([(offset, page.rows) for offset in offsets])
        following = min((offset for offset in self._asked if offset > page.part.offset), default=None)
        if following is None:
            return self._ask([(end, page.part.limit)])
        return self._ask([(end, following - end)] if end < following else [])

    def _ask(self, parts: list[tuple[int, int]]) -> list[Part]:
        new = [(offset, min(limit, self.page_size)) for offset, limit in parts if offset not in self._asked]
        self._asked.update(new)
        return [Part(self.collection, offset, limit) for offset, limit in new]

    def is_beyond(self, part: Part) -> bool:
        """Say whether a part only makes sure that no records come after those that the server counts."""
        return self.total is not None and part.offset >= self.total > 0

    @property
    def pages(self) -> list[Page]:
        """What has come, in order."""
        return sorted(self._pages, key=lambda page: page.part.offset)

    @property
    def rows(self) -> int:
        """How many records have come, some perhaps twice."""
        return sum(page.rows for page in self._pages)

    def distinct(self) -> int:
        """Count the records that have come, each once."""
        return len(np.unique(np.concatenate([page.ids for page in self._pages]))) if self._pages else 0
