"""A page of a collection: which records, under which key, with which headers."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response

from roster_pipelines.simulators.oneroster_api.asking import Ask
from roster_pipelines.simulators.oneroster_api.filters import UnknownFilterError
from roster_pipelines.simulators.oneroster_api.habits import Habits
from roster_pipelines.simulators.oneroster_api.provider import Provider, as_json
from roster_pipelines.simulators.oneroster_api.records import Records

_DEFAULT_LIMIT = 100
_LOGIN = "<!DOCTYPE html><html><title>Sign in</title><form action='/login'></form></html>"


@dataclass(frozen=True)
class Moment:
    """What a page depends on besides the request.

    Attributes:
        habits: Those of the day.
        number: Which data request this is.
        revision: The number of what ClassLink calls the revision of the data.
    """

    habits: Habits
    number: int
    revision: int

    @property
    def is_before_the_move(self) -> bool:
        """Whether the record that makes all others move is still to come."""
        after = self.habits.perm_rev_moves_after
        return after is not None and self.number <= after

    @property
    def body(self) -> str:
        """What the page's body is like."""
        return self.habits.body if self.number > self.habits.body_after else "normal"


def page(ask: Ask, name: str, records: Records, provider: Provider, moment: Moment) -> Response:
    """Answer a request for records."""
    habits = moment.habits
    try:
        limit, offset = int(ask.query.get("limit", _DEFAULT_LIMIT)), int(ask.query.get("offset", 0))
        if limit < 1 or offset < 0:
            raise ValueError  # noqa: TRY301 - as one that is no number
        chosen = _chosen(ask, records, moment)
    except ValueError:
        return provider.error(400, "invalid data")
    except UnknownFilterError:
        return provider.error(400, "invalid_filter_field")
    if habits.heavy_page is not None and limit > habits.heavy_page:
        return HTMLResponse("<html><h1>Bad Gateway</h1></html>", habits.heavy_status)
    limit = min(limit, habits.page_cap or provider.page_cap)
    total = len(records) if chosen is None else len(chosen)
    hidden = 1 if moment.is_before_the_move and total > 1 else 0
    total = 0 if habits.purged or name in habits.empty else total - hidden
    if habits.beyond_status is not None and 0 < total <= offset:
        return _beyond(provider, habits.beyond_status)
    if habits.repeat_last_page and 0 < total <= offset:
        offset = (total - 1) // limit * limit
    offset = 0 if habits.offset_ignored else min(offset, offset if habits.offset_cap is None else habits.offset_cap)
    first, after = min(offset, total), min(offset + limit, total)
    rows = records.page(first + hidden, after + hidden, chosen)
    headers = provider.page_headers(after - first, moment.revision - hidden)
    if habits.total_count:
        counted = len(records) if habits.total_unfiltered else total + habits.total_off_by
        headers["X-Total-Count"] = str(counted) if habits.total_text is None else habits.total_text
    if link := _link(ask, provider, limit, offset, total):
        headers["Link"] = link
    return _answer(ask, records.key, rows, after - first, headers, moment)


def _beyond(provider: Provider, status: int) -> Response:
    return HTMLResponse(_LOGIN) if status == 200 else provider.error(status, "no such page")


def _chosen(ask: Ask, records: Records, moment: Moment) -> Sequence[int] | None:
    """Say which records the query leaves; None: all of them, in the order in which they are kept."""
    chosen = _filtered(ask, records, moment.habits)
    if not moment.habits.order_moves:
        return chosen
    places = list(range(len(records)) if chosen is None else chosen)
    Random(moment.number).shuffle(places)  # noqa: S311 - the same each time that it is tested
    return places


def _filtered(ask: Ask, records: Records, habits: Habits) -> Sequence[int] | None:
    wanted = ask.query.get("filter", "")
    if wanted and habits.delta == "refused":
        raise UnknownFilterError("not here")
    wanted = wanted if habits.delta == "honoured" else ""
    sort = "" if habits.sort_ignored else ask.query.get("sort", "")
    descending = bool(sort) and ask.query.get("orderBy") == "desc"
    if not wanted and not descending and sort in ("", "sourcedId"):
        return None
    return records.select(wanted, sort, descending=descending)


def _answer(
    ask: Ask, key: str, rows: bytes | memoryview, count: int, headers: dict[str, str], moment: Moment
) -> Response:
    if moment.body == "html":
        return HTMLResponse(_LOGIN)
    if moment.body == "login":
        return RedirectResponse("/login", 302)
    if moment.body == "message":
        return as_json({"message": "the roster is being prepared"}, headers=headers)
    around = (b"", b"") if moment.habits.single_as_object and count == 1 else (b"[", b"]")
    if moment.body != "bare_array":
        around = (b'{"' + key.encode() + b'":' + around[0], around[1] + b"}")
    body = b"".join((around[0], rows, around[1]))
    if moment.habits.gzip and "gzip" in ask.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=1)
        headers["Content-Encoding"] = "gzip"
    return Response(body, 200, headers, "application/json")


def _link(ask: Ask, provider: Provider, limit: int, offset: int, total: int) -> str:
    kind = provider.links(ask)
    if kind == "none":
        return ""
    last = max(total - 1, 0) // limit * limit
    offsets = {"first": 0, "last": last}
    if offset > 0:
        offsets["prev"] = max(offset - limit, 0)
    if offset + limit < total:
        offsets["next"] = offset + limit
    elif kind == "campus":
        offsets["next"] = offset
    return ", ".join(f'<{_address(ask, provider, kind, limit, to)}>; rel="{rel}"' for rel, to in offsets.items())


def _address(ask: Ask, provider: Provider, kind: str, limit: int, offset: int) -> str:
    query = {**ask.query, "limit": str(limit), "offset": str(offset)}
    if kind == "campus":
        return f"{provider.url}{ask.path}?&{urlencode(dict(sorted(query.items(), reverse=True)))}"
    return f"{provider.url}{ask.path}?{urlencode(query)}"
