"""A server is found by whatever address was pasted."""

import httpx
import pytest

from roster_pipelines.connections import http
from roster_pipelines.connections.addresses import answering, possible
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


def found(answers: dict[str, httpx.Response], known: str = "") -> tuple[str, list[str]]:
    """Which of PowerSchool's addresses is taken, and which were asked; a path that is not named is 404."""
    asked = list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removesuffix("/orgs")
        asked.append(path)
        return answers.get(path, httpx.Response(404))

    with httpx.Client(transport=httpx.MockTransport(answer)) as client, http.once():
        base = answering([HOST + path for path in PATHS], known and HOST + known, client, httpx.Auth(), "Who", "renew")
    return base.removeprefix(HOST), asked


def good() -> httpx.Response:
    return httpx.Response(200, json={"orgs": []})


FOR_PEOPLE = {
    "a redirect": httpx.Response(302, headers={"Location": "/login"}),
    "a page": httpx.Response(200, text="<html>"),
}


def test_the_address_that_answered_the_last_time_is_asked_first() -> None:
    answers = {PATHS[0]: good(), PATHS[2]: good()}
    assert found(answers) == (PATHS[0], [PATHS[0]])
    assert found(answers, PATHS[2]) == (PATHS[2], [PATHS[2]])


@pytest.mark.parametrize("said", FOR_PEOPLE)
def test_the_known_address_is_kept_while_it_leads_people_elsewhere(said: str) -> None:
    """At another address, which may answer meanwhile, every id may be another."""
    with pytest.raises(http.ForPeople):
        found({PATHS[0]: good(), PATHS[2]: FOR_PEOPLE[said]}, PATHS[2])
    # Where nothing is known, that is how some servers say that there is nothing.
    assert found({PATHS[0]: FOR_PEOPLE[said], PATHS[2]: good()})[0] == PATHS[2]


@pytest.mark.parametrize("status", [429, 500, 401, 403])
def test_the_known_address_is_kept_while_it_answers_at_all(status: int) -> None:
    with pytest.raises((http.Passing, http.Denied)):
        found({PATHS[0]: good(), PATHS[2]: httpx.Response(status)}, PATHS[2])


def test_the_known_address_is_given_up_where_there_is_nothing_any_more() -> None:
    assert found({PATHS[0]: good()}, PATHS[2]) == (PATHS[0], [PATHS[2], PATHS[0]])
    with pytest.raises(http.NotOffered):
        found({}, PATHS[2])
