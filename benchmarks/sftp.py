"""How long a fetch by sFTP takes, as a ratio to OpenSSH's own client; and how long it takes to list many folders.

    .venv/bin/python benchmarks/sftp.py [MEGABYTES] [--rounds N] [--folders N] [--files N]

The server is OpenSSH's `sshd` on the loopback address, with its own `internal-sftp`. The floor is what OpenSSH's
`sftp` needs for the same file; both take turns, and medians are told. Each side connects and logs in anew each time.
The fetching process is one of its own: its time is told without its imports, its peak memory with them. Then folders of
small files are listed one after the other within one session.
"""

import argparse
import getpass
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH')}:/usr/sbin") or "sshd"
HOST = "127.0.0.1"


@contextmanager
def server(folder: Path) -> Iterator[tuple[int, int]]:
    """Run a server that lets this account in by key, for sFTP only; its port and process id."""
    with socket.create_server((HOST, 0)) as free:
        port: int = free.getsockname()[1]
    for name in ("host_key", "client_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)  # noqa: S603, S607
    shutil.copy(folder / "client_key.pub", folder / "authorized_keys")
    (folder / "known_hosts").write_text(f"[{HOST}]:{port} {(folder / 'host_key.pub').read_text()}")
    (folder / "sshd_config").write_text(f"""
        ListenAddress {HOST}
        Port {port}
        HostKey {folder / "host_key"}
        AuthorizedKeysFile {folder / "authorized_keys"}
        PidFile none
        StrictModes no
        UsePAM no
        PermitRootLogin prohibit-password
        ForceCommand internal-sftp
        Subsystem sftp internal-sftp
    """)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    running = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        while True:
            with socket.socket() as probe:
                if running.poll() is not None:
                    sys.exit("sshd does not start")
                if probe.connect_ex((HOST, port)) == 0:
                    break
            time.sleep(0.05)
        yield port, running.pid
    finally:
        running.terminate()
        running.wait(20)


def connection(folder: Path, port: str, directory: Path) -> dict[str, object]:
    """The connection of a district's record."""
    return {
        "kind": "sftp", "host": HOST, "port": int(port), "username": getpass.getuser(),
        "private_key": f"file:{folder / 'client_key'}", "directory": str(directory),
        "host_key": " ".join((folder / "host_key.pub").read_text().split()[:2]),
    }  # fmt: skip


def told(started: float, cpu: float) -> None:
    """Print what a step took: seconds, seconds of CPU, megabytes of memory at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([time.perf_counter() - started, time.process_time() - cpu, peak]))  # noqa: T201


def fetch(folder: Path, port: str) -> None:
    """What a run does: copy what lies in a district's folder."""
    from roster_pipelines.connections.sftp import fetch_delivery
    from roster_pipelines.district_connection import SftpConnection

    record = SftpConnection.model_validate(connection(folder, port, folder / "drop"))
    with tempfile.TemporaryDirectory(dir=folder) as into:
        started, cpu = time.perf_counter(), time.process_time()
        fetch_delivery(record, Path(into))
        told(started, cpu)


def sweep(folder: Path, port: str) -> None:
    """What the sensor does: list every folder."""
    from roster_pipelines.connections.sftp import opened
    from roster_pipelines.district_connection import SftpConnection

    record = SftpConnection.model_validate(connection(folder, port, folder))
    folders = sorted(map(str, (folder / "drops").iterdir()))
    started, cpu = time.perf_counter(), time.process_time()
    with opened(record) as session:
        for each in folders:
            session.folder(each).files()
    told(started, cpu)


STEPS: dict[str, Callable[..., None]] = {f.__name__: f for f in (fetch, sweep)}


def measured(name: str, folder: Path, port: int) -> tuple[float, float, float]:
    """Run a step in a process of its own."""
    command = [sys.executable, __file__, name, str(folder), str(port)]
    seconds, cpu, peak = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)  # noqa: S603
    return seconds, cpu, peak


def floor(folder: Path, port: int) -> float:
    """Copy the file by OpenSSH's own client."""
    command = [
        *("sftp", "-q", "-b", "-", "-F", "/dev/null", "-P", str(port), "-i", str(folder / "client_key")),
        *("-o", f"UserKnownHostsFile={folder / 'known_hosts'}", "-o", "IdentitiesOnly=yes"),
        f"{getpass.getuser()}@{HOST}",
    ]
    with tempfile.TemporaryDirectory(dir=folder) as into:
        started = time.perf_counter()
        batch = f"get {folder / 'drop' / 'users.csv'} {into}\n".encode()
        subprocess.run(command, input=batch, stdout=subprocess.DEVNULL, check=True)  # noqa: S603
        return time.perf_counter() - started


def cpu_of(pid: int) -> float:
    """Seconds of CPU of a process and those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def measure_fetch(folder: Path, megabytes: int, rounds: int) -> None:
    """Print how one large file is fetched."""
    (folder / "drop").mkdir()
    with (folder / "drop" / "users.csv").open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))
    with server(folder) as (port, _):
        took = [(floor(folder, port), measured("fetch", folder, port)) for _ in range(rounds)]
    least = statistics.median(theirs for theirs, _ in took)
    ours, cpu, peak = (statistics.median(each) for each in zip(*(ours for _, ours in took), strict=True))
    print(  # noqa: T201
        f"{megabytes:,} MB, median of {rounds} rounds: {ours:.2f} s ({cpu:.2f} s of CPU), {ours / least:.2f} x "
        f"OpenSSH's sftp, which took {least:.2f} s; peak {peak:,.0f} MB"
    )


def measure_sweep(folder: Path, folders: int, files: int) -> None:
    """Print how many small folders are listed."""
    for number in range(folders):
        drop = folder / "drops" / f"district-{number:05}"
        drop.mkdir(parents=True)
        for each in range(files):
            (drop / f"file-{each}.csv").write_bytes(b"sourcedId\n")
    with server(folder) as (port, pid):
        seconds, cpu, peak = measured("sweep", folder, port)
        time.sleep(1)  # until the server has seen its session end
        theirs = cpu_of(pid)
    print(  # noqa: T201
        f"{folders:,} folders of {files} files: {seconds:.1f} s, {cpu:.1f} s of CPU of ours and {theirs:.1f} s of the "
        f"server's; peak {peak:,.0f} MB"
    )


def main() -> None:
    """Run one step, or measure."""
    if sys.argv[1:2] and sys.argv[1] in STEPS:
        STEPS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("megabytes", nargs="?", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folders", type=int, default=13_318)
    parser.add_argument("--files", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        measure_fetch(Path(one), asked.megabytes, asked.rounds)
        measure_sweep(Path(other), asked.folders, asked.files)


if __name__ == "__main__":
    main()
