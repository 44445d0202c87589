"""Answers are bounded, TLS is verified, redirects are not followed, and only what may pass is tried again."""

import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from roster_pipelines.connections import http
from roster_pipelines.errors import CallSomebody, RosterError, TryAgain

Answer = Callable[[httpx.Request], httpx.Response]


def asked(answer: Answer | httpx.Response, *, method: str = "GET") -> bytes:
    """Read one answer of a server that is not there."""
    give = answer if callable(answer) else lambda _: answer
    with httpx.Client(transport=httpx.MockTransport(give)) as client:
        request = client.build_request(method, "https://sis.test/orgs")
        return http.read(client, request, None, "Who, orgs", refused="renew it")[0]


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (400, http.NotUnderstood, "400: check base_url"),
        (401, http.Denied, "401: renew it"),
        (403, http.Forbidden, "403: the credentials are good, but may not read this: ask the district's administrator"),
        (404, http.NotOffered, "404: check base_url, and which collections the connection may read"),
        (405, CallSomebody, "405: check base_url"),
        (422, http.NotUnderstood, "422: check base_url"),
        (429, http.Passing, "429: it is tried again"),
        (500, http.Overloaded, "500: it is tried again"),
        (502, http.Overloaded, "502: it is tried again"),
        (204, CallSomebody, "204: check base_url"),
        (302, http.ForPeople, "302, a redirect, which is never followed: it is tried again"),
        (308, http.ForPeople, "308, a redirect, which is never followed: it is tried again"),
    ],
)
def test_a_status_says_what_must_happen_next_and_the_body_is_not_repeated(
    status: int, kind: type[RosterError], told: str
) -> None:
    answer = httpx.Response(status, text="what the server says", headers={"Location": "https://elsewhere.test/"})
    with pytest.raises(RosterError) as failed:
        asked(answer)
    assert type(failed.value) is kind
    assert str(failed.value).startswith(f"Who, orgs: the server answers {told}")
    assert "what the server says" not in str(failed.value)


def test_an_answer_larger_than_a_page_can_be_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BYTES", 1024**2)
    blocks = list[int]()

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for number in range(1000):
                blocks.append(number)
                yield b"x" * 64 * 1024

    assert asked(httpx.Response(200, content=b"x" * 1024**2)) == b"x" * 1024**2
    with pytest.raises(CallSomebody, match="Who, orgs: the answer has over 1 MB: set a smaller page_size"):
        asked(httpx.Response(200, stream=Endless()))
    assert len(blocks) <= 18


