"""A delivery to spoil and to stage: a copy of the clean district, whose one change is all that can be found."""

import csv
import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pytest

from roster_pipelines.catalogue import RULES
from roster_pipelines.connections.gather import gather_local
from roster_pipelines.oneroster.shape import Registration
from roster_pipelines.simulators.districts import District
from roster_pipelines.staging.build import build
from roster_pipelines.staging.summary import Summary

TODAY = date(2026, 11, 23)
Found = tuple[str, str, str, int | None, str]
"""Rule, severity, file, line, column."""


@dataclass(frozen=True)
class Staged:
    """A staging database and what its making told."""

    database: Path
    summary: Summary

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Query the database as a person with the duckdb shell would."""
        return self._shell.execute(sql, values).fetchall()

    @cached_property
    def _shell(self) -> duckdb.DuckDBPyConnection:
        # To open a database takes longer than most queries.
        return duckdb.connect(str(self.database), read_only=True)

    @cached_property
    def found(self) -> set[Found]:
        """Every finding that is listed."""
        listed = self.rows('SELECT rule, severity, file, line, "column", sourced_id FROM findings')
        assert len(set(listed)) == len(listed)
        return {(rule, severity, file, line, column) for rule, severity, file, line, column, _ in listed}

    def accepted(self, table: str) -> list[tuple[Any, ...]]:
        """A table's accepted rows, in the order of their ids."""
        return self.rows(f'SELECT * EXCLUDE (_line, _delivery) FROM main."{table}" ORDER BY "sourcedId"')

    def everything(self) -> str:
        """Every value of every table and view of the database."""
        names = self.rows("SELECT schema_name, table_name FROM duckdb_tables() UNION ALL "
                          "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal")  # fmt: skip
        return repr([self.rows(f'FROM "{schema}"."{name}"') for schema, name in names])


class Delivered:
    """A delivery's folder, to change before it is staged."""

    def __init__(self, folder: Path, database: Path) -> None:
        self.folder = folder
        self._database = database

    def text(self, table: str) -> str:
        return (self.folder / f"{table}.csv").read_text("utf-8")

    def write(self, table: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        (self.folder / f"{table}.csv").write_bytes(data)

    def change(self, table: str, edit: Callable[[str], str]) -> None:
        """Change a file's whole text."""
        self.write(table, edit(self.text(table)))

    def replace_line(self, table: str, line: int, edit: Callable[[str], str]) -> None:
        """Change one line; the header is line 1."""
        lines = self.text(table).split("\n")
        lines[line - 1] = edit(lines[line - 1])
        self.write(table, "\n".join(lines))

    def edit_columns(self, table: str, edit: Callable[[list[str]], list[str]]) -> None:
        """Change every row's list of cells, the header's too."""
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(map(edit, csv.reader(io.StringIO(self.text(table)))))
        self.write(table, out.getvalue())

    def add_row(self, table: str, line: int, **cells: str) -> int:
        """Copy a line to the file's end with some of its cells changed; return the new row's line."""
        header, *rows = csv.reader(io.StringIO(self.text(table)))
        row = dict(zip(header, rows[line - 2], strict=True)) | cells
        assert row.keys() == set(header)
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerow(row.values())
        self.write(table, self.text(table) + out.getvalue())
        return len(rows) + 2

    def stage(self, registration: Registration = "access_code", *, base: Path | None = None) -> Staged:
        """Take what belongs to the delivery, as from an sFTP folder, and stage it."""
        unpacked = self._database.with_suffix(".unpacked")
        unpacked.mkdir()
        gathered = gather_local(self.folder, unpacked)
        summary = build(gathered.files, gathered.findings, self._database, registration, today=TODAY, base=base)
        for finding in summary.findings:
            # Whatever is found is in the catalogue as that bad, and has words for a person.
            assert finding.severity in RULES[finding.rule].severities, finding
            assert finding.message
            assert finding.remedy
        return Staged(self._database, summary)


@pytest.fixture
def delivered(tmp_path: Path, clean_district: District) -> Delivered:
    """A clean district of 40 students, for one test to change."""
    shutil.copytree(clean_district.folder, tmp_path / "delivered")
    return Delivered(tmp_path / "delivered", tmp_path / "staging.duckdb")


@pytest.fixture(scope="package")
def clean(tmp_path_factory: pytest.TempPathFactory, clean_district: District) -> Staged:
    """The clean district, staged; read only."""
    folder = tmp_path_factory.mktemp("staged")
    return Delivered(clean_district.folder, folder / "staging.duckdb").stage()
