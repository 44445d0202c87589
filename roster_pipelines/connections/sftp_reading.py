"""Read a file on an sFTP server quickly and within bounds: many requests are under way, and never more bytes of them.

paramiko's own prefetch asks in pieces of 32 KiB, keeps without limit what came and was not read yet, and waits for each
single piece once a server has given fewer bytes than it was asked for.
"""

from collections import deque
from collections.abc import Iterator

import paramiko
from paramiko.sftp import CMD_DATA, CMD_READ, CMD_STATUS, int64

REQUEST_BYTES = 128 * 1024
REQUESTS = 64
"""At most so many requests are under way, so that at most 8 MiB are asked for and not read yet."""
LEAST_BYTES = 4 * 1024


class EndedEarlyError(Exception):
    """The file is shorter than it was said to be; the session is as it was."""


class Reading:
    """A file that is read once, from somewhere to somewhere.

    Args:
        client: The session.
        file: The file, open; close it when it has been read.
    """

    def __init__(self, client: paramiko.SFTPClient, file: paramiko.SFTPFile) -> None:
        self._client = client
        self._handle = file.handle
        self._answers: dict[int, tuple[int, paramiko.Message]] = {}

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        """Read bytes, in order.

        Args:
            start: The first one.
            end: The one after the last.

        Yields:
            What comes next, never empty.

        Raises:
            EndedEarlyError: The file ends before.
            OSError, EOFError, paramiko.SSHException: The server refuses or does not answer, or the session was cut.
            paramiko.SFTPError: It answers something else.
        """
        # The first request goes alone: many servers give 32 KiB at most, whatever they are asked for.
        size, requests, at = REQUEST_BYTES, 1, start
        under_way = deque[tuple[int, int, int]]()
        while at < end or under_way:
            while at < end and len(under_way) < requests:
                length = min(size, end - at)
                under_way.append((self._ask(at, length), at, length))
                at += length
            number, offset, length = under_way.popleft()
            block = self._answer(number, length)
            yield block
            if len(block) < length:
                size = max(LEAST_BYTES, min(size, len(block)))
                rest = (offset + len(block), length - len(block))
                under_way.appendleft((self._ask(*rest), *rest))
            requests = REQUESTS

    def _ask(self, offset: int, length: int) -> int:
        number: int = self._client._async_request(  # type: ignore[attr-defined]
            self, CMD_READ, self._handle, int64(offset), length
        )
        return number

    def _answer(self, number: int, length: int) -> bytes:
        """Wait for the answer to a request; others that come before are kept."""
        while number not in self._answers:
            self._client._read_response()  # type: ignore[attr-defined]
        kind, message = self._answers.pop(number)
        if kind == CMD_STATUS:
            try:
                self._client._convert_status(message)  # type: ignore[attr-defined]
            except EOFError:
                raise EndedEarlyError from None
        data = message.get_string() if kind == CMD_DATA else b""
        if not 0 < len(data) <= length:
            raise paramiko.SFTPError("not the data that were asked for")
        return data

    def _async_response(self, kind: int, message: paramiko.Message, number: int) -> None:
        """Take an answer. paramiko calls this, even while it waits for another one: nothing may be raised here."""
        self._answers[number] = (kind, message)
