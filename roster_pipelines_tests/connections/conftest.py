"""Folders of files to gather."""

from pathlib import Path

import pytest


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """An empty folder for what is fetched and unpacked."""
    folder = tmp_path / "into"
    folder.mkdir()
    return folder
