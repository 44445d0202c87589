"""A server's name, its port and its certificate are tried before anything is sent to it."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from roster_pipelines.connections.check.hosts import Host, reach, resolve
from roster_pipelines.connections.check.step import Fault

NOW = datetime.now(UTC)
Serve = Callable[..., Host]


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start servers that speak TLS, with certificates of an authority that is trusted here."""
    authority = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "authority.pem").write_bytes(_signed("authority", authority, authority, 900, is_authority=True))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    open_: list[socket.socket] = []

    def start(*, name: str = "localhost", days: float = 90, trusted: bool = True) -> Host:
        key = ec.generate_private_key(ec.SECP256R1())
        signer = authority if trusted else ec.generate_private_key(ec.SECP256R1())
        pem = _signed(name, key, signer, days)
        path = tmp_path / f"{len(open_)}.pem"
        path.write_bytes(pem + _private(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        listener = socket.create_server(("127.0.0.1", 0))
        open_.append(listener)
        threading.Thread(target=_answer, args=(listener, context), daemon=True).start()
        return Host("localhost", listener.getsockname()[1])

    yield start
    for listener in open_:
        listener.close()


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    days: float,
    *,
    is_authority: bool = False,
) -> bytes:
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=900))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if is_authority:
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "crl_sign", "encipher_only", "decipher_only"), False,
        )  # fmt: skip
        certificate = certificate.add_extension(x509.KeyUsage(key_cert_sign=True, **usage), critical=True)
    return certificate.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _answer(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Shake hands with whoever comes, and say nothing more."""
    try:
        came, _ = listener.accept()
        with context.wrap_socket(came, server_side=True) as secured:
            secured.recv(1)
    except OSError:
        return


def test_a_certificate_that_is_good_is_told_with_the_day_on_which_it_ends(serve: Serve) -> None:
    found = reach(serve(days=90.5), NOW)
    assert f"valid until {NOW + timedelta(days=90.5):%Y-%m-%d}, 90 days from now" in found.detail
    assert "renewed" not in found.detail
    assert str(found.extra["tls"]).startswith("TLSv1.")


def test_a_certificate_that_ends_soon_is_told_so(serve: Serve) -> None:
    assert reach(serve(days=5.5), NOW).detail.endswith("5 days from now, which is soon: have it renewed")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"days": -1}, "certificate has expired"),
        ({"name": "another.example"}, "Hostname mismatch, certificate is not valid for 'localhost'"),
        ({"trusted": False}, "unable to get local issuer certificate"),
    ],
)
def test_a_certificate_that_proves_nothing_is_not_accepted(serve: Serve, wrong: dict[str, Any], why: str) -> None:
    host = serve(**wrong)
    with pytest.raises(Fault) as raised:
        reach(host, NOW)
    assert (raised.value.what, raised.value.cause) == (
        f"the certificate of {host} is not accepted: {why}",
        "certificate",
    )


def test_a_server_that_does_not_speak_tls_is_told(site_without_tls: Host) -> None:
    with pytest.raises(Fault, match="answers, but not with TLS") as raised:
        reach(site_without_tls, NOW)
    assert raised.value.cause == "unreachable"


@pytest.fixture
def site_without_tls() -> Iterator[Host]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            came, _ = listener.accept()
            with came:
                came.recv(10_000)
                came.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        yield Host("127.0.0.1", listener.getsockname()[1])


def test_a_server_that_says_nothing_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roster_pipelines.connections.check.hosts.CONNECT_SECONDS", 0.05)
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Fault, match=r"cannot be reached \(Timeout"):
        reach(Host("127.0.0.1", silent.getsockname()[1]), NOW)
    assert time.monotonic() - began < 2


def _lookup(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], list[Any]]) -> None:
    """Answer look-ups here: none leaves the machine."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer())


def test_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    _lookup(monkeypatch, lambda: [(*entry, ("192.0.2.1", 443)), (*entry, ("192.0.2.1", 443)), (*entry, ("::1", 443))])
    found = resolve(Host("sis.maple.invalid", 443))
    assert found.detail == "sis.maple.invalid is 192.0.2.1 and 1 more"
    assert found.extra["addresses"] == ["192.0.2.1", "::1"]


@pytest.mark.parametrize(
    ("number", "cause"), [(socket.EAI_NONAME, "name"), (socket.EAI_AGAIN, "ours"), (socket.EAI_NODATA, "name")]
)
def test_a_name_that_nobody_knows_is_told_from_name_servers_that_do_not_answer(
    monkeypatch: pytest.MonkeyPatch, number: int, cause: str
) -> None:
    def unknown() -> list[Any]:
        raise socket.gaierror(number, "no")

    _lookup(monkeypatch, unknown)
    with pytest.raises(Fault, match=r"sis\.maple\.invalid") as raised:
        resolve(Host("sis.maple.invalid", 443))
    assert raised.value.cause == cause


def test_a_name_that_cannot_be_one_is_not_known() -> None:
    with pytest.raises(Fault, match="is no name that is known"):
        resolve(Host("sis..example", 443))


def test_a_server_behind_a_proxy_is_known_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("https_proxy", "http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    host = Host.of("https://sis.example/campus")
    assert (host, host.proxied) == (Host("sis.example", 443), False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert host.proxied
    assert not Host.of("http://sis.example:8080").proxied
    monkeypatch.setenv("NO_PROXY", "sis.example")
    assert not host.proxied
