"""Build the staging database of one delivery: read, check, set the failing rows apart, and say what was found.

The file's inside, for a person with the `duckdb` shell: `<table>` the roster's rows in their types, with the line that
each came from and, where it is not this one, the delivery; `rejected.<table>` the rows that were rejected, as text,
with the rules they broke; `rejected.unreadable` the lines that are no rows; `findings`, at most 100 per rule and
column, and `finding_counts`, the true counts; `tables`, one row per file; `about`, the version, the
verdict, and whether the delivery was pulled from an API.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from roster_pipelines.duck import one
from roster_pipelines.errors import LookAtData
from roster_pipelines.findings import Finding
from roster_pipelines.oneroster.shape import Registration
from roster_pipelines.staging import earlier
from roster_pipelines.staging.reading import Reading
from roster_pipelines.staging.summary import Summary, TableCounts

# DuckDB's own default would let it take most of the machine; what does not fit goes to disk.
MEMORY = "2500MB"


def build(
    files: Mapping[str, Path],
    findings: Sequence[Finding],
    database: Path,
    registration: Registration,
    *,
    today: date,
    base: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Read a delivery's files into a new staging database.

    Args:
        files: Delivered files by the standard's name (`users.csv`), or of a pull by its collections' (`rest.SUFFIX`).
        findings: What was found when the files were gathered.
        database: Where to write; the file must not be there yet.
        registration: How the district's teachers get access, which decides what is required.
        today: The date, for what has ended.
        base: The staging database of the last good delivery, which delta files change; its name is the delivery's id.
        progress: Called with the name of each file that is begun.

    Returns:
        The verdict and the counts. After a refusal the file holds what was found so far.
    """
    with TemporaryDirectory() as scratch, duckdb.connect(str(database), config={"temp_directory": scratch}) as con:
        con.execute(f"SET memory_limit = '{MEMORY}'; SET preserve_insertion_order = true")
        has_base = base is not None and earlier.attach(con, base)
        with Reading(con, files, findings, registration, Path(scratch), has_base=has_base) as reading:
            # It takes a second to import what checks, in which the first files are read.
            from roster_pipelines.staging.checking import Checking

            Checking(con, reading, registration, today, base.stem if has_base and base else None, progress).run()
        return summary(con)


def summary(con: duckdb.DuckDBPyConnection) -> Summary:
    """Read a staging database's verdict and counts back; it is the connection's current database.

    Raises:
        LookAtData: It was written by an earlier version of this project.
    """
    from roster_pipelines.staging import record

    try:
        # Before any delivery was pulled from an API, `about` did not say that.
        version, verdict, *api = one(con, "FROM about")
    except duckdb.CatalogException:
        raise LookAtData(
            "the delivery was checked by an earlier version of roster-pipelines", "run the district's job again"
        ) from None
    counted = {name: TableCounts(*counts) for name, *counts in con.execute("FROM tables").fetchall()}
    return Summary(verdict, version, counted, record.counts(con), record.listed(con), any(api))
