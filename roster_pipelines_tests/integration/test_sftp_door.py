"""The vendor's real sFTP server with the very output of `roster sftp-config`, and the clients that districts use."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import paramiko
import pytest
from typer.testing import CliRunner

from roster_pipelines.cli.dagster_instance import free_port
from roster_pipelines.cli.main import app
from roster_pipelines.connections import report_upload, sftp
from roster_pipelines.district import District
from roster_pipelines.district_connection import SftpConnection, UploadAccount
from roster_pipelines.platform import registry
from roster_pipelines.simulators import districts
from roster_pipelines_tests.conftest import Databases, url_of
from roster_pipelines_tests.integration.conftest import wait_for

pytestmark = pytest.mark.sshd

MAPLE, BIRCH, PIPELINES, STRANGER = "127.0.0.2", "127.0.0.4", "127.0.0.1", "127.0.0.9"
PASSWORD = "birch-lakes-password"
# Nobody's on this machine, unless the server itself is installed on it.
UID = 47110


@dataclass
class Door:
    """A running server, and what its clients hold."""

    folder: Path
    port: int
    server: subprocess.Popen[bytes]

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def connection(self) -> SftpConnection:
        """Maple Valley's folder, through the pipelines' own account."""
        return SftpConnection(
            kind="sftp",
            host="127.0.0.1",
            port=self.port,
            username="roster",
            private_key=f"file:{self.folder / 'roster'}",
            host_key=" ".join((self.folder / "state" / "host_ed25519.pub").read_text().split()[:2]),
            directory="/maple-valley",
            reports="reports",
            quiet_seconds=0,
        )

    def client(self, program: str, key: str, address: str, *words: str) -> list[str]:
        port = {"ssh": "-p"}.get(program, "-P")
        trusted = [f"UserKnownHostsFile={self.folder / 'known_hosts'}", "StrictHostKeyChecking=yes"]
        options = [*trusted, "IdentitiesOnly=yes", "BatchMode=yes", f"BindAddress={address}", "LogLevel=INFO"]
        said = [word for option in options for word in ("-o", option)]
        return [program, port, str(self.port), "-F", "none", "-i", str(self.folder / key), *said, *words]

    def sftp(
        self, commands: str, *, user: str = "maple-valley", key: str = "maple", address: str = MAPLE
    ) -> str | None:
        """Run commands as OpenSSH's `sftp` does; what it says, or None where it is not let in."""
        done = subprocess.run(
            self.client("sftp", key, address, "-q", "-b", "-", f"{user}@127.0.0.1"),
            input=f"pwd\n{commands}\n",
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            cwd=self.folder / "local",
        )
        return done.stdout + done.stderr if "Remote working directory" in done.stdout else None

    def let_in(self, *tries: dict[str, str]) -> list[bool]:
        """Whether each is let in, all at once: the server waits for a moment after each session that has ended."""
        with ThreadPoolExecutor() as pool:
            return [told is not None for told in pool.map(lambda words: self.sftp("", **words), tries)]

    def by_password(self, user: str, password: str, address: str) -> list[str] | None:
        """What lies in the root of whoever logs in by password; None where they are not let in."""
        made = socket.create_connection(("127.0.0.1", self.port), 10, (address, 0))
        with made, paramiko.Transport(made) as transport:
            try:
                transport.connect(username=user, password=password)
            except (paramiko.SSHException, EOFError):
                return None
            client = paramiko.SFTPClient.from_transport(transport)
            assert client is not None
            return client.listdir("/")

    def configure(self) -> None:
        """Write the configuration from the registry and install it, as docs/sftp-server.md says."""
        output = self.folder / "output"
        options = {
            "--dir": output,
            "--root": self.root,
            "--etc": self.folder / "etc",
            "--state": self.folder / "state",
            "--listen": "127.0.0.1",
            "--port": self.port,
            "--uid": UID,
            "--reader-key": self.folder / "roster.pub",
        }
        result = CliRunner().invoke(app, ["sftp-config", *(str(word) for pair in options.items() for word in pair)])
        assert result.exit_code == 0, result.output
        # The system's users stay as they are.
        path = f"{self.folder / 'instead'}:{os.environ['PATH']}"
        subprocess.run(
            [output / "install.sh", "--no-service"], check=True, env={"PATH": path}, stdout=subprocess.DEVNULL
        )


