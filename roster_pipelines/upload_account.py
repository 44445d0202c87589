"""What lets a district into the vendor's own sFTP server: its public keys and the addresses that it comes from."""

import base64
import binascii
import re
import struct
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

# An address that a district writes from the inside of its network never reaches the server.
_INSIDE = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
            *("fc00::/7", "fe80::/10"),
        ),
    )
)
# Nobody comes from here: unspecified, multicast, limited broadcast, reserved. IPv6's are all that is not 2000::/3.
_NOBODYS = tuple(map(ip_network, ("0.0.0.0/8", "224.0.0.0/3", "::/3", "4000::/2", "8000::/1")))
_MAPPED = IPv6Network("::ffff:0:0/96")
# Tests, and installations on one machine, come from here.
_LOOPBACK = ip_network("::1")
_WIDEST = {4: 16, 6: 32}
_KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
_RSA_BITS = 2048


def source(text: str) -> str:
    """See that a text is an address, or a network in CIDR, that a district's public IPs can be.

    Args:
        text: Such as `203.0.113.7` or `203.0.113.0/28`.

    Returns:
        The same in its shortest form; a single address without its prefix.

    Raises:
        ValueError: It is none. No message repeats the text.
    """
    try:
        # What may follow the % of an IPv6 address is any text at all.
        network = ip_network(text.strip() if "%" not in text else "")
    except ValueError:
        raise ValueError(
            "is no public IP such as 203.0.113.7 and no network such as 203.0.113.0/28, which begins at its first"
        ) from None
    if network.prefixlen < _WIDEST[network.version]:
        raise ValueError(f"lets half the world in: no network wider than /{_WIDEST[4]} (IPv6: /{_WIDEST[6]})")
    if _touches(network, _INSIDE):
        raise ValueError("is an address inside of a network: ask the district for the public one that it is seen by")
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        raise ValueError("is an IPv4 address that is written as IPv6: write it as IPv4")
    if network != _LOOPBACK and _touches(network, _NOBODYS):
        raise ValueError("is an address that nobody comes from: ask the district for the public one that it is seen by")
    is_single = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_single else str(network)


def _touches(network: IPv4Network | IPv6Network, others: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(network.version == other.version and network.overlaps(other) for other in others)


def split(address: str) -> tuple[str, str | None]:
    """Take what `source` gives apart into an address and, for a network, its mask: dotted for IPv4, bits for IPv6."""
    if "/" not in address:
        return address, None
    network = ip_network(address)
    mask = str(network.netmask) if isinstance(network, IPv4Network) else str(network.prefixlen)
    return str(network.network_address), mask


def public_key(text: str) -> str:
    """See that a text is one OpenSSH public key that is strong enough.

    Args:
        text: A line as a `.pub` file has it, with or without a comment behind it.

    Returns:
        Type and key, without the comment, which may be a person's name.

    Raises:
        ValueError: It is none. No message repeats the text.
    """
    kind, _, rest = text.strip().partition(" ")
    encoded = rest.strip().split(" ")[0]
    if kind not in _KEY_TYPES or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", encoded) or len(text.splitlines()) != 1:
        raise ValueError(f"is no line of a .pub file, {', '.join(_KEY_TYPES)}")
    try:
        parts = _parts(base64.b64decode(encoded, validate=True))
    except (binascii.Error, struct.error):
        parts = []
    if len(parts) < 2 or parts[0] != kind.encode():
        raise ValueError("is a public key that was cut or damaged: copy the whole line of the .pub file")
    if kind == "ssh-rsa" and int.from_bytes(parts[-1], "big").bit_length() < _RSA_BITS:
        raise ValueError(f"is an RSA key of fewer than {_RSA_BITS} bits: ask for an ssh-ed25519 key")
    return f"{kind} {encoded}"


def _parts(blob: bytes) -> list[bytes]:
    """Take a key apart; each part has its length before it (RFC 4251, 5)."""
    found = []
    while blob:
        (length,) = struct.unpack_from(">I", blob)
        if len(blob) < 4 + length:
            raise struct.error
        found.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return found
