"""The OneRoster API of a district's connection, opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from roster_pipelines.connections import classlink, http, infinite_campus, powerschool
from roster_pipelines.connections.paging import Service
from roster_pipelines.district import District
from roster_pipelines.district_connection import (
    ClassLinkConnection,
    InfiniteCampusConnection,
    PowerSchoolConnection,
    SftpConnection,
)


@contextmanager
def opened(district: District, now: datetime, known: str = "") -> Iterator[Service]:
    """Open the API that a district's record names.

    Args:
        district: The district.
        now: The time.
        known: The address that has answered the last time; blank: none is known.

    Raises:
        TryAgain: It was not reached.
        CallSomebody: Credentials or address are wrong.
    """
    connection = district.connection
    if isinstance(connection, SftpConnection):
        raise TypeError("there is no API behind an sFTP connection")
    with http.opened(connection.parallel + 1) as client:
        match connection:
            case ClassLinkConnection():
                yield classlink.service(connection, client)
            case InfiniteCampusConnection():
                yield infinite_campus.service(connection, client, known, district.time_zone, now)
            case PowerSchoolConnection():
                yield powerschool.service(connection, client, known)
