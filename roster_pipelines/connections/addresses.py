"""The OneRoster address of a server, from whatever somebody has pasted."""

from collections.abc import Sequence
from functools import partial
from urllib.parse import urlsplit

import httpx

from roster_pipelines.connections import http
from roster_pipelines.connections.paging import records
from roster_pipelines.errors import RosterError
from roster_pipelines.oneroster.standard import TABLES

_COLLECTIONS = (*TABLES, "schools", "students", "teachers", "terms")


def possible(pasted: str, *, of_ims: Sequence[str], of_host: Sequence[str]) -> list[str]:
    """Write the addresses that a pasted one can mean, the likeliest first.

    Args:
        pasted: With or without a version, a slash or a collection at its end.
        of_ims: What may follow an address that ends in `/ims/oneroster`.
        of_host: What may follow one that is no more than a host.

    Returns:
        Addresses up to and including the version.
    """
    address = pasted.split("?")[0].rstrip("/")
    last = address.rpartition("/")[2]
    if last in _COLLECTIONS:
        address = address.removesuffix(f"/{last}")
    if address.endswith(("/v1p1", "/v1p2")):
        return [address]
    if address.endswith("/ims/oneroster/rostering"):
        return [f"{address}/v1p2"]
    if address.endswith("/ims/oneroster"):
        return [address + end for end in of_ims]
    if of_host and urlsplit(address).path in ("", "/"):
        return [address + end for end in of_host]
    return [f"{address}/ims/oneroster{end}" for end in of_ims]


def answering(
    addresses: Sequence[str], known: str, client: httpx.Client, auth: httpx.Auth, name: str, refused: str
) -> str:
    """Find which of several addresses answers; a single one is not asked.

    Args:
        addresses: The likeliest first.
        known: The one that has answered the last time, which is given up only where there is nothing any more: at
            another address every id may be another. Blank: none is known.
        client: Asks.
        auth: Signs.
        name: The provider's.
        refused: What to do where access is refused.

    Raises:
        RosterError: None does; what the likeliest one said.
    """
    if len(addresses) == 1:
        return addresses[0]
    what = f"{name}, orgs"

    def attempt(address: str) -> RosterError | None:
        request = client.build_request("GET", f"{address}/orgs?limit=1")
        try:
            content, _ = http.read(client, request, auth, what, refused=refused)
            records(content, "orgs", what)
        except (http.NotOffered, http.NotUnderstood, http.ForPeople) as error:
            # Some servers send whoever asks for what they do not have to a page for people.
            if address == known and isinstance(error, http.ForPeople):
                raise
            return error
        return None

    said = list[RosterError]()
    for address in sorted(addresses, key=lambda address: address != known):
        error = http.persistently(partial(attempt, address))
        if error is None:
            return address
        said.append(error)
    raise said[0]