def test_an_answer_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    class Dripping(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                now[0] += 100
                yield b" "

    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with pytest.raises(http.Overloaded, match="the answer took over 300 s: set a smaller page_size"):
        asked(httpx.Response(200, stream=Dripping()))
    assert now[0] == 400


@pytest.mark.parametrize(
    ("error", "kind"),
    [(httpx.ConnectError, http.Passing), (httpx.ReadTimeout, http.Overloaded), (httpx.ConnectTimeout, http.Passing)],
)
def test_what_the_network_does_is_a_passing_fault(error: type[Exception], kind: type) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error("it says what was sent")

    with pytest.raises(
        kind, match=rf"^Who, orgs: sis\.test cannot be reached, or hung up \({error.__name__}\)"
    ) as told:
        asked(fail)
    assert type(told.value) is kind
    assert "what was sent" not in str(told.value)


def test_a_compressed_answer_that_is_none_is_a_passing_fault() -> None:
    broken = httpx.Response(200, stream=httpx.ByteStream(b"no gzip"), headers={"Content-Encoding": "gzip"})
    with pytest.raises(http.Passing, match="DecodingError"):
        asked(broken)


# Trying again


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long would have been waited, each time."""
    found = list[float]()
    monkeypatch.setattr(http, "sleep_using_event", lambda _: found.append)
    return found


def failing(*errors: Exception) -> tuple[Callable[[], str], list[int]]:
    """Something that fails so often, and then succeeds; and how often it was tried."""
    tries = list[int]()

    def attempt() -> str:
        tries.append(1)
        if len(tries) <= len(errors):
            raise errors[len(tries) - 1]
        return "done"

    return attempt, tries


def test_a_passing_fault_is_tried_again_after_pauses_that_grow_and_differ(pauses: list[float]) -> None:
    attempt, _ = failing(*[http.Passing("a", "b")] * 4)
    assert http.persistently(attempt) == "done"
    assert all(low <= pause <= low + 1 for low, pause in zip((1, 2, 4, 8), pauses, strict=True))
    assert any(pause % 1 for pause in pauses)


def test_it_is_given_up_after_some_attempts_with_the_last_fault(pauses: list[float]) -> None:
    attempt, tries = failing(*[http.Passing(f"fault {number}", "wait") for number in range(9)])
    with pytest.raises(http.Passing, match="fault 4: wait"):
        http.persistently(attempt)
    assert (len(tries), len(pauses)) == (5, 4)


@pytest.mark.parametrize("error", [CallSomebody("a", "b"), TryAgain("a", "b"), http.Denied("a", "b"), ValueError()])
def test_what_does_not_pass_is_tried_once(error: Exception, pauses: list[float]) -> None:
    attempt, tries = failing(error)
    with pytest.raises(type(error)):
        http.persistently(attempt)
    assert (len(tries), pauses) == (1, [])


def test_within_once_nothing_is_tried_again(pauses: list[float]) -> None:
    attempt, tries = failing(http.Passing("a", "b"))
    with http.once(), pytest.raises(http.Passing):
        http.persistently(attempt)
    assert (len(tries), pauses) == (1, [])
    assert http.persistently(attempt) == "done"


def test_when_nobody_wants_it_any_more_it_is_not_tried_again(pauses: list[float]) -> None:
    cancelled = threading.Event()
    attempt, tries = failing(*[http.Passing("a", "b")] * 9)

    def give_up() -> str:
        cancelled.set()
        return attempt()

    with pytest.raises(http.Passing):
        http.persistently(give_up, cancelled)
    assert (len(tries), pauses) == (1, [])


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7), ("0", 0, 0), ("2.5", 2.5, 2.5), ("-3", 0, 0), ("60", 60, 60), ("nan", 0, 0),
        (40, 20, 40), (-40, 0, 0), ("soon", 1, 2), ("", 1, 2), (None, 1, 2),
    ],
)  # fmt: skip
def test_a_server_says_when_to_come_again_in_seconds_or_by_date(
    header: str | int | None, low: float, high: float, pauses: list[float]
) -> None:
    """A number stands for the date in so many seconds."""
    if isinstance(header, int):
        header = format_datetime(datetime.now(UTC) + timedelta(seconds=header), usegmt=True)
    answers = iter(
        [httpx.Response(429, headers={} if header is None else {"Retry-After": header}), httpx.Response(200)]
    )
    http.persistently(lambda: asked(next(answers)))
    (pause,) = pauses
    assert low <= pause <= high


@pytest.mark.parametrize("header", ["61", "3600", "inf", "1e300", 9000])
def test_a_server_that_asks_for_more_than_a_minute_is_left_alone_until_the_next_run(
    header: str | int, pauses: list[float]
) -> None:
    if isinstance(header, int):
        header = format_datetime(datetime.now(UTC) + timedelta(seconds=header), usegmt=True)
    answers = iter([httpx.Response(429, headers={"Retry-After": header}), httpx.Response(200)])
    with pytest.raises(TryAgain, match="the server answers 429: it is tried again"):
        http.persistently(lambda: asked(next(answers)))
    assert pauses == []
    assert next(answers).status_code == 200


def test_no_packing_is_asked_for_but_gzip() -> None:
    """A block of brotli or zstd may unpack to gigabytes before anybody can count."""
    with http.opened(1) as client:
        headers = client.build_request("GET", "https://sis.test/orgs").headers
    assert headers["Accept-Encoding"] == "gzip"


# TLS


@contextmanager
def tls_server(folder: Path, name: str) -> Iterator[tuple[int, list[str]]]:
    """A server with a certificate that it signed itself; its port, and the requests that it saw."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    seen = list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    class Server(HTTPServer):
        def handle_error(self, *_: object) -> None:
            """Clients that go away are what is tested."""

    with Server((name, 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        try:
            yield server.server_address[1], seen
        finally:
            server.shutdown()
            thread.join()


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_request(tmp_path: Path, pauses: list[float]) -> None:
    with tls_server(tmp_path, "127.0.0.1") as (port, seen), http.opened(1) as client:
        request = client.build_request("GET", f"https://127.0.0.1:{port}/orgs")
        told = r"^Who, orgs: the TLS certificate of 127\.0\.0\.1 is not valid, so nothing was sent: ask whoever runs"
        with pytest.raises(CallSomebody, match=told):
            http.persistently(lambda: http.read(client, request, None, "Who, orgs", refused=""))
        assert seen == []
        assert pauses == []
        # The server is good but for its certificate.
        trusting = ssl.create_default_context(cafile=tmp_path / "server.pem")
        assert httpx.get(f"https://127.0.0.1:{port}/orgs", verify=trusting).status_code == 200


def test_no_more_connections_are_open_than_asked_for_and_no_redirect_is_followed() -> None:
    with http.opened(3) as client:
        assert not client.follow_redirects
        assert client._transport._pool._max_connections == 3  # type: ignore[attr-defined]
