"""Pull a district's roster from its OneRoster API, whole or what has changed, as files of a delivery."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from roster_pipelines.connections import services
from roster_pipelines.connections.gather import Gathered, Pull
from roster_pipelines.connections.http import Forbidden, NotOffered, NotUnderstood
from roster_pipelines.connections.pages import Pages
from roster_pipelines.connections.paging import Page, Part, Service, fetch
from roster_pipelines.connections.progress import Progress
from roster_pipelines.district import District
from roster_pipelines.errors import LookAtData, TryAgain
from roster_pipelines.oneroster import manifest, rest
from roster_pipelines.oneroster.manifest import Mode
from roster_pipelines.oneroster.standard import tables
from roster_pipelines.oneroster.templates import manifest as write_manifest

# How often a pull begins anew when the data move under it.
BEGINNINGS = 3
# A server's clock and ours may differ, and a record may be entered a little after its time.
OVERLAP = timedelta(minutes=30)
# A little less than a week, so that a pull on the same weekday and hour is the one that is whole.
WHOLE_EVERY = timedelta(days=6, hours=12)


class _Moved(TryAgain):
    """The data have changed between two pages."""


def since(district: District, last: Pull | None, now: datetime) -> datetime | None:
    """Say from when on changes are asked for; None: everything is pulled.

    Args:
        district: Whose `changes_only` counts.
        last: What is known of the pull that made the roster in use.
        now: The time.
    """
    trusted = getattr(district.connection, "changes_only", False)
    if not trusted or last is None or last.source != source(district) or now - last.full_at >= WHOLE_EVERY:
        return None
    return last.began_at - OVERLAP


def source(district: District) -> str:
    """Sum up where a district is pulled from."""
    connection = district.connection
    where = f"{connection.kind} {getattr(connection, 'base_url', '')} {getattr(connection, 'tenant_id', '')}"
    return sha256(where.encode()).hexdigest()[:8]


def pull(
    district: District,
    folder: Path,
    pages: Pages,
    last: Pull | None,
    now: datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> Gathered:
    """Pull everything, or what has changed since the last pull.

    Args:
        district: Whose connection and registration count.
        folder: An empty local folder for the files.
        pages: Where pages are kept on the way.
        last: What is known of the pull that made the roster in use.
        now: The time.
        progress: Told a line for each collection that is whole.

    Returns:
        One file for each collection that is there, and a manifest.

    Raises:
        TryAgain: The service was not reached, or its data moved again and again.
        CallSomebody: Credentials, address or permissions are wrong.
        LookAtData: A collection that a district cannot do without is empty.
    """
    changed_from = since(district, last, now)
    with services.opened(district, now) as service:
        for beginning in range(BEGINNINGS):
            began_at = pages.begin(service, changed_from, now)
            try:
                whole = _Collecting(district, service, pages, changed_from, progress).run()
                break
            except _Moved:
                pages.clear()
                if beginning == BEGINNINGS - 1:
                    raise
            except LookAtData:
                # What is kept would be refused again.
                pages.clear()
                raise
            except NotUnderstood:
                if changed_from is None or beginning == BEGINNINGS - 1:
                    raise
                progress(f"{service.name} does not know the filter by dateLastModified: everything is pulled")
                changed_from = None
        repeated = _write(whole, pages, folder)
        modes = _modes(whole, service, changed_from)
    (folder / manifest.FILE).write_text(write_manifest(service.version, modes, service.name), "utf-8", newline="")
    is_full = "delta" not in modes.values()
    full_at = began_at if is_full or last is None else last.full_at
    told = Pull(began_at, "bulk" if is_full else "delta", full_at, repeated, source(district))
    files = {path.name: path for path in sorted(folder.iterdir())}
    return Gathered(files, (), tuple(whole), pull=told)


class _Collecting:
    """Fetches all pages of all collections that are there, several at a time."""

    def __init__(
        self,
        district: District,
        service: Service,
        pages: Pages,
        changed_from: datetime | None,
        progress: Callable[[str], None],
    ) -> None:
        wanted = rest.collections(district.requires)
        if not service.has_resources:
            wanted.pop("resources", None)
        self._required = wanted
        self._service = service
        self._pages = pages
        self._changed_from = changed_from
        self._tell = progress
        self._cancelled = threading.Event()
        self._revision = ""
        self._running: dict[Future[Page], Part] = {}
        self.under_way = {name: Progress(name, service.page_size) for name in wanted}

    def run(self) -> dict[str, Progress]:
        """Fetch; return what has come of each collection that is there."""
        with ThreadPoolExecutor(self._service.parallel) as pool:
            try:
                for one in self.under_way.values():
                    self._ask(pool, one, self._gone_on(one))
                while self._running:
                    for future in wait(self._running, return_when=FIRST_COMPLETED).done:
                        part = self._running.pop(future)
                        one = self.under_way[part.collection]
                        self._ask(pool, one, self._received(one, part, future))
            except BaseException:
                self._cancelled.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return {name: one for name, one in self.under_way.items() if not one.absent}

    def _ask(self, pool: ThreadPoolExecutor, one: Progress, parts: list[Part]) -> None:
        for part in parts:
            self._running[pool.submit(self._fetch, part)] = part
        if not one.absent and all(part.collection != one.collection for part in self._running.values()):
            self._check(one)
            pages = sum(page.rows > 0 for page in one.pages)
            self._tell(f"{one.collection}: {one.rows:,} records in {pages:,} pages")

    def _fetch(self, part: Part) -> Page:
        dropped = rest.dropped(part.collection)
        return self._pages.keep(fetch(self._service, part, self._changed_from, dropped, self._cancelled))

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
        except (NotOffered, NotUnderstood, Forbidden) as error:
            # There are servers that know no page after the last one.
            if one.is_beyond(part) and not isinstance(error, Forbidden):
                return []
            if one.pages or self._required[one.collection] or isinstance(error, NotUnderstood):
                raise
            one.absent = True
            return []
        self._hold(page)
        return one.received(page)

    def _hold(self, page: Page) -> None:
        """Hold a page against the others: offsets mean nothing in data that were changed since."""
        if self._revision and page.revision and page.revision != self._revision:
            raise _moved(self._service, "its data changed")
        self._revision = self._revision or page.revision

    def _check(self, one: Progress) -> None:
        """Say whether a collection is whole."""
        found = one.distinct()
        if one.moved:
            raise _moved(self._service, f"its number of {one.collection} changed")
        if one.total is not None and found < one.total:
            raise _moved(self._service, f"it counts {one.total:,} {one.collection} and gave {found:,}")
        if not found and self._required[one.collection] and self._changed_from is None:
            raise LookAtData(
                f"{self._service.name} gives no {one.collection} at all, so nothing is changed",
                "ask the district whether its data are being loaded anew, and what the connection may read",
            )


def _moved(service: Service, what: str) -> _Moved:
    return _Moved(f"{service.name}: while the data were pulled, {what}", "it is tried again; pull at a quieter time")


def _write(whole: Mapping[str, Progress], pages: Pages, folder: Path) -> int:
    """Write each collection's file; return how many records had come more than once."""
    repeated = 0
    for name, one in whole.items():
        twice = one.rows - one.distinct()
        pages.write(name, folder / f"{name}{rest.SUFFIX}", repeated=twice > 0)
        repeated += twice
    return repeated


def _modes(whole: Mapping[str, Progress], service: Service, changed_from: datetime | None) -> dict[str, Mode]:
    """Say of each table how its records are to be understood; a server that passes the filter over gives all."""
    modes: dict[str, Mode] = {}
    for table in tables(service.version).values():
        of = rest.source(table)
        if of is None or of.collection not in whole or (of.list == "resources" and "resources" not in whole):
            continue
        modes[table.name] = "bulk" if changed_from is None or whole[of.collection].earlier else "delta"
    return modes
