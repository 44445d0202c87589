"""How long staging a district takes, as a ratio to what DuckDB alone needs to load the same files.

    .venv/bin/python benchmarks/staging.py [STUDENTS ...]

Both are measured in the same run, several times in turn, each in a process of its own, so that a slow machine slows
both; the medians are compared. Peak memory is the process's, imports included.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3


def load(folder: Path, database: Path) -> None:
    """The floor: every file as text into a database file, with the dialect pinned."""
    import duckdb

    from roster_pipelines.oneroster.standard import TABLES

    with duckdb.connect(str(database)) as con:
        for table in TABLES.values():
            columns = ", ".join(f"'{column.name}': 'VARCHAR'" for column in table.columns)
            con.execute(
                f"""
                CREATE TABLE "{table.name}" AS FROM read_csv('{folder / table.file}', auto_detect = false,
                    header = false, skip = 1, delim = ',', quote = '"', escape = '"', columns = {{{columns}}})
                """
            )


def stage(folder: Path, database: Path) -> None:
    """What a run does with the same files."""
    from roster_pipelines.staging.build import build

    build({file.name: file for file in folder.glob("*.csv")}, {}, database, "access_code")


def measure(what: str, folder: Path) -> tuple[float, float]:
    """Run one of the two in a process of its own; give seconds and peak MB."""
    done = subprocess.run(  # noqa: S603 - this very script
        [sys.executable, __file__, what, str(folder)], capture_output=True, text=True, check=True
    )
    seconds, megabytes = done.stdout.split()
    return float(seconds), float(megabytes)


def compare(students: int) -> None:
    """Print one line for a district of this size."""
    from roster_pipelines.simulators.districts import generate

    with tempfile.TemporaryDirectory() as name:
        made = generate(Path(name), students=students)
        rounds = [(measure("load", made.folder), measure("stage", made.folder)) for _ in range(ROUNDS)]
    floor, staged = (statistics.median(pair[side][0] for pair in rounds) for side in (0, 1))
    peak = max(pair[1][1] for pair in rounds)
    print(  # noqa: T201
        f"{students:>9,} students, {sum(made.counts.values()):>10,} rows: load {floor:.2f} s, "
        f"stage {staged:.2f} s = {staged / floor:.1f} x, peak {peak:,.0f} MB"
    )


def main() -> None:
    """Measure one side, or compare both."""
    if sys.argv[1:2] in (["load"], ["stage"]):
        with tempfile.TemporaryDirectory() as name:
            started = time.perf_counter()
            {"load": load, "stage": stage}[sys.argv[1]](Path(sys.argv[2]), Path(name) / "staging.duckdb")
            seconds = time.perf_counter() - started
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)  # noqa: T201
        return
    for students in map(int, sys.argv[1:] or ["1150", "25000", "100000"]):
        compare(students)


if __name__ == "__main__":
    main()
