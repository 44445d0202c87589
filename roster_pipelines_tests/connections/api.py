"""A district whose roster is pulled from a simulated API, through the connectors and over real HTTP."""

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from roster_pipelines.connections import pull
from roster_pipelines.connections.gather import Gathered, Pull
from roster_pipelines.connections.pages import Pages
from roster_pipelines.district import District
from roster_pipelines.lake import Lake
from roster_pipelines.oneroster.manifest import FILE
from roster_pipelines.oneroster.rest import SUFFIX
from roster_pipelines.simulators.oneroster_api import ApiServer
from roster_pipelines.simulators.oneroster_api.powerschool import VARIANTS

# A Monday, an hour past midnight in the district: no school is on.
NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
SCHOOL_TIME = datetime(2026, 11, 23, 17, tzinfo=UTC)
COLLECTIONS = ("academicSessions", "orgs", "courses", "users", "classes", "enrollments")
REQUIRED = tuple(name for name in COLLECTIONS if name != "courses")


@dataclass(frozen=True)
class Pulled:
    """What a pull has brought, and what it told on the way."""

    gathered: Gathered
    told: list[str]

    @property
    def collections(self) -> set[str]:
        return {name.removesuffix(SUFFIX) for name in self.gathered.files if name.endswith(SUFFIX)}

    @property
    def modes(self) -> dict[str, str]:
        """The manifest's mode by table; what is absent is left out."""
        rows = csv.reader(self.gathered.files[FILE].read_text("utf-8").splitlines())
        files = {name: value for name, value in rows if name.startswith("file.")}
        return {name.removeprefix("file."): mode for name, mode in files.items() if mode != "absent"}

    @property
    def receipt(self) -> Pull:
        """What the receipt tells of the pull, but for where it came from and what was there."""
        assert self.gathered.pull
        return replace(self.gathered.pull, base="", collections=())

    @property
    def content(self) -> dict[str, bytes]:
        """Each file's bytes."""
        return {name: path.read_bytes() for name, path in self.gathered.files.items()}

    def text(self, collection: str) -> bytes:
        """A collection's lines."""
        with self.gathered.files[f"{collection}{SUFFIX}"].open("rb") as packed:
            return zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read()

    def records(self, collection: str) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self.text(collection).splitlines()]

    def ids(self, collection: str) -> list[str]:
        return [record["sourcedId"] for record in self.records(collection)]

    def everything(self) -> bytes:
        """All that has landed, unpacked."""
        return b"".join(map(self.text, sorted(self.collections))) + self.gathered.files[FILE].read_bytes()


class Api:
    """A server, and one district behind it.

    Args:
        server: It runs.
        files: The CSV files that it serves.
        folder: Where pages are kept and files land.
    """

    def __init__(self, server: ApiServer, files: Path, folder: Path) -> None:
        self.server = server
        self.files = files
        self._folder = folder
        self.lake = Lake(str(folder / "lake"))
        self.pages = Pages(self.lake, self.lake.pull("maple-valley"))
        self._pulls = 0

    def behave(self, **habits: Any) -> None:
        """Change some of the server's habits, and begin to count anew."""
        self.server.habits = replace(self.server.habits, **habits)
        self.server.reset()

    @property
    def base(self) -> str:
        """The address that PowerSchool's simulator answers at, as its habits are."""
        return f"{self.server.url}{VARIANTS[self.server.habits.variant]}"

    def record(self, *, registration: str = "access_code", **settings: Any) -> District:
        """The district's record, with small pages unless told otherwise; None takes a setting out."""
        given = {"page_size": 20, **self.server.settings(), **settings}
        connection = {name: value for name, value in given.items() if value is not None}
        told = {"district": "maple-valley", "name": "Maple Valley", "registration": registration}
        return District.model_validate(told | {"connection": connection})

    def pull(
        self,
        *,
        last: Pull | None = None,
        now: datetime = NOW,
        registration: str = "access_code",
        progress: Callable[[str], None] = lambda _: None,
        **settings: Any,
    ) -> Pulled:
        """Pull into a folder of its own."""
        self._pulls += 1
        into = self._folder / f"pull-{self._pulls}"
        into.mkdir()
        told: list[str] = []

        def tell(line: str) -> None:
            told.append(line)
            progress(line)

        record = self.record(registration=registration, **settings)
        # As if the last pull had been from where this one is, of the same.
        last = last and replace(last, base=last.base or self.base, collections=last.collections or COLLECTIONS)
        return Pulled(pull.pull(record, into, self.pages, last, now, tell), told)

    def pull_anew(self, **settings: Any) -> Pulled:
        """Pull as if nothing had been kept."""
        self.pages.clear()
        return self.pull(**settings)

    def ids(self, collection: str) -> list[str]:
        """The sourcedIds in the files, in the order in which they are served."""
        with (self.files / f"{collection}.csv").open(encoding="utf-8-sig", newline="") as lines:
            return sorted(row["sourcedId"] for row in csv.DictReader(lines))

    def asked(self, collection: str) -> list[dict[str, str]]:
        """The queries of the requests for a collection."""
        return [each.query for each in self.server.requests if each.path.endswith(f"/{collection}")]

    def statuses(self) -> Counter[int]:
        """How many requests were answered by each status."""
        return Counter(each.status for each in self.server.requests)

    def folder_of_pages(self) -> Path:
        return Path(self.lake.pull("maple-valley").path)

    def kept(self) -> set[str]:
        """The names of the pages that are kept."""
        folder = self.folder_of_pages()
        return {path.name for path in folder.iterdir() if path.name.endswith(SUFFIX)} if folder.exists() else set()

    def is_whole(self, pulled: Pulled, *names: str) -> bool:
        """Say whether each record of the files has come, once and in order."""
        return all(pulled.ids(name) == self.ids(name) for name in names or COLLECTIONS)
