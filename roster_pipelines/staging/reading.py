"""The files of a delivery: which are read, in which mode, and their reading, which goes on beside the checks."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Self

import duckdb

from roster_pipelines.findings import Finding, Severity
from roster_pipelines.oneroster import manifest as manifests
from roster_pipelines.oneroster import rest
from roster_pipelines.oneroster.shape import Registration, Table
from roster_pipelines.oneroster.standard import tables
from roster_pipelines.staging import records
from roster_pipelines.staging.read import Loaded, create_empty, load


class Reading:
    """A delivery's files on their way into schema `raw`, one after the other, in a thread of their own.

    Attributes:
        refused: The package is refused, so nothing is read.
        version: The OneRoster version.
        api: Whether the delivery was pulled from an API.
        tables: The files of that version, in the order in which references can be checked.
        findings: What was found of the package, of its manifest, and of what does not fit the manifest.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        files: Mapping[str, Path],
        intake: Sequence[Finding],
        registration: Registration,
        scratch: Path,
        *,
        has_base: bool,
    ) -> None:
        """Begin to read.

        Args:
            con: The staging database.
            files: Delivered files by the standard's name, or those of a pull by their collections'.
            intake: What was found when they were gathered.
            registration: Decides what may refuse the delivery.
            scratch: A folder for what is needed on the way.
            has_base: Whether there is a last good delivery, which delta files could change.
        """
        con.execute(
            "CREATE SCHEMA raw; CREATE SCHEMA rejected; "
            "CREATE TABLE line_finding (file VARCHAR, line BIGINT, rule VARCHAR, sourced_id VARCHAR)"
        )
        self._con = con
        self._files = files
        self._registration = registration
        self._scratch = scratch
        self._manifest = _manifest(files.get("manifest.csv"))
        self.refused = any(finding.severity == "fatal" for finding in intake)
        self.version = self._manifest.version
        self.api = any(name.endswith(rest.SUFFIX) for name in files)
        self.tables = {name: replace(table, api=self.api) for name, table in tables(self.version).items()}
        # Of a refused package nothing was taken: that files are missing would be no news. A pull's manifest is our own.
        of_manifest = () if self.refused or self.api else self._manifest.findings
        self.findings = [*intake, *of_manifest]
        self._paths: dict[str, Path | None] = {}
        self._thread = ThreadPoolExecutor(1)
        self._loading: dict[str, Future[Loaded]] = {}
        if not self.refused:
            self._begin(has_base)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def mode(self, table: Table) -> manifests.Mode:
        """How a table's file is to be understood."""
        return self._manifest.modes.get(table.name, "bulk")

    def is_there(self, table: Table) -> bool:
        """Say whether a table's file is read."""
        return self._paths[table.name] is not None

    def loaded(self, table: Table) -> Loaded:
        """Wait until `raw.<table>` is filled; empty where there is nothing to read."""
        return self._loading[table.name].result()

    def _begin(self, has_base: bool) -> None:
        for table in self.tables.values():
            self._paths[table.name] = self._path(table, has_base)
        for table in self.tables.values():
            self._loading[table.name] = self._thread.submit(self._load, self._con.cursor(), table)

    def _path(self, table: Table, has_base: bool) -> Path | None:
        """Find the file that is to be read; what does not fit the manifest is recorded."""
        source = rest.source(table)
        if self.api and (source is None or source.list):
            # What is told of the collection whose records hold these rows is not told of them too.
            is_there = source is not None and self.mode(table) != "absent"
            return self._files.get(source.file) if source and is_there else None
        path = self._files.get(source.file if self.api and source else table.file)
        mode = self._manifest.modes.get(table.name)
        serious: Severity = "fatal" if table.can_refuse(self._registration) else "warning"
        if path is not None and mode == "absent":
            self.findings.append(Finding("file-declared-absent", "warning", table.file))
            return None
        if path is None and mode in ("bulk", "delta"):
            self.findings.append(Finding("file-missing", serious, table.file))
        if path is not None and mode == "delta" and not has_base:
            self.findings.append(Finding("delta-without-base", serious, table.file))
        return path

    def _load(self, con: duckdb.DuckDBPyConnection, table: Table) -> Loaded:
        path = self._paths[table.name]
        with con:
            if path is not None:
                can_refuse = table.can_refuse(self._registration)
                if self.api:
                    return records.load(con, table, self.version, path, can_refuse=can_refuse)
                return load(con, table, self.version, path, self._scratch, can_refuse=can_refuse)
            create_empty(con, table, self.version)
            return Loaded(0, readable=True, absent=frozenset(), findings=())


def _manifest(path: Path | None) -> manifests.Manifest:
    if path is None:
        return manifests.NO_MANIFEST
    with path.open("rb") as stream:
        return manifests.parse(stream.read(manifests.READ_BYTES))