def record(name: str, upload: UploadAccount, stage: str = "onboarding") -> District:
    connection = {
        "kind": "sftp",
        "host": "127.0.0.1",
        "username": "roster",
        "password": "env:NONE",
        "reports": "reports",
    }
    return District.model_validate(
        {"district": name, "name": name, "stage": stage, "connection": {**connection, "upload": upload.model_dump()}}
    )


@pytest.fixture(scope="module")
def door(databases: Databases) -> Iterator[Door]:
    if os.geteuid() != 0 or shutil.which("proftpd", path="/usr/sbin:/usr/bin") is None:
        pytest.fail("needs ProFTPD (proftpd-core, proftpd-mod-crypto) and root")
    with (
        databases.copy("migrated") as engine,
        pytest.MonkeyPatch.context() as environment,
        tempfile.TemporaryDirectory() as made,
    ):
        folder = Path(made)
        folder.chmod(0o755)
        for name in ("local", "instead"):
            (folder / name).mkdir()
        for name in ("useradd", "groupadd"):
            (folder / "instead" / name).symlink_to("/bin/true")
        for name in ("maple", "maple-new", "roster", "stranger"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        hashed = subprocess.run(
            ["openssl", "passwd", "-6", PASSWORD], capture_output=True, text=True, check=True
        ).stdout
        environment.setenv("BIRCH_HASH", hashed.strip())
        environment.setenv("ROSTER_DATABASE_URL", url_of(engine))
        keys = tuple((folder / f"{name}.pub").read_text() for name in ("maple", "maple-new"))
        with engine.begin() as change:
            for district in (
                record("maple-valley", UploadAccount(authorized_keys=keys, addresses=(MAPLE,))),
                record(
                    "birch-lake",
                    UploadAccount(username="birch", password_hash="env:BIRCH_HASH", addresses=(f"{BIRCH}/31",)),
                ),
            ):
                registry.apply(change, district, by="tests", why="test")
        yield from _running(folder)


def _running(folder: Path) -> Iterator[Door]:
    port = free_port()
    door = Door(folder, port, None)  # type: ignore[arg-type]
    door.configure()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {door.connection.host_key}\n")
    path = shutil.which("proftpd", path="/usr/sbin:/usr/bin") or "proftpd"
    door.server = subprocess.Popen(
        [path, "--nodaemon", "--quiet", "--config", str(folder / "etc" / "proftpd.conf")], stderr=subprocess.DEVNULL
    )
    try:

        def listens() -> bool | None:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0 or None

        wait_for(listens, "the server", seconds=20)
        yield door
    finally:
        door.server.terminate()
        door.server.wait(20)


@pytest.fixture
def users(door: Door) -> Iterator[Path]:
    """A file to upload; whatever a test puts into the folder is taken away again."""
    file = door.folder / "local" / "users.csv"
    file.write_text("sourcedId\n1\n")
    yield file
    for uploaded in (door.root / "maple-valley").rglob("*"):
        if uploaded.is_file():
            uploaded.unlink()


def test_a_session_opens_in_the_root_and_files_are_put_into_it(door: Door, users: Path) -> None:
    told = door.sftp("put users.csv /\nls -1 /")
    assert told is not None
    assert "Remote working directory: /\n" in told
    assert "/users.csv" in told.splitlines()
    assert (door.root / "maple-valley" / "users.csv").read_bytes() == users.read_bytes()


def test_every_one_of_a_districts_keys_lets_it_in_and_no_other_does(door: Door) -> None:
    tries = ({"key": "maple-new"}, {"key": "stranger"}, {"key": "roster"}, {"user": "birch"})
    assert door.let_in(*tries) == [True, False, False, False]


def test_a_file_is_overwritten_renamed_from_a_temporary_name_and_gone_on_with(door: Door, users: Path) -> None:
    there = door.root / "maple-valley" / "users.csv"
    assert door.sftp("put users.csv /")
    users.write_text("sourcedId\n1\n2\n")
    assert door.sftp("put users.csv /users.csv\n")
    assert there.read_text() == "sourcedId\n1\n2\n"
    users.write_text("sourcedId\n1\n2\n3\n")
    assert door.sftp("reput users.csv /")
    assert there.read_text() == "sourcedId\n1\n2\n3\n"
    users.write_text("sourcedId\n9\n")
    assert door.sftp("put users.csv /users.csv.filepart\nrename /users.csv.filepart /users.csv")
    assert there.read_text() == "sourcedId\n9\n"


def test_rights_and_times_that_a_client_sends_are_passed_over(door: Door, users: Path) -> None:
    os.utime(users, (0, 0))
    users.chmod(0o777)
    assert door.sftp("put -p users.csv /\nchmod 666 users.csv")
    status = (door.root / "maple-valley" / "users.csv").stat()
    assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o640, UID, UID)
    assert status.st_mtime > 1_000_000_000


