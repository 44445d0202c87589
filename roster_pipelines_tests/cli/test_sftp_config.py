"""`roster sftp-config`: the whole configuration or none, the same each time, and nothing else is ever replaced."""

from pathlib import Path

import pytest
import yaml
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from roster_pipelines.cli.main import app
from roster_pipelines.connections.sftp_server_config.files import NAMES
from roster_pipelines.district import District
from roster_pipelines.district_connection import SftpConnection, UploadAccount
from roster_pipelines.errors import CallSomebody
from roster_pipelines.platform import registry
from roster_pipelines.settings import PROJECT
from roster_pipelines_tests.conftest import url_of
from roster_pipelines_tests.connections.sftp_server_config.test_server_config import (
    HASH,
    district,
    ed25519,
    with_account,
)


@pytest.fixture(autouse=True)
def _environment(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTER_DATABASE_URL", url_of(engine))
    monkeypatch.setenv("MAPLE_HASH", HASH)


def run(folder: Path, *words: object) -> Result:
    environment = {"COLUMNS": "200", "TERM": "dumb"}
    return CliRunner(env=environment).invoke(app, ["sftp-config", "--dir", str(folder), *map(str, words)])


def refused(result: Result) -> str:
    assert result.exit_code == 1
    assert isinstance(result.exception, CallSomebody)
    assert "\n" not in str(result.exception)
    return str(result.exception)


def register(engine: Engine, *records: District) -> None:
    with engine.begin() as change:
        for record in records:
            registry.apply(change, record, by="tests", why="test")


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_written_whole_for_its_owner_only_and_told_who_has_no_account(engine: Engine, tmp_path: Path) -> None:
    register(engine, with_account(password_hash="env:MAPLE_HASH"), district("birch"), district("cedar"))
    result = run(tmp_path / "new" / "sftp")
    assert result.exit_code == 0
    assert "1 of 3 districts have an account" in result.output
    assert "No account, as its record has no upload: birch, cedar" in result.output
    assert "--reader-key" in result.output
    assert HASH not in result.output
    folder = tmp_path / "new" / "sftp"
    assert {path.name for path in folder.iterdir()} == NAMES
    assert HASH in (folder / "passwd").read_text()
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))} == {0}
    assert (folder / "install.sh").stat().st_mode & 0o700 == 0o700
    assert [path.name for path in folder.parent.iterdir()] == ["sftp"], "nothing is left beside it"


def test_again_it_is_the_same_and_who_has_gone_is_in_it_no_longer(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "sftp"
    register(engine, with_account("alder"), with_account("birch"))
    (tmp_path / "key.pub").write_text(f"{ed25519(9)} pipelines@here\n")
    words = ("--reader-key", tmp_path / "key.pub", "--reader-address", "198.51.100.20")
    assert run(folder, *words).exit_code == 0
    first = content(folder)
    assert run(folder, *words).exit_code == 0
    assert content(folder) == first
    assert {"keys/birch", "allow/birch", "keys/roster", "allow/roster"} <= first.keys()

    birch = with_account("birch")
    assert isinstance(birch.connection, SftpConnection)
    register(engine, birch.model_copy(update={"connection": birch.connection.model_copy(update={"upload": None})}))
    assert "No account, as its record has no upload: birch" in run(folder, *words).output
    after = content(folder)
    assert first.keys() - after.keys() == {"keys/birch", "allow/birch"}
    assert b"birch" not in b"".join(after.values())


def test_when_anything_is_wrong_the_old_one_stays_as_it_is(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sftp"
    register(engine, with_account("alder"))
    assert run(folder).exit_code == 0
    first = content(folder)
    register(engine, with_account("birch", password_hash="env:BIRCH_HASH"))
    assert "BIRCH_HASH is not set" in refused(run(folder))
    monkeypatch.setenv("BIRCH_HASH", "the password itself")
    assert "birch: the secret env:BIRCH_HASH is no strong crypt hash" in refused(run(folder))
    register(engine, with_account("birch", username="alder"))
    assert "the user name alder is taken by alder" in refused(run(folder))
    assert "--root is no path" in refused(run(folder, "--root", "/srv/x\nUser root"))
    assert content(folder) == first
    assert [path.name for path in tmp_path.iterdir()] == ["sftp"]


def test_a_disk_that_is_full_in_the_middle_leaves_the_old_one(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sftp"
    register(engine, with_account("alder"))
    assert run(folder).exit_code == 0
    first = content(folder)
    register(engine, with_account("birch"))
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "birch":
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert isinstance(run(folder).exception, OSError)
    assert content(folder) == first
    assert [path.name for path in tmp_path.iterdir()] == ["sftp"]


@pytest.mark.parametrize("name", ["notes.txt", "passwd"])
def test_a_folder_that_holds_anything_else_is_left_alone(engine: Engine, tmp_path: Path, name: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("somebody's work")
    assert "holds what roster sftp-config has not written" in refused(run(tmp_path / "mine"))
    assert "holds what roster sftp-config has not written" in refused(run(tmp_path / "mine" / name))
    assert content(tmp_path / "mine") == {name: b"somebody's work"}
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty").exit_code == 0


def test_what_is_no_public_key_is_refused_without_being_repeated(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n")
    told = refused(run(tmp_path / "sftp", "--reader-key", tmp_path / "key"))
    assert "what --reader-key gives is no line of a .pub file" in told
    assert "secret" not in told
    assert not (tmp_path / "sftp").exists()


def test_the_documented_record_shows_every_key_of_an_account_and_every_option_is_documented() -> None:
    shown = (PROJECT / "docs" / "district.md").read_text("utf-8").split("```yaml\n")[1].split("```")[0]
    assert set(yaml.safe_load(shown)["connection"]["upload"]) == set(UploadAccount.model_fields)
    text = (PROJECT / "docs" / "sftp-server.md").read_text("utf-8")
    result = CliRunner(env={"COLUMNS": "300", "TERM": "dumb"}).invoke(app, ["sftp-config", "--help"])
    options = {word for word in result.output.split() if word.startswith("--")} - {"--help", "--dir", "--reader-key."}
    assert len(options) >= 9
    for option in options:
        assert f"`{option}`" in text, option
