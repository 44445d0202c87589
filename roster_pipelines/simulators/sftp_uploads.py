"""Upload as the clients of districts do, step by step: whoever calls decides when the next step comes."""

from collections.abc import Iterator
from datetime import datetime

import paramiko


class Uploads:
    """Uploads into one folder.

    Args:
        client: A session.
        folder: The folder on the server.
    """

    def __init__(self, client: paramiko.SFTPClient, folder: str = "/") -> None:
        self._client = client
        self._folder = folder.rstrip("/")

    def put(self, name: str, content: bytes, modified: datetime | None = None) -> None:
        """Write a file under its final name, in one go.

        Args:
            name: The file's name; one that is there is overwritten in place.
            content: What is in it.
            modified: The time that it is given, which may lie in the future; None: now.
        """
        for _ in self.growing(name, content, 1):
            pass
        if modified:
            self.set_time(name, modified)

    def growing(self, name: str, content: bytes, steps: int) -> Iterator[int]:
        """Write a file under its final name, as OpenSSH and most schedulers do, one part for each step.

        Yields:
            The bytes that are there so far.
        """
        with self._client.open(self._path(name), "wb") as file:
            for step in range(steps):
                file.write(content[len(content) * step // steps : len(content) * (step + 1) // steps])
                yield len(content) * (step + 1) // steps

    def filepart(self, name: str, content: bytes, steps: int = 1) -> Iterator[int]:
        """Write a file as WinSCP does: one part for each step under another name, and a last step that renames it.

        Yields:
            The bytes that are there so far, under whichever name.
        """
        yield from self.growing(f"{name}.filepart", content, steps)
        self._client.posix_rename(self._path(f"{name}.filepart"), self._path(name))
        yield len(content)

    def aborted(self, name: str, content: bytes, share: float = 0.6) -> None:
        """Write the first part of a file under its final name, and never the rest."""
        self.put(name, content[: int(len(content) * share)])

    def set_time(self, name: str, modified: datetime) -> None:
        """Give a file another time."""
        self._client.utime(self._path(name), (modified.timestamp(), modified.timestamp()))

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"