def test_a_district_is_refused_from_every_address_that_is_not_its_own(door: Door) -> None:
    """Whether nobody comes from there, another district or the pipelines."""
    tries = ({"address": address} for address in (MAPLE, STRANGER, BIRCH, PIPELINES))
    assert door.let_in(*tries) == [True, False, False, False]


def test_who_comes_from_nobodys_address_gets_no_answer_at_all(door: Door) -> None:
    for address, answered in ((BIRCH, b"SSH-2.0-"), (STRANGER, b"")):
        with socket.create_connection(("127.0.0.1", door.port), 10, (address, 0)) as made:
            made.settimeout(10)
            try:
                assert made.recv(8) == answered
            except ConnectionResetError:
                assert address == STRANGER


def test_a_session_has_no_right_of_roots_left(door: Door) -> None:
    made = socket.create_connection(("127.0.0.1", door.port), 10, (BIRCH, 0))
    with made, paramiko.Transport(made) as transport:
        transport.connect(username="birch", password=PASSWORD)
        assert paramiko.SFTPClient.from_transport(transport)
        children = Path(f"/proc/{door.server.pid}/task/{door.server.pid}/children").read_text().split()
        told = [Path(f"/proc/{child}/status").read_text() for child in children]
    sessions = [dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line) for text in told]
    users = [(session["Uid"].split(), session["CapEff"]) for session in sessions]
    assert ([str(UID)] * 4, "0" * 16) in users, users


def test_an_account_that_takes_all_its_sessions_shuts_out_itself_only(door: Door) -> None:
    key = paramiko.Ed25519Key.from_private_key_file(str(door.folder / "maple"))
    with ExitStack() as held, ThreadPoolExecutor(4) as pool:

        def look(_: int) -> list[str]:
            transport = held.enter_context(paramiko.Transport(connected(door, held)))
            transport.connect(username="maple-valley", pkey=key)
            client = paramiko.SFTPClient.from_transport(transport)
            assert client is not None
            return client.listdir("/")

        assert list(pool.map(look, range(20))) == [["reports"]] * 20
        others_are_let_in(door)
    wait_for(lambda: door.sftp(""), "a place", seconds=20)


def test_an_address_that_connects_again_and_again_shuts_out_itself_only(door: Door) -> None:
    with ExitStack() as held:
        assert {connected(door, held).recv(8) for _ in range(60)} == {b"SSH-2.0-"}
        others_are_let_in(door)
    wait_for(lambda: door.sftp(""), "a place", seconds=20)


def connected(door: Door, held: ExitStack) -> socket.socket:
    """Connect from Maple Valley's address, and stay."""
    return held.enter_context(socket.create_connection(("127.0.0.1", door.port), 10, (MAPLE, 0)))


def others_are_let_in(door: Door) -> None:
    assert door.let_in({}, {"user": "roster", "key": "roster", "address": PIPELINES}) == [False, True]
    assert door.by_password("birch", PASSWORD, BIRCH) == ["reports"]


def test_a_password_lets_in_whoever_has_one_from_the_networks_that_are_theirs(door: Door) -> None:
    assert door.by_password("birch", PASSWORD, BIRCH) == ["reports"]
    assert door.by_password("birch", PASSWORD, "127.0.0.5") == ["reports"]
    assert door.by_password("birch", PASSWORD, MAPLE) is None
    assert door.by_password("birch", "another", BIRCH) is None
    assert door.by_password("birch-lake", PASSWORD, BIRCH) is None, "its user name is another"


