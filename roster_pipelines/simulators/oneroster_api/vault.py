"""The invented secrets of a server: made once, written where references may point to, remembered for tests."""

import secrets
import shutil
import tempfile
from pathlib import Path


class Vault:
    """Secrets by name.

    Args:
        folder: Where they are kept, so that they outlive the process; None: in a folder that is removed on closing.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.issued: list[str] = []
        self._is_ours = folder is None
        self._folder = folder
        self._secrets: dict[str, str] = {}

    def secret(self, name: str, ending: str = "") -> str:
        """Give a secret, made when it is first asked for; `ending` are letters that must be sent with care."""
        if name not in self._secrets:
            kept = self._folder / name if self._folder else None
            value = kept.read_text("utf-8") if kept and kept.exists() else self.issue() + ending
            self._secrets[name] = value
            self.issued.append(value)
        return self._secrets[name]

    def issue(self) -> str:
        """Make one more secret, such as a token; it is remembered, and written nowhere."""
        value = secrets.token_hex(20)
        self.issued.append(value)
        return value

    def reference(self, name: str) -> str:
        """Say where a secret is, as a district's record does."""
        if self._folder is None:
            raise RuntimeError("the server is not running")
        return f"file:{(self._folder / name).absolute()}"

    def open(self) -> None:
        """Write the secrets down, for their owner's eyes only."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="roster-simulator-"))
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, value in self._secrets.items():
            (self._folder / name).touch(mode=0o600)
            (self._folder / name).write_text(value, encoding="utf-8")

    def close(self) -> None:
        """Remove what only this server needed."""
        if self._is_ours and self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
