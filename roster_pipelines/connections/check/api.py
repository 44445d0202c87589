"""The steps of checking a OneRoster API, from its name to the fields of its records."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from typing import Any

import httpx
import msgspec

from roster_pipelines.connections import classlink, http, infinite_campus, paging, powerschool, secret, services
from roster_pipelines.connections.check.hosts import Host, reach, resolve
from roster_pipelines.connections.check.presence import Presence, presence, told
from roster_pipelines.connections.check.remedies import way_of
from roster_pipelines.connections.check.span import span
from roster_pipelines.connections.check.step import Fault, Found, Planned, Step, taken
from roster_pipelines.connections.credentials import ClientCredentials
from roster_pipelines.connections.paging import Part, Service
from roster_pipelines.district import District
from roster_pipelines.district_connection import (
    SECRETS,
    ApiConnection,
    ClassLinkConnection,
    InfiniteCampusConnection,
    TokenAuth,
)
from roster_pipelines.errors import CallSomebody
from roster_pipelines.oneroster import rest

SAMPLE = 100
_TRIED = ("orgs", "users")
_WAYS: dict[TokenAuth, str] = {"basic": "Basic", "body": "the form's body"}


def steps(district: District, connection: ApiConnection, now: datetime, begun: Callable[[str], None]) -> Iterator[Step]:
    """Check the API of a district's connection.

    Args:
        district: Whose time zone and registration count.
        connection: Its connection.
        now: The time.
        begun: Told the name of each step that begins.
    """
    with ExitStack() as stack:
        checking = _Checking(district, connection, now, stack)
        yield from taken(checking.planned(), way_of(connection), begun)


class _Checking:
    def __init__(self, district: District, connection: ApiConnection, now: datetime, stack: ExitStack) -> None:
        self._district = district
        self._connection = connection
        self._now = now
        self._stack = stack

    def planned(self) -> Iterator[Planned]:
        secrets = Planned("secrets", self._secrets, "ours")
        servers: list[Planned] = []
        yield secrets
        for host in self._hosts():
            if host.proxied:
                yield Planned("server", partial(_proxied, host), "unreachable")
                continue
            name = Planned("name resolution", partial(resolve, host), "name")
            server = Planned("server", partial(reach, host, self._now), "unreachable", (name,))
            servers += [name, server]
            yield from (name, server)
        credentials = Planned("credentials", self._credentials, "credentials", (secrets, *servers))
        address = Planned("address", self._address, "address", (credentials,))
        yield from (credentials, address)
        offered = rest.collections(self._district.requires)
        if not isinstance(self._connection, ClassLinkConnection):
            offered.pop("resources")
        for collection, required in offered.items():
            look = partial(self._collection, collection, required=required)
            yield Planned(collection, look, "permission", (address,))

    def _secrets(self) -> Found:
        read = []
        for name in SECRETS:
            reference = getattr(self._connection, name, None)
            if reference is None:
                continue
            value = secret.resolve(reference)
            if not value.strip() or (name == "partner_key" and not secret.is_key(value)):
                why = "is empty, or holds what no key holds, such as a blank"
                raise Fault(f"the secret {reference} {why}", "ours", "put it there, and nothing else")
            read.append(f"{name} can be read{'' if value == value.strip() else ', and has a blank at one end'}")
        return Found("; ".join(read))

    def _hosts(self) -> list[Host]:
        urls = (getattr(self._connection, "token_url", None), self._connection.base_url)
        return list(dict.fromkeys(Host.of(url) for url in urls if url))

    def _credentials(self) -> Found:
        """Use them now, whatever token may be kept anywhere: it could outlive them by weeks."""
        connection = self._connection
        with http.opened(1) as client:
            if isinstance(connection, ClassLinkConnection):
                return _signed(connection, client) if connection.is_direct else _listed(connection, client)
            if isinstance(connection, InfiniteCampusConnection):
                return _token(infinite_campus.credentials(connection, client))
            return _token(powerschool.credentials(connection, client))

    def _address(self) -> Found:
        try:
            self._service = self._stack.enter_context(services.opened(self._district, self._now))
            _answers(self._service)
        except http.Denied as error:
            raise Fault(error.what, "credentials") from None
        base, version = self._service.base, self._service.version
        return Found(f"{base}, OneRoster {version}", extra={"base": base, "version": version})

    def _collection(self, collection: str, *, required: bool) -> Found:
        try:
            records, total = _ask(self._service, collection, SAMPLE)
        except (http.NotOffered, http.Forbidden):
            if required:
                raise
            return Found("not offered, and not needed", extra={"offered": False})
        fields = presence(records, collection, self._service.version, self._district.requires)
        if not self._service.has_resources:
            fields = tuple(field for field in fields if field.name != "resources")
        exact = total is not None and total >= len(records)
        extra = {
            "count": total if exact else len(records),
            "count_is": "exact" if exact or not records else "at least",
            "required": required,
            "sampled": len(records),
            "fields": {one.name: _of(one) for one in fields},
        }
        if not records:
            if required:
                raise Fault(f"there are no {collection} at all", "empty", extra=extra)
            return Found("none, and none are needed", extra=extra)
        lines = told(fields, len(records))
        lacking = [one.name for one in fields if one.needed and not one.present]
        if lacking:
            raise Fault(f"no record of {collection} has {', '.join(lacking)}", "fields", lines=lines, extra=extra)
        count = f"{total:,}" if exact else f"at least {len(records):,}"
        return Found(f"{count} record{'' if count == '1' else 's'}", lines, extra)


def _proxied(host: Host) -> Found:
    return Found(
        f"{host} is reached through the proxy that this machine's environment names", extra={"host": host.name}
    )


def _token(auth: ClientCredentials) -> Found:
    try:
        auth.token()
    except http.Denied:
        raise
    except CallSomebody as error:
        # Neither id nor secret is refused: it is the record that is wrong.
        raise Fault(error.what, "ours", error.do) from None
    way, seconds = auth.granted or ("basic", 0.0)
    return Found(
        f"a new token was given, by {_WAYS[way]}; it lives for {span(seconds)}",
        extra={"way": way, "token_seconds": seconds},
    )


def _listed(connection: ClassLinkConnection, client: httpx.Client) -> Found:
    try:
        classlink.service(connection, client)
    except (http.Denied, http.NotOffered, http.NotUnderstood) as error:
        raise Fault(error.what, "ours", "check partner_key and base_url, which are those of all districts") from None
    return Found("our partner key is good, and ClassLink lists the district as one that can be read")


def _signed(connection: ClassLinkConnection, client: httpx.Client) -> Found:
    # Where there is no such collection, the signature was not refused all the same.
    with suppress(http.NotOffered):
        _ask(classlink.service(connection, client), _TRIED[0], 1)
    return Found(f"a request signed by {connection.signature} is not refused", extra={"way": connection.signature})


def _answers(service: Service) -> None:
    """See that there is a collection at all, of the two that every district has."""
    first, other = _TRIED
    try:
        _ask(service, first, 1)
    except (http.NotOffered, http.Denied):
        _ask(service, other, 1)


def _ask(service: Service, collection: str, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """Ask for the first records, once; also for how many there are."""
    address = f"{service.base}/{collection}?{paging.query(Part(collection, 0, limit), None)}"
    request = service.client.build_request("GET", address)
    content, headers = http.read(service.client, request, service.auth, collection, refused=service.refused)
    rows = [msgspec.json.decode(row) for row in paging.records(content, collection, collection)]
    return rows, paging.total_of(headers)


def _of(one: Presence) -> dict[str, object]:
    return {"present": one.present, "required": one.required, "needed": one.needed}
