"""How long checking a district takes, as a ratio to what DuckDB alone needs to load the same files.

    .venv/bin/python benchmarks/staging.py [STUDENTS ...] [--broken]

Both are measured in the same run, several times in turn, each in a process of its own, so that a slow machine slows
both; the medians are compared. With --broken so is a copy in which every enrollment breaks the same three rules. Peak
memory is the process's, imports included.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

ROUNDS = 3
MANY = 500_000
"""Students from which one round is enough: it takes minutes, beside which what comes and goes is small."""
TODAY = date(2026, 11, 23)
"""Within the generated school year."""


def generate(folder: Path, students: str) -> None:
    """Write a clean district."""
    from roster_pipelines.simulators import districts

    districts.generate(folder, students=int(students))


def spoil(folder: Path, copy: str) -> None:
    """Copy a district, and let every enrollment have two dates and a flag that are none."""
    import duckdb

    from roster_pipelines.duck import quoted

    shutil.copytree(folder, copy)
    spoilt = """SELECT * REPLACE ('soon' AS "beginDate", 'later' AS "endDate", 'perhaps' AS "primary")"""
    with duckdb.connect() as con:
        con.execute(
            f"""
            COPY ({spoilt} FROM read_csv({quoted(folder / "enrollments.csv")}, header = true, all_varchar = true))
            TO {quoted(Path(copy) / "enrollments.csv")} (HEADER)
            """
        )


def load(folder: Path) -> None:
    """The floor: every file as text into a database file, with the dialect pinned."""
    import duckdb

    from roster_pipelines.duck import quoted
    from roster_pipelines.oneroster.standard import tables

    with tempfile.TemporaryDirectory() as scratch, duckdb.connect(f"{scratch}/loaded.duckdb") as con:
        for table in tables("1.1").values():
            if (folder / table.file).exists():
                columns = ", ".join(f"'{column.name}': 'VARCHAR'" for column in table.of("1.1"))
                con.execute(
                    f"""
                    CREATE TABLE "{table.name}" AS FROM read_csv({quoted(folder / table.file)}, auto_detect = false,
                        header = false, skip = 1, delim = ',', quote = '"', escape = '"', columns = {{{columns}}})
                    """
                )


def validate(folder: Path) -> None:
    """What `roster validate` does, and what a run does with a delivery."""
    from roster_pipelines.connections.gather import gather_local
    from roster_pipelines.staging.build import build

    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        gathered = gather_local(folder, scratch)
        build(gathered.files, gathered.findings, scratch / "staging.duckdb", "access_code", today=TODAY)


STEPS: dict[str, Callable[..., None]] = {f.__name__: f for f in (generate, spoil, load, validate)}


def measure(step: str, *arguments: str | Path) -> tuple[float, float]:
    """Run a step in a process of its own; give seconds and peak MB."""
    command = [sys.executable, __file__, step, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - this very script
    seconds, megabytes = done.stdout.split()[-2:]
    return float(seconds), float(megabytes)


def compare(students: int, *, broken: bool) -> None:
    """Print a line for a district of this size, and one for its broken copy."""
    with tempfile.TemporaryDirectory() as name:
        clean, spoilt = Path(name) / "clean", Path(name) / "spoilt"
        measure("generate", clean, str(students))
        steps = [("load", clean), ("validate", clean)]
        if broken:
            measure("spoil", clean, spoilt)
            steps.append(("validate", spoilt))
        rounds = [[measure(*step) for step in steps] for _ in range(1 if students >= MANY else ROUNDS)]
    times = [statistics.median(seconds for seconds, _ in measured) for measured in zip(*rounds, strict=True)]
    peaks = [max(megabytes for _, megabytes in measured) for measured in zip(*rounds, strict=True)]
    print(  # noqa: T201
        f"{students:>9,} students: load {times[0]:.2f} s, validate {times[1]:.2f} s = {times[1] / times[0]:.1f} x, "
        f"peak {peaks[1]:,.0f} MB"
    )
    if broken:
        print(  # noqa: T201
            f"{'':>9} every enrollment broken: validate {times[2]:.2f} s = {times[2] / times[1]:.1f} x clean, "
            f"peak {peaks[2]:,.0f} MB"
        )


def main() -> None:
    """Run one step, or compare."""
    if sys.argv[1:2] and sys.argv[1] in STEPS:
        started = time.perf_counter()
        STEPS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
        seconds = time.perf_counter() - started
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)  # noqa: T201
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("students", nargs="*", type=int, default=[1150, 25_000, 100_000])
    parser.add_argument("--broken", action="store_true", help="also a copy whose enrollments all break three rules")
    asked = parser.parse_args()
    for students in asked.students:
        compare(students, broken=asked.broken)


if __name__ == "__main__":
    main()
