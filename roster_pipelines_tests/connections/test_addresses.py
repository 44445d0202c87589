"""A server is found by whatever address was pasted."""

import pytest

from roster_pipelines.connections.addresses import possible
from roster_pipelines.connections.powerschool import PATHS

CAMPUS = ("/rostering/v1p2", "/v1p1")
HOST = "https://sis.example"


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("/campus/oneroster/app/ims/oneroster/v1p1", ["/campus/oneroster/app/ims/oneroster/v1p1"]),
        ("/campus/oneroster/app/ims/oneroster/v1p1/", ["/campus/oneroster/app/ims/oneroster/v1p1"]),
        ("/campus/oneroster/app/ims/oneroster/v1p1/users", ["/campus/oneroster/app/ims/oneroster/v1p1"]),
        ("/campus/oneroster/app/ims/oneroster/v1p1/schools?limit=5", ["/campus/oneroster/app/ims/oneroster/v1p1"]),
        ("/campus/api/ims/oneroster/rostering/v1p2/", ["/campus/api/ims/oneroster/rostering/v1p2"]),
        ("/api/v1p2/app/ims/oneroster/rostering", ["/api/v1p2/app/ims/oneroster/rostering/v1p2"]),
        (
            "/api/v1p2/app/ims/oneroster",
            ["/api/v1p2/app/ims/oneroster/rostering/v1p2", "/api/v1p2/app/ims/oneroster/v1p1"],
        ),
        ("/api/app/", ["/api/app/ims/oneroster/rostering/v1p2", "/api/app/ims/oneroster/v1p1"]),
        ("", ["/ims/oneroster/rostering/v1p2", "/ims/oneroster/v1p1"]),
    ],
)
def test_what_an_address_of_infinite_campus_can_mean(pasted: str, meant: list[str]) -> None:
    assert possible(HOST + pasted, of_ims=CAMPUS, of_host=()) == [HOST + path for path in meant]


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("", list(PATHS)),
        ("/", list(PATHS)),
        ("/users/", list(PATHS)),
        ("/api/ims/oneroster", ["/api/ims/oneroster/v1p1"]),
        ("/api/ims/oneroster/v1p1/", ["/api/ims/oneroster/v1p1"]),
        ("/ws/v1p1/ims/oneroster/v1p1/orgs", ["/ws/v1p1/ims/oneroster/v1p1"]),
        ("/api", ["/api/ims/oneroster/v1p1"]),
    ],
)
def test_what_an_address_of_powerschool_can_mean(pasted: str, meant: list[str]) -> None:
    assert possible(HOST + pasted, of_ims=("/v1p1",), of_host=PATHS) == [HOST + path for path in meant]
