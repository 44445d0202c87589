"""A district's record names its API only in ways that can work: encrypted, and within the published limits."""

from typing import Any

import pytest

from roster_pipelines.district import District, checked
from roster_pipelines.errors import CallSomebody

CLASSLINK = {"kind": "classlink", "partner_key": "env:KEY", "tenant_id": "4711"}
DIRECT = {"kind": "classlink", "base_url": "https://a.example", "consumer_key": "k", "consumer_secret": "env:SECRET"}
CAMPUS = {
    "kind": "infinite_campus",
    "client_id": "InfiniteCampus_1",
    "client_secret": "file:/run/secrets/campus",
    "token_url": "https://campus.example/campus/oauth2/token?appName=app",
    "base_url": "https://campus.example/campus/oneroster/app/ims/oneroster/v1p1",
}
POWERSCHOOL = {
    "kind": "powerschool",
    "base_url": "https://sis.example",
    "client_id": "1",
    "client_secret": "env:SECRET",
}
ALL = {"classlink": CLASSLINK, "direct": DIRECT, "campus": CAMPUS, "powerschool": POWERSCHOOL}


def record(connection: dict[str, Any], **changes: Any) -> District:
    told = {"district": "maple-valley", "name": "Maple Valley", "connection": connection | changes}
    return checked(told, "maple-valley.yaml")


@pytest.mark.parametrize("kind", ALL)
def test_what_is_not_said_is_within_the_published_limits(kind: str) -> None:
    connection: Any = record(ALL[kind]).connection
    assert (connection.parallel, connection.changes_only, connection.pull.at) == (4, False, "02:00")
    assert connection.page_size == {"classlink": 2000, "direct": 2000, "campus": 2000, "powerschool": 1000}[kind]
    assert connection.base_url.startswith("https://")


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    "url",
    [
        "http://sis.example",
        "HTTP://sis.example",
        "http://127.0.0.1.example",
        "http://localhost.example",
        "http://10.0.0.1",
    ],
)
def test_nothing_goes_over_an_open_line(kind: str, url: str) -> None:
    with pytest.raises(CallSomebody, match="base_url: must begin with https://"):
        record(ALL[kind], base_url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:8080/api", "http://[::1]:80"])
def test_this_machine_itself_needs_no_encryption(url: str) -> None:
    assert record(POWERSCHOOL, base_url=url, token_url=f"{url}/token").connection.base_url == url  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sis.example", "is no address such as https://sis.example"),
        ("ftp://sis.example", "is no address"),
        ("https://", "is no address"),
        ("https://sis.example:99999", "is no address"),
        ("https://sis.example:x", "is no address"),
        ("https://[sis.example", "is no address"),
        ("https://name:word@sis.example", "must not carry a user name or a password"),
    ],
)
@pytest.mark.parametrize("key", ["base_url", "token_url"])
def test_what_is_no_address_is_said_without_repeating_it(key: str, url: str, told: str) -> None:
    with pytest.raises(CallSomebody) as failed:
        record(POWERSCHOOL, **{key: url})
    assert f"{key}: {told}" in str(failed.value)
    assert "word" not in str(failed.value).replace("password", "")


def test_an_address_may_be_pasted_with_blanks_around_it() -> None:
    assert record(POWERSCHOOL, base_url=" https://sis.example\n").connection.base_url == "https://sis.example"  # type: ignore[union-attr]


@pytest.mark.parametrize("query", ["", "?", "?appname=app", "?appName=", "?other=app"])
def test_infinite_campus_needs_the_apps_name(query: str) -> None:
    with pytest.raises(CallSomebody, match=r"token_url must end in \?appName="):
        record(CAMPUS, token_url=f"https://campus.example/campus/oauth2/token{query}")


@pytest.mark.parametrize(
    "changes",
    [
        {"partner_key": None}, {"tenant_id": None}, {"consumer_key": "k"}, {"consumer_secret": "env:S"},
        {"consumer_key": "k", "consumer_secret": "env:S"}, {"partner_key": None, "tenant_id": None},
    ],
)  # fmt: skip
def test_classlink_is_asked_in_one_way(changes: dict[str, Any]) -> None:
    with pytest.raises(
        CallSomebody, match="give either partner_key and tenant_id, or consumer_key and consumer_secret"
    ):
        record(CLASSLINK, **changes)


def test_which_way_classlink_is_asked() -> None:
    assert record(DIRECT).connection.is_direct  # type: ignore[union-attr]
    assert not record(CLASSLINK).connection.is_direct  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kind", "key", "most"),
    [
        ("campus", "parallel", 5), ("campus", "page_size", 50_000), ("classlink", "page_size", 10_000),
        ("powerschool", "page_size", 10_000), ("classlink", "parallel", 8),
    ],
)  # fmt: skip
def test_a_record_cannot_ask_for_more_than_the_provider_allows(kind: str, key: str, most: int) -> None:
    assert getattr(record(ALL[kind], **{key: most}).connection, key) == most
    for wrong in (most + 1, 0):
        with pytest.raises(CallSomebody, match=key):
            record(ALL[kind], **{key: wrong})


@pytest.mark.parametrize(
    ("kind", "key"), [("classlink", "partner_key"), ("direct", "consumer_secret"), ("campus", "client_secret")]
)
def test_a_record_holds_no_secret_and_a_mistaken_one_is_not_repeated(kind: str, key: str) -> None:
    with pytest.raises(CallSomebody) as failed:
        record(ALL[kind], **{key: "s3cr3t-planted"})
    assert "s3cr3t" not in str(failed.value)
    assert key in str(failed.value)


@pytest.mark.parametrize("kind", ["campus", "powerschool"])
def test_resources_come_from_no_other_api_than_classlinks(kind: str) -> None:
    told = {"district": "maple-valley", "name": "Maple Valley", "registration": "auto_by_resource"}
    with pytest.raises(CallSomebody, match="auto_by_resource needs OneRoster resources"):
        checked({**told, "connection": ALL[kind]}, "maple-valley.yaml")
    assert checked({**told, "connection": CLASSLINK}, "maple-valley.yaml").requires == "auto_by_resource"
