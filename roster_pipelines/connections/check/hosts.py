"""Whether a server is there at all: its name, its port, and a certificate that proves who it is."""

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from roster_pipelines.connections.check.step import Fault, Found

CONNECT_SECONDS = 10
SOON_DAYS = 21
_ASK = "see whether this machine may connect to it, and ask whoever runs it"


@dataclass(frozen=True)
class Host:
    """A server.

    Attributes:
        name: Its name, or its address.
        port: Its port.
        secure: Whether it speaks TLS.
    """

    name: str
    port: int
    secure: bool = True

    @classmethod
    def of(cls, url: str) -> Self:
        """Take it out of an address."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        return cls(str(parts.hostname), parts.port or (443 if secure else 80), secure)

    @property
    def proxied(self) -> bool:
        """Whether this machine's environment sends requests to it through a proxy."""
        there = {"all", "https" if self.secure else "http"} & getproxies().keys()
        return bool(there) and not proxy_bypass(self.name)

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"


def resolve(host: Host) -> Found:
    """Look up a server's name.

    Raises:
        Fault: Nobody knows it, or nobody can be asked.
    """
    try:
        found = socket.getaddrinfo(host.name, host.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        extra = {"host": host.name}
        if getattr(error, "errno", None) == socket.EAI_AGAIN:
            asked = "see whether this machine is connected to its network and can resolve other names"
            raise Fault(f"no name server answers for {host.name}", "ours", asked, extra=extra) from None
        raise Fault(f"{host.name} is no name that is known", "name", "correct it in the record", extra=extra) from None
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    if addresses == [host.name]:
        return Found(f"{host.name} is an address already", extra={"host": host.name, "addresses": addresses})
    more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
    return Found(f"{host.name} is {addresses[0]}{more}", extra={"host": host.name, "addresses": addresses})


def reach(host: Host, now: datetime) -> Found:
    """Connect to a server, and have it prove who it is as pulls do.

    Raises:
        Fault: It does not answer, does not speak TLS, or its certificate is not accepted.
    """
    try:
        with socket.create_connection((host.name, host.port), CONNECT_SECONDS) as plain:
            if not host.secure:
                return Found(f"{host} answers, on this machine and so without TLS", extra={"host": host.name})
            with httpx.create_ssl_context().wrap_socket(plain, server_hostname=host.name) as secured:
                return _proved(host, secured, now)
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message.rstrip(".")
        raise Fault(f"the certificate of {host} is not accepted: {why}", "certificate", _ASK) from None
    except ssl.SSLError as error:
        raise Fault(f"{host} answers, but not with TLS as it should ({error.reason})", "unreachable", _ASK) from None
    except OSError as error:
        raise Fault(f"{host} cannot be reached ({type(error).__name__})", "unreachable", _ASK) from None


def _proved(host: Host, secured: ssl.SSLSocket, now: datetime) -> Found:
    certificate = secured.getpeercert() or {}
    expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    days = (expires - now).days
    soon = ", which is soon: have it renewed" if days < SOON_DAYS else ""
    return Found(
        f"{host} answers with {secured.version()}; its certificate is valid until {expires:%Y-%m-%d}, "
        f"{days:,} days from now{soon}",
        extra={"host": host.name, "tls": secured.version(), "certificate_expires": expires.isoformat()},
    )
