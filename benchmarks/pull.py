"""How long a pull takes, as a ratio to what its requests alone must take.

    .venv/bin/python benchmarks/pull.py [STUDENTS] [--provider P ...] [--latency-ms MS] [--parallel N] [--page-size N]

A simulated API answers each request so much later. The floor is requests x latency / parallel; the server's own time,
the CPU that it needs to make and send the answers, is taken off first. Server and puller are processes of their own;
peak memory is the puller's, imports included.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PROVIDERS = ("classlink", "infinite_campus", "powerschool")
# Outside the school hours of America/Chicago, in which Infinite Campus is asked one thing at a time.
NIGHT = datetime(2026, 11, 26, 8, tzinfo=UTC)


def generate(folder: Path, students: str) -> None:
    """Write a clean district."""
    from roster_pipelines.simulators import districts

    districts.generate(folder, students=int(students))


def serve(folder: Path, provider: str, latency: str) -> None:
    """Serve a district until standard input ends; then say what was seen."""
    from roster_pipelines.simulators.oneroster_api import ApiServer, Habits

    with ApiServer(folder, provider, Habits(latency_seconds=float(latency))) as server:  # type: ignore[arg-type]
        print(json.dumps(server.settings()), flush=True)  # noqa: T201
        before = time.process_time()
        sys.stdin.read()
        print(json.dumps([len(server.requests), server.most_parallel, time.process_time() - before]))  # noqa: T201


def pull(folder: Path, settings: str) -> None:
    """What a run does: everything that a district's API gives, as files of a delivery."""
    from roster_pipelines.connections.pages import Pages
    from roster_pipelines.connections.pull import pull as whole
    from roster_pipelines.district import District
    from roster_pipelines.lake import Lake

    district = District.model_validate({"district": "maple", "name": "Maple", "connection": json.loads(settings)})
    lake = Lake(str(folder / "lake"))
    (folder / "files").mkdir()
    started = time.perf_counter()
    whole(district, folder / "files", Pages(lake, lake.pull("maple")), None, NIGHT)
    print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)  # noqa: T201


STEPS: dict[str, Callable[..., None]] = {f.__name__: f for f in (generate, serve, pull)}


def step(name: str, *arguments: object) -> list[str]:
    """The command that runs a step in a process of its own."""
    return [sys.executable, __file__, name, *map(str, arguments)]


def measure(files: Path, provider: str, asked: argparse.Namespace) -> None:
    """Print a line for a pull from one provider."""
    latency = asked.latency_ms / 1000
    with (
        tempfile.TemporaryDirectory() as scratch,
        subprocess.Popen(  # noqa: S603 - this very script
            step("serve", files, provider, latency), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server,
    ):
        assert server.stdin  # noqa: S101
        assert server.stdout  # noqa: S101
        settings: dict[str, Any] = json.loads(server.stdout.readline()) | {"parallel": asked.parallel}
        if asked.page_size:
            settings["page_size"] = asked.page_size
        command = step("pull", scratch, json.dumps(settings))
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - this very script
        server.stdin.close()
        requests, most, served = json.loads(server.stdout.readline())
    seconds, megabytes = map(float, done.stdout.split())
    floor = requests * latency / asked.parallel
    print(  # noqa: T201
        f"{provider:>15}: {requests:,} requests, at most {most} at once: {seconds:.1f} s, "
        f"the server {served:.1f} s of it; without it {(seconds - served) / floor:.2f} x the floor of {floor:.1f} s; "
        f"peak {megabytes:,.0f} MB"
    )


def main() -> None:
    """Run one step, or measure."""
    if sys.argv[1:2] and sys.argv[1] in STEPS:
        STEPS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("students", nargs="?", type=int, default=100_000)
    parser.add_argument("--provider", action="append", choices=PROVIDERS, help="default: each of them")
    parser.add_argument("--latency-ms", type=float, default=100)
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--page-size", type=int, help="default: the provider's usual one")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        subprocess.run(step("generate", name, asked.students), check=True)  # noqa: S603 - this very script
        for provider in asked.provider or PROVIDERS:
            measure(Path(name), provider, asked)


if __name__ == "__main__":
    main()
