"""ClassLink's Roster Server: through its proxy, which lists the districts, or a district's own server directly."""

import threading
from collections.abc import Generator
from typing import Any

import httpx
import msgspec

from roster_pipelines.connections import addresses, http, secret
from roster_pipelines.connections.credentials import OAuth1
from roster_pipelines.connections.paging import Service, records
from roster_pipelines.district_connection import ClassLinkConnection
from roster_pipelines.errors import CallSomebody

NAME = "ClassLink"
PATH = "/ims/oneroster/v1p1"
_LISTED = 1000
_REVOKED = (
    "the district has turned the application off, or its key was changed: "
    "ask its administrator, and check the secrets that the record names"
)


def service(connection: ClassLinkConnection, client: httpx.Client) -> Service:
    """Find a district's server, and how requests to it are signed.

    Raises:
        TryAgain: The proxy was not reached.
        CallSomebody: The proxy does not list the district, or not as one that can be used.
    """
    auth: httpx.Auth
    if connection.consumer_key and connection.consumer_secret:
        base, *_ = addresses.possible(connection.base_url, of_ims=("/v1p1",), of_host=())
        auth = OAuth1(connection.consumer_key, secret.resolve(connection.consumer_secret), connection.signature)
    else:
        auth = _Listed(connection, client)
        base = auth.base
    return Service(
        NAME, client, auth, base, "1.1", connection.page_size, connection.parallel, has_resources=True, refused=_REVOKED
    )


def _in_header(reference: str) -> str:
    """Read a secret that is sent as it is."""
    value = secret.resolve(reference)
    if not secret.is_key(value):
        raise CallSomebody(
            f"the secret {reference} is empty, or holds blanks, line ends or letters with accents",
            "put the key there, and nothing else",
        )
    return value


class _Bearer(httpx.Auth):
    """A token that never changes by itself."""

    def __init__(self, token: str) -> None:
        self.token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self.token}"
        yield request


class _Listed(httpx.Auth):
    """The district's token from the proxy's list, which is read again when the token is refused.

    Attributes:
        base: Where the proxy has the district.
    """

    def __init__(self, connection: ClassLinkConnection, client: httpx.Client) -> None:
        self._proxy = connection.base_url.rstrip("/").removesuffix("/applications")
        self._tenant = str(connection.tenant_id)
        self._partner = _Bearer(_in_header(str(connection.partner_key)))
        self._client = client
        self._lock = threading.Lock()
        self._token, path = http.persistently(self._find)
        # The list has it escaped for a path already.
        self.base = f"{self._proxy}/{path}{PATH}"

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token; where it is refused, try the one that the list has now."""
        used = self._token
        request.headers["Authorization"] = f"Bearer {used}"
        response = yield request
        if response.status_code != 401:
            return
        with self._lock:
            if self._token == used:
                self._token, _ = self._find()
        if self._token != used:
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _find(self) -> tuple[str, str]:
        """Find the district in the proxy's list: its token, and its part of the path."""
        mine = [one for one in self._applications() if str(one.get("tenant_id")) == self._tenant]
        if not mine:
            raise CallSomebody(
                f"{NAME} does not list the tenant_id of the record",
                "the district has turned the application off, or tenant_id is another one: ask its administrator",
            )
        for one in mine:
            # "enabled" is a text.
            on = str(one.get("enabled")).lower() == "true" and one.get("tenant_status") == "Active"
            if on and one.get("bearer") and one.get("oneroster_application_id"):
                return str(one["bearer"]), str(one["oneroster_application_id"])
        raise CallSomebody(
            f"{NAME} lists the district, but not as one that can be read",
            "ask the district's administrator to turn the application on and to let it read rosters",
        )

    def _applications(self) -> list[dict[str, Any]]:
        """Read the list to its end: nothing tells how long it is."""
        what, found = f"{NAME}, applications", list[dict[str, Any]]()
        while True:
            address = f"{self._proxy}/applications?limit={_LISTED}&offset={len(found)}"
            request = self._client.build_request("GET", address)
            content, _ = http.read(self._client, request, self._partner, what, refused=_REVOKED)
            # Older servers give a single object.
            listed = [msgspec.json.decode(one) for one in records(content, "applications", what)]
            new = [one for one in listed if one not in found]
            if not new:
                return found
            found += new
