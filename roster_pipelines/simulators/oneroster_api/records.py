"""A collection's records, rendered once: a page is one slice of their bytes."""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from roster_pipelines.simulators.oneroster_api import filters


class Records:
    """The records of one collection, in the order of their sourcedIds.

    Args:
        key: What the array is called in the envelope.
        rendered: Each record's sourcedId and its JSON.
        scrambled: Put them into an order that nobody can guess.
    """

    def __init__(self, key: str, rendered: Iterable[tuple[str, bytes]], *, scrambled: bool = False) -> None:
        self.key = key
        self._starts = array("Q", [0])
        self._selections: dict[tuple[str, ...], Sequence[int]] = {}
        order: list[str] = []
        joined = bytearray()
        for sourced_id, record in rendered:
            order.append(_scrambled(sourced_id) if scrambled else sourced_id)
            joined += record
            joined += b","
            self._starts.append(len(joined))
        self._joined = memoryview(joined)
        if any(one > other for one, other in pairwise(order)):
            self._arrange(sorted(range(len(order)), key=order.__getitem__))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def page(self, first: int, after: int, chosen: Sequence[int] | None = None) -> bytes | memoryview:
        """Give records, with commas between them.

        Args:
            first: The place of the first one.
            after: The place after the last one.
            chosen: The places that are counted, as `select` gave them; None: all.
        """
        if chosen is not None:
            return b",".join([self.page(place, place + 1) for place in chosen[first:after]])
        return self._joined[self._starts[first] : max(self._starts[after] - 1, self._starts[first])]

    def select(self, wanted: str, sort: str = "", *, descending: bool = False) -> Sequence[int]:
        """Say which records a filter leaves, in which order; each choice is made once.

        Args:
            wanted: OneRoster's filter; empty: all.
            sort: The field to sort by; empty, or one that no record has: as they are.
            descending: The largest first.

        Raises:
            UnknownFilterError: The filter is none, or names a field that no record has.
        """
        key = (wanted, sort, str(descending))
        if key not in self._selections:
            records = [msgspec.json.decode(self.page(place, place + 1)) for place in range(len(self))]
            kept = list(range(len(self)))
            if wanted:
                asked = filters.parse(wanted)
                for field, _, _ in asked.clauses:
                    if records and all(filters.value(record, field) is None for record in records):
                        raise filters.UnknownFilterError("no such field")
                kept = [place for place in kept if asked.fits(records[place])]
            if sort:
                kept.sort(key=lambda place: str(filters.value(records[place], sort) or ""), reverse=descending)
            self._selections[key] = array("Q", kept)
        return self._selections[key]

    def _arrange(self, places: Sequence[int]) -> None:
        pieces = [self.page(place, place + 1) for place in places]
        self._starts = array("Q", [0])
        for piece in pieces:
            self._starts.append(self._starts[-1] + len(piece) + 1)
        self._joined = memoryview(b",".join([*pieces, b""]))


def _scrambled(sourced_id: str) -> str:
    return hashlib.md5(sourced_id.encode(), usedforsecurity=False).hexdigest()
