"""A district's Infinite Campus, by the four values that its administrator hands over."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import httpx

from roster_pipelines.connections import addresses, secret
from roster_pipelines.connections.credentials import ClientCredentials, TokenRequest
from roster_pipelines.connections.paging import Service
from roster_pipelines.district_connection import InfiniteCampusConnection

NAME = "Infinite Campus"
# What Campus asks of whoever reads it: one request at a time while school is on.
SCHOOL_HOURS = (time(6), time(18))
_REFUSED = (
    "ask the district's administrator to look at the connection in Digital Learning Applications Configuration: "
    "it may be disabled or past its expiry date; a renewed one has new values for the record"
)


def credentials(connection: InfiniteCampusConnection, client: httpx.Client) -> ClientCredentials:
    """Say how requests get their token; none is fetched yet."""
    asks = TokenRequest(
        connection.token_url,
        connection.client_id,
        secret.resolve(connection.client_secret),
        (connection.token_auth,) if connection.token_auth else ("basic", "body"),
        connection.scope or "",
        NAME,
        _REFUSED,
    )
    # An expired token is answered by either.
    return ClientCredentials(client, asks, expired=(401, 403))


def service(
    connection: InfiniteCampusConnection, client: httpx.Client, known: str, time_zone: str, now: datetime
) -> Service:
    """Get a token, and find which address answers.

    Raises:
        TryAgain: The server was not reached.
        CallSomebody: It refuses the credentials, or answers at none of the addresses that base_url can mean.
    """
    auth = credentials(connection, client)
    possible = addresses.possible(connection.base_url, of_ims=("/rostering/v1p2", "/v1p1"), of_host=())
    base = addresses.answering(possible, known, client, auth, NAME, _REFUSED)
    parallel = 1 if school_is_on(now, time_zone) else connection.parallel
    return Service(
        NAME,
        client,
        auth,
        base,
        "1.2" if base.endswith("v1p2") else "1.1",
        connection.page_size,
        parallel,
        has_resources=False,
        refused=_REFUSED,
    )


def school_is_on(now: datetime, time_zone: str) -> bool:
    """Say whether it is a weekday's school hours in a district's time zone."""
    local = now.astimezone(ZoneInfo(time_zone))
    return local.weekday() < 5 and SCHOOL_HOURS[0] <= local.time() < SCHOOL_HOURS[1]