def test_who_has_no_password_is_let_in_by_none(door: Door) -> None:
    for password in ("", "*", PASSWORD):
        assert door.by_password("maple-valley", password, MAPLE) is None
    assert door.by_password("roster", "*", PIPELINES) is None


def test_a_district_sees_nothing_of_another_ones_root_nor_of_the_server(door: Door, users: Path) -> None:
    (door.root / "birch-lake" / "theirs.csv").write_text("theirs")
    looks = ("/birch-lake", "../birch-lake", f"{door.root}/birch-lake", "/../../etc", "/..", "/")
    told = door.sftp("put users.csv /\n" + "\n".join(f"-cd ..\n-ls -la {place}" for place in looks))
    assert told is not None
    listed = [line for line in told.splitlines() if not line.startswith("sftp> ")]
    assert not [line for line in listed if "theirs" in line or "passwd" in line]
    assert not [line for line in listed if line.endswith("birch-lake")]
    tries = ("-get /etc/passwd", "-get ../birch-lake/theirs.csv", "-put users.csv ../../stray.csv")
    assert door.sftp("\n".join(tries)) is not None
    assert {path.name for path in (door.folder / "local").iterdir()} == {"users.csv"}
    assert not (door.root.parent / "stray.csv").exists()


def test_no_link_can_be_made(door: Door, users: Path) -> None:
    told = door.sftp(
        f"put users.csv /\n-symlink {door.root}/birch-lake out\n-symlink ../birch-lake out\n-ln users.csv two"
    )
    assert told is not None
    assert {path.name for path in (door.root / "maple-valley").iterdir()} == {"users.csv", "reports"}


def test_the_libraries_that_a_server_looks_for_in_its_root_cannot_be_put_there(door: Door, users: Path) -> None:
    """What makes a root that its user may write to dangerous, and why OpenSSH refuses one."""
    assert door.sftp("-mkdir /etc\n-mkdir /lib\n-put users.csv /etc/nsswitch.conf\n-put users.csv /lib/libnss.so")
    assert {path.name for path in (door.root / "maple-valley").iterdir()} == {"reports"}


def test_there_is_no_shell_no_command_and_no_forwarding(door: Door) -> None:
    us = "maple-valley@127.0.0.1"
    tries = {
        "shell": [us],
        "command": [us, "id"],
        "subsystem": ["-s", us, "shell"],
        "forwarding": ["-W", "127.0.0.1:22", us],
        "remote forwarding": ["-o", "ExitOnForwardFailure=yes", "-N", "-R", "0:127.0.0.1:22", us],
    }
    for name, done in zip(tries, _ssh(door, tries.values()), strict=True):
        assert (name, done.returncode, done.stdout) == (name, 255, "")
        assert "refused" in done.stderr or "failed" in done.stderr, "after the login"
        assert "Permission denied" not in done.stderr, name


def test_there_is_no_scp(door: Door, users: Path) -> None:
    old = door.client("scp", "maple", MAPLE, "-O", str(users), "maple-valley@127.0.0.1:/")
    assert subprocess.run(old, capture_output=True, timeout=30, check=False).returncode != 0
    assert not (door.root / "maple-valley" / "users.csv").exists()


def test_nothing_weak_is_agreed_upon(door: Door) -> None:
    # A cipher that has its own check of what arrives would leave a weak one of those unused.
    tries = {
        "Ciphers=aes128-cbc": [],
        "MACs=hmac-sha1": ["-o", "Ciphers=aes256-ctr"],
        "MACs=umac-64@openssh.com": ["-o", "Ciphers=aes256-ctr"],
        "KexAlgorithms=diffie-hellman-group14-sha1": [],
        "HostKeyAlgorithms=ssh-rsa": [],
    }
    words = [["-o", weak, *besides, "maple-valley@127.0.0.1"] for weak, besides in tries.items()]
    for weak, done in zip(tries, _ssh(door, words), strict=True):
        assert (weak, done.returncode, "no matching" in done.stderr) == (weak, 255, True)


