"""A secret is read where the record says it is, at the moment of its use."""

from pathlib import Path

import pytest

from roster_pipelines.connections.secret import resolve
from roster_pipelines.errors import CallSomebody


def test_a_secret_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPLE_PASSWORD", " with blanks: ")
    assert resolve("env:MAPLE_PASSWORD") == " with blanks: "


@pytest.mark.parametrize("line_end", ["", "\n", "\r\n"])
def test_a_secret_is_read_from_a_file_without_the_line_end_behind_it(line_end: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(f"-----BEGIN-----\nabc\n-----END-----{line_end}".encode())
    assert resolve(f"file:{tmp_path / 'key'}") == "-----BEGIN-----\nabc\n-----END-----"


def test_a_secret_is_read_anew_each_time(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("old")
    assert resolve(f"file:{tmp_path / 'password'}") == "old"
    (tmp_path / "password").write_text("new")
    assert resolve(f"file:{tmp_path / 'password'}") == "new"


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named_to_somebody(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is None:
        monkeypatch.delenv("MAPLE_PASSWORD", raising=False)
    else:
        monkeypatch.setenv("MAPLE_PASSWORD", value)
    with pytest.raises(CallSomebody) as raised:
        resolve("env:MAPLE_PASSWORD")
    assert str(raised.value) == ("the secret env:MAPLE_PASSWORD is not set: set MAPLE_PASSWORD where the pipelines run")


@pytest.mark.parametrize("there", ["nothing", "a folder", "no text"])
def test_a_file_that_cannot_be_read_is_named_to_somebody_without_its_content(there: str, tmp_path: Path) -> None:
    place = tmp_path / "secret"
    if there == "a folder":
        place.mkdir()
    if there == "no text":
        place.write_bytes(b"hunter2\xff")
    with pytest.raises(CallSomebody, match=f"the secret file:{place} cannot be read") as raised:
        resolve(f"file:{place}")
    assert "hunter2" not in str(raised.value)
