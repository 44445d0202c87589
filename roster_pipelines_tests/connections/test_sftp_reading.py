"""A file is read in order and whole whatever a server gives at once, and what is asked for is bounded."""

import random
from typing import Any

import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paramiko.sftp import CMD_DATA, CMD_STATUS, SFTP_EOF, SFTP_OK

from roster_pipelines.connections.sftp_reading import REQUEST_BYTES, REQUESTS, EndedEarlyError, Reading

CONTENT = random.Random(5).randbytes(20 * 1024**2)
SIZES = st.one_of(
    st.sampled_from([0, 1, REQUEST_BYTES - 1, REQUEST_BYTES, REQUEST_BYTES + 1, (REQUESTS + 1) * REQUEST_BYTES]),
    st.integers(0, len(CONTENT)),
)


class Server:
    """Stands for a session with a server that gives so many bytes at once, in whatever order."""

    handle = b"handle"

    def __init__(self, content: bytes, caps: list[int] | None = None, seed: int = 0) -> None:
        self._content = content
        self._caps = caps or [REQUEST_BYTES]
        self._random = random.Random(seed)
        self._asked: dict[int, tuple[Reading, int, int]] = {}
        self._number = 0
        self.most_requests = 0
        self.lengths: list[int] = []

    def _async_request(self, reading: Reading, _kind: int, _handle: bytes, offset: int, length: int) -> int:
        self._number += 1
        self._asked[self._number] = (reading, offset, length)
        self.most_requests = max(self.most_requests, len(self._asked))
        self.lengths.append(length)
        return self._number

    def _read_response(self) -> None:
        number = self._random.choice(sorted(self._asked))
        reading, offset, length = self._asked.pop(number)
        given = self._content[offset : offset + min(length, self._random.choice(self._caps))]
        reading._async_response(*(self.data(given) if given else self.status(SFTP_EOF)), number)

    def data(self, given: bytes) -> tuple[int, paramiko.Message]:
        message = paramiko.Message()
        message.add_string(given)
        return CMD_DATA, paramiko.Message(message.asbytes())

    def status(self, code: int) -> tuple[int, paramiko.Message]:
        message = paramiko.Message()
        message.add_int(code)
        message.add_string("said")
        return CMD_STATUS, paramiko.Message(message.asbytes())

    def _convert_status(self, message: paramiko.Message) -> None:
        paramiko.SFTPClient._convert_status(self, message)  # type: ignore[attr-defined]

    @property
    def reading(self) -> Reading:
        server: Any = self
        return Reading(server, server)


@given(
    size=SIZES,
    start=st.floats(0, 1),
    caps=st.lists(st.integers(1024, 2 * REQUEST_BYTES), min_size=1, max_size=3),
    seed=st.integers(0, 99),
)
def test_what_is_read_is_the_file_from_where_it_was_asked_for_and_bounded(
    size: int, start: float, caps: list[int], seed: int
) -> None:
    begin = int(size * start)
    server = Server(CONTENT, caps, seed)
    read = 0
    pieces = []
    for block in server.reading.blocks(begin, size):
        pieces.append(block)
        read += len(block)
        # Of bytes that a short answer lacked, the same are asked for again: those count once.
        assert server.most_requests <= REQUESTS
    assert b"".join(pieces) == CONTENT[begin:size]
    assert read == size - begin


def test_what_is_asked_for_and_not_read_yet_never_exceeds_its_bound() -> None:
    server = Server(CONTENT)
    read = 0
    for block in server.reading.blocks(0, len(CONTENT)):
        assert sum(server.lengths) - read <= REQUESTS * REQUEST_BYTES
        read += len(block)
    assert max(server.lengths) == REQUEST_BYTES


@pytest.mark.parametrize("cap", [32 * 1024, 16 * 1024])
def test_a_server_that_gives_less_at_once_is_asked_twice_for_none_but_the_first_bytes(cap: int) -> None:
    server = Server(CONTENT, [cap])
    assert b"".join(server.reading.blocks(0, 4 * 1024**2)) == CONTENT[: 4 * 1024**2]
    pieces = 4 * 1024**2 // cap
    assert pieces <= len(server.lengths) <= pieces + REQUEST_BYTES // cap
    assert server.most_requests == REQUESTS


def test_a_file_that_is_shorter_than_it_was_said_to_be_ends_early() -> None:
    with pytest.raises(EndedEarlyError):
        b"".join(Server(CONTENT[:1000]).reading.blocks(0, 1001))


@pytest.mark.parametrize("fault", ["nothing", "too much", "no data"])
def test_an_answer_that_is_none_is_refused(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(CONTENT)
    answers = {
        "nothing": server.data(b""),
        "too much": server.data(CONTENT[: REQUEST_BYTES + 1]),
        "no data": server.status(SFTP_OK),
    }
    monkeypatch.setattr(server, "data", lambda _: answers[fault])
    with pytest.raises(paramiko.SFTPError):
        b"".join(server.reading.blocks(0, len(CONTENT)))