def _ssh(door: Door, tries: Iterable[Sequence[str]]) -> list[subprocess.CompletedProcess[str]]:
    """Run OpenSSH's `ssh` with each of several sets of words, all at once."""

    def run(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        command = door.client("ssh", "maple", MAPLE, *words)
        nothing = subprocess.DEVNULL
        return subprocess.run(command, stdin=nothing, capture_output=True, text=True, timeout=30, check=False)

    with ThreadPoolExecutor() as pool:
        return list(pool.map(run, tries))


def test_the_pipelines_read_every_folder_and_write_into_reports_only(door: Door, users: Path) -> None:
    assert door.sftp("put users.csv /")
    (door.root / "birch-lake" / "theirs.csv").write_text("theirs")
    tries = [
        "put users.csv /maple-valley/more.csv",
        "put users.csv /maple-valley/users.csv",
        "put users.csv /more.csv",
        "rm /maple-valley/users.csv",
        "rmdir /birch-lake/reports",
        "mkdir /more",
    ]
    commands = ["ls -1 /", "ls -1 /*/*.csv", *(f"-{line}" for line in tries), "put users.csv /maple-valley/reports/r"]
    told = door.sftp("\n".join(commands), user="roster", key="roster", address=PIPELINES)
    assert told is not None
    assert {"/birch-lake", "/maple-valley", "/maple-valley/users.csv", "/birch-lake/theirs.csv"} <= set(told.split())
    assert told.count("denied") == len(tries), told
    assert (door.root / "maple-valley" / "reports" / "r").read_bytes() == users.read_bytes()
    assert door.sftp("get reports/r got")
    (door.folder / "local" / "got").unlink()


def test_the_pipelines_come_from_their_own_address_only(door: Door) -> None:
    own = {"user": "roster", "key": "roster"}
    tries = ({**own, "address": address} for address in (PIPELINES, STRANGER, MAPLE))
    assert door.let_in(*tries) == [True, False, False]


def test_our_own_client_fetches_what_was_uploaded_and_puts_the_report_beside_it(door: Door, users: Path) -> None:
    (door.folder / "made").mkdir()
    (door.folder / "fetched").mkdir()
    made = districts.generate(door.folder / "made", students=40)
    assert door.sftp(f"put {made.folder}/*.csv /")
    gathered = sftp.fetch_delivery(door.connection, door.folder / "fetched")
    assert set(gathered.files) >= {"users.csv", "classes.csv"}
    for name, path in gathered.files.items():
        assert path.read_bytes() == (made.folder / name).read_bytes()
    report_upload.upload_report(door.connection, "first.html", "<p>fine</p>")
    report_upload.upload_report(door.connection, "first.html", "<p>better</p>")
    assert (door.root / "maple-valley" / "reports" / "first.html").read_text() == "<p>better</p>"


def test_where_the_list_of_a_districts_addresses_cannot_be_read_nobody_is_let_in(door: Door) -> None:
    allowed = door.folder / "etc" / "allow" / "maple-valley"
    allowed.chmod(0)
    assert door.sftp("") is None
    allowed.chmod(0o644)
    assert door.sftp("") is not None


def test_who_is_paused_is_let_in_no_longer_and_keeps_the_folder(
    door: Door, databases: Databases, users: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert door.sftp("put users.csv /")
    (door.root / "birch-lake" / "theirs.csv").write_text("theirs")
    with databases.copy("migrated") as engine:
        monkeypatch.setenv("ROSTER_DATABASE_URL", url_of(engine))
        upload = UploadAccount(authorized_keys=((door.folder / "maple.pub").read_text(),), addresses=(MAPLE, STRANGER))
        with engine.begin() as change:
            registry.apply(change, record("birch-lake", upload), by="tests", why="test")
        door.configure()
        door.server.send_signal(signal.SIGHUP)
        wait_for(lambda: door.sftp("", user="birch-lake", address=STRANGER), "the new address", seconds=20)
    assert door.sftp("") is None
    assert door.by_password("birch", PASSWORD, BIRCH) is None
    assert (door.root / "maple-valley" / "users.csv").read_bytes() == users.read_bytes()
    assert (door.root / "birch-lake" / "theirs.csv").read_text() == "theirs"
