"""The lake: where deliveries, staging databases and plans are kept, by district and id.

    deliveries/<district>/<delivery>/receipt.json, <file>.csv ...
    staging/<district>/<delivery>.duckdb
    reports/<district>/<delivery>.html
    plans/<district>/<plan>.duckdb
    pulls/<district>/<page>.ndjson.zst ...

Everything is written beside its final name and moved there when whole, and is only read ever after. The root is a
local folder or any URL that universal-pathlib knows; DuckDB needs local files, so a remote one is copied for the
time of its use.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upath import UPath


class Lake:
    """A root, and the names below it."""

    def __init__(self, root: str) -> None:
        self.root = UPath(root)

    def delivery(self, district: str, delivery_id: str) -> UPath:
        """The folder of one delivery's files and receipt."""
        return self.root / "deliveries" / district / delivery_id

    def staging(self, district: str, delivery_id: str) -> UPath:
        """The staging database of one delivery."""
        return self.root / "staging" / district / f"{delivery_id}.duckdb"

    def report(self, district: str, delivery_id: str) -> UPath:
        """The report of one delivery."""
        return self.root / "reports" / district / f"{delivery_id}.html"

    def plan(self, district: str, plan_id: int) -> UPath:
        """The changes of one plan."""
        return self.root / "plans" / district / f"{plan_id}.duckdb"

    def pull(self, district: str) -> UPath:
        """The folder of the pages of a pull under way."""
        return self.root / "pulls" / district

    @contextmanager
    def reading(self, path: UPath) -> Iterator[Path]:
        """Give a local path for a file of the lake, a copy where the lake is remote."""
        if path.protocol in ("", "file"):
            yield Path(path.path)
            return
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / path.name
            with path.open("rb") as source, local.open("wb") as copy:
                shutil.copyfileobj(source, copy)
            yield local

    @contextmanager
    def writing(self, path: UPath) -> Iterator[Path]:
        """Give a local path to write a new file to; it gets its name in the lake when the block ends well."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.protocol in ("", "file"):
            with tempfile.TemporaryDirectory(dir=path.parent.path, prefix=".new-") as folder:
                local = Path(folder) / path.name
                yield local
                local.replace(path.path)
            return
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / path.name
            yield local
            self._upload(local, path)

    @staticmethod
    def _upload(local: Path, path: UPath) -> None:
        # An object store shows a new object only when its upload has ended.
        with local.open("rb") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
