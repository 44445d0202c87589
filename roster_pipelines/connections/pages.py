"""The pages of a pull under way: kept in the lake, so that one that was cut goes on from its last whole page."""

import json
import time
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import zstandard
from upath import UPath

from roster_pipelines.connections.paging import Ids, Page, Part, Service, ids_of
from roster_pipelines.lake import Lake
from roster_pipelines.oneroster.rest import SUFFIX

GOES_ON_FOR = timedelta(hours=1)
"""How long after its last whole page a pull that was cut is gone on with; later the data may be others."""
AT_MOST = timedelta(hours=12)
"""And how long after its beginning."""
_BEGUN = "pull.json"


class Pages:
    """A folder of pages; the name of each file says what it is.

    Args:
        lake: The lake.
        folder: A district's folder in it.
    """

    def __init__(self, lake: Lake, folder: UPath) -> None:
        self._lake = lake
        self._folder = folder
        self._went_on = (0.0, 0.0)

    def begin(self, service: Service, since: datetime | None, now: datetime) -> datetime:
        """Go on with the pull that was cut, where it is young enough and of the same service; else begin anew.

        Returns:
            When the pull began.
        """
        about = {
            "service": sha256(f"{service.base} {service.page_size}".encode()).hexdigest(),
            "since": since and since.isoformat(),
        }
        path = self._folder / _BEGUN
        if path.exists():
            begun = json.loads(path.read_text("utf-8"))
            began_at = datetime.fromisoformat(begun.pop("began_at"))
            last = began_at + timedelta(seconds=max((_seconds(each) for each in self._files()), default=0))
            if begun == about and now - last < GOES_ON_FOR and now - began_at < AT_MOST:
                self._went_on = (time.monotonic(), (now - began_at).total_seconds())
                return began_at
        self.clear()
        self._went_on = (time.monotonic(), 0.0)
        with self._lake.writing(path) as local:
            local.write_text(json.dumps({**about, "began_at": now.isoformat()}), "utf-8")
        return now

    def clear(self) -> None:
        """Forget the pull."""
        if self._folder.exists():
            for path in self._folder.iterdir():
                if path.is_dir():
                    # A process that was killed while it wrote a page has left it.
                    path.rmdir(recursive=True)
                else:
                    path.unlink()

    def keep(self, page: Page) -> Page:
        """Write a page, which is there whole or not at all; return it without its records."""
        part, total = page.part, "" if page.total is None else page.total
        since, before = self._went_on
        known = (
            part.offset,
            part.limit,
            total,
            page.revision,
            int(page.earlier),
            int(before + time.monotonic() - since),
        )
        name = ".".join(map(str, (part.collection, *known))) + SUFFIX
        with self._lake.writing(self._folder / name) as local:
            local.write_bytes(page.frame)
        return replace(page, frame=b"")

    def kept(self, collection: str) -> list[Page]:
        """Read back which pages of a collection are there, in order, without their records."""
        return [self._page(path) for path in self._paths(collection)]

    def write(self, collection: str, into: Path, *, repeated: bool) -> None:
        """Write all of a collection's records, in order.

        Args:
            collection: Its name.
            into: The file.
            repeated: Whether some have come in more than one page; those of the first one count.
        """
        with into.open("wb") as target:
            if not repeated:
                for path in self._paths(collection):
                    target.write(path.read_bytes())
                return
            with zstandard.ZstdCompressor(level=1).stream_writer(target) as packed:
                seen: set[int] = set()
                for path in self._paths(collection):
                    lines, ids = _unpacked(path.read_bytes())
                    for line, known_by in zip(lines, ids.tolist(), strict=True):
                        if known_by not in seen:
                            packed.write(line + b"\n")
                    seen.update(ids.tolist())

    def _paths(self, collection: str) -> list[UPath]:
        found = [path for path in self._files() if path.name.startswith(f"{collection}.")]
        return sorted(found, key=lambda path: int(path.name.split(".")[1]))

    def _files(self) -> list[UPath]:
        if not self._folder.exists():
            return []
        return [path for path in self._folder.iterdir() if path.name.endswith(SUFFIX)]

    @staticmethod
    def _page(path: UPath) -> Page:
        collection, offset, limit, total, revision, earlier, _ = path.name.removesuffix(SUFFIX).split(".")
        _, ids = _unpacked(path.read_bytes())
        part = Part(collection, int(offset), int(limit))
        return Page(part, ids, int(total) if total else None, revision, bool(int(earlier)), b"")


def _seconds(path: UPath) -> int:
    """How long after the beginning of its pull a page had come."""
    return int(path.name.removesuffix(SUFFIX).rpartition(".")[2])


def _unpacked(frame: bytes) -> tuple[list[bytes], Ids]:
    with zstandard.ZstdDecompressor().stream_reader(frame) as stream:
        lines = stream.read().split(b"\n")[:-1]
    return lines, ids_of(lines)
