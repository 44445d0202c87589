"""A district's PowerSchool SIS, with the vendor's plugin installed (`roster powerschool-plugin`)."""

from urllib.parse import urlsplit

import httpx

from roster_pipelines.connections import addresses, secret
from roster_pipelines.connections.credentials import ClientCredentials, TokenRequest
from roster_pipelines.connections.paging import Service
from roster_pipelines.district_connection import PowerSchoolConnection

NAME = "PowerSchool"
TOKEN_PATH = "/oauth/access_token"  # noqa: S105
# The first is the usual one; no document of PowerSchool's says so, and the others are in use too.
PATHS = ("/api/ims/oneroster/v1p1", "/ims/oneroster/v1p1", "/ws/v1p1/ims/oneroster/v1p1")
_REFUSED = (
    "ask the district's administrator for the plugin's Client ID and Secret (System, Plugin Management, "
    "Data Configuration): the plugin may be disabled, or its secret was made anew"
)


def credentials(connection: PowerSchoolConnection, client: httpx.Client) -> ClientCredentials:
    """Say how requests get their token; none is fetched yet."""
    parts = urlsplit(connection.base_url)
    asks = TokenRequest(
        connection.token_url or f"{parts.scheme}://{parts.netloc}{TOKEN_PATH}",
        connection.client_id,
        secret.resolve(connection.client_secret),
        (connection.token_auth,),
        "",
        NAME,
        _REFUSED,
    )
    return ClientCredentials(client, asks, expired=(401,))


def service(connection: PowerSchoolConnection, client: httpx.Client, known: str) -> Service:
    """Get a token, and find which address answers.

    Raises:
        TryAgain: The server was not reached.
        CallSomebody: It refuses the credentials, or answers at none of the addresses that base_url can mean.
    """
    auth = credentials(connection, client)
    possible = addresses.possible(connection.base_url, of_ims=("/v1p1",), of_host=PATHS)
    base = addresses.answering(possible, known, client, auth, NAME, _REFUSED)
    return Service(
        NAME,
        client,
        auth,
        base,
        "1.1",
        connection.page_size,
        connection.parallel,
        has_resources=False,
        refused=_REFUSED,
    )
