"""The real OpenSSH on both sides: `sftp` uploads to `sshd`, and the daemon's sensor picks it up."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from roster_pipelines.cli.dagster_instance import free_port
from roster_pipelines.connections import sftp
from roster_pipelines.connections.arrival import Seen
from roster_pipelines.connections.looking import sweep
from roster_pipelines.connections.sftp_reading import Reading
from roster_pipelines.district import District
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import drops
from roster_pipelines.simulators import districts
from roster_pipelines_tests.integration.conftest import PATIENCE_SECONDS, System, wait_for

# Several waits, each as long as it may be.
pytestmark = [pytest.mark.sshd, pytest.mark.timeout(3 * PATIENCE_SECONDS)]


@dataclass
class Sshd:
    """A running server that lets this account in by key, for sFTP only."""

    port: int
    folder: Path
    pid: int

    @property
    def connection(self) -> SftpConnection:
        return SftpConnection(
            kind="sftp",
            host="127.0.0.1",
            port=self.port,
            username=getpass.getuser(),
            private_key=f"file:{self.folder / 'client_key'}",
            host_key=" ".join((self.folder / "host_key.pub").read_text().split()[:2]),
            directory=str(self.folder / "drop"),
            quiet_seconds=0,
            wait_seconds=3600,
        )


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    tmp_path.chmod(0o700)
    for name in ("host_key", "client_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    shutil.copy(tmp_path / "client_key.pub", tmp_path / "authorized_keys")
    (tmp_path / "drop").mkdir()
    port = free_port()
    (tmp_path / "sshd_config").write_text(f"""
        ListenAddress 127.0.0.1
        Port {port}
        HostKey {tmp_path / "host_key"}
        AuthorizedKeysFile {tmp_path / "authorized_keys"}
        PidFile none
        StrictModes no
        UsePAM no
        PasswordAuthentication no
        PermitRootLogin prohibit-password
        Subsystem sftp internal-sftp
        ForceCommand internal-sftp
    """)
    Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen(
        [shutil.which("sshd", path="/usr/sbin:/usr/bin") or "sshd", "-D", "-e", "-f", str(tmp_path / "sshd_config")],
        stderr=subprocess.DEVNULL,
    )
    try:
        running = Sshd(port, tmp_path, server.pid)

        def listens() -> bool | None:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0 or None

        wait_for(listens, "sshd", seconds=20)
        yield running
    finally:
        server.terminate()
        server.wait(20)


def upload(server: Sshd, folder: Path) -> None:
    """Upload as a district's script does, by OpenSSH's own client."""
    (server.folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {server.connection.host_key}\n")
    subprocess.run(
        [
            *("sftp", "-q", "-b", "-", "-P", str(server.port), "-i", str(server.folder / "client_key")),
            *("-o", f"UserKnownHostsFile={server.folder / 'known_hosts'}", "-o", "IdentitiesOnly=yes"),
            f"{getpass.getuser()}@127.0.0.1",
        ],
        input=f"cd {server.folder / 'drop'}\nput {folder}/*.csv\n".encode(),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def test_an_upload_by_openssh_is_picked_up_by_the_sensor(system: System, sshd: Sshd) -> None:
    made = system.generate("dogwood", seed=4)
    system.register("dogwood", sshd.connection)
    upload(sshd, made.folder)
    run = system.run_of("dogwood", "process_delivery")
    assert run.status == "SUCCESS", system.api.failure(run.run_id)
    assert run.trigger == "sftp drop"
    system.sign_in_with_code("dogwood", made.teachers[0])
    assert system.run_of("dogwood", "refresh_entitlements").status == "SUCCESS"
    assert system.published("dogwood")["rostered_class"] > 0


def test_what_openssh_serves_is_fetched_whole_and_a_changed_host_key_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    made = districts.generate(_new(tmp_path / "made"), students=40)
    upload(sshd, made.folder)
    gathered = sftp.fetch_delivery(sshd.connection, _new(tmp_path / "fetched"))
    for name, path in gathered.files.items():
        assert path.read_bytes() == (made.folder / name).read_bytes()

    other = " ".join((sshd.folder / "client_key.pub").read_text().split()[:2])
    changed = sshd.connection.model_copy(update={"host_key": other})
    with pytest.raises(CallSomebody, match=r"host key .* has changed"):
        sftp.fetch_delivery(changed, _new(tmp_path / "nothing"))


def test_files_that_openssh_puts_one_by_one_are_taken_when_the_last_is_there_to_its_end(
    sshd: Sshd, tmp_path: Path
) -> None:
    made = districts.generate(_new(tmp_path / "made"), students=40)
    district = District(district="dogwood", name="Dogwood", connection=sshd.connection)
    seen = Seen()

    def look() -> tuple[str, str]:
        nonlocal seen
        (looked,) = sweep([drops.task(district, seen)], 30, 30)
        assert looked.look, looked.problem
        seen = looked.look.seen
        return looked.look.state, looked.look.reason

    part = _new(tmp_path / "part")
    for path in made.folder.iterdir():
        if path.name != "users.csv":
            shutil.copy(path, part)
    upload(sshd, part)
    assert [look()[0], look()] == ["moving", ("waiting", "users.csv: missing")]
    half = (made.folder / "users.csv").read_bytes()[:1000]
    assert not half.endswith(b"\n")
    (part / "users.csv").write_bytes(half)
    upload(sshd, part)
    assert [look()[0], look()] == ["moving", ("waiting", "users.csv: not there to its end")]
    upload(sshd, made.folder)
    assert [look()[0], look()[0]] == ["moving", "settled"]


def test_a_session_with_openssh_that_dies_in_mid_read_goes_on_in_another(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp, "FIRST_PAUSE", 0)
    content = b"sourcedId,status\n" + b"usr-0000001,active\n" * 2_000_000
    (sshd.folder / "drop" / "users.csv").write_bytes(content)
    killed: list[int] = []

    def killing(reading: Reading, start: int, end: int) -> Iterator[bytes]:
        for number, block in enumerate(blocks(reading, start, end)):
            if number == 50 and not killed:
                killed.extend(sessions(sshd))
                for session in killed:
                    os.kill(session, signal.SIGKILL)
            yield block
        starts.append(start)

    starts: list[int] = []
    blocks = Reading.blocks
    monkeypatch.setattr(Reading, "blocks", killing)
    gathered = sftp.fetch_delivery(sshd.connection, _new(tmp_path / "fetched"))
    assert gathered.files["users.csv"].read_bytes() == content
    assert killed
    assert starts[0] > 0, "the second session has not begun from the beginning"


def sessions(server: Sshd) -> list[int]:
    """The processes of the server that have a session each."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text()
    return [int(child) for child in children.split()]


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
