"""Requests are signed as OAuth 1.0a has it, and carry tokens that are fetched no more often than they must be."""

import base64
import threading
from types import SimpleNamespace
from urllib.parse import parse_qs

import httpx
import pytest
from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849 import signature

from roster_pipelines.connections import credentials
from roster_pipelines.connections.credentials import ClientCredentials, OAuth1, TokenRequest
from roster_pipelines.connections.http import Denied, Passing, read
from roster_pipelines.district_connection import TokenAuth
from roster_pipelines.errors import CallSomebody

USERS = "https://sim-v2.rosterserver.test/ims/oneroster/v1p1/users"
FILTERED = f"{USERS}?limit=100&offset=0&filter=dateLastModified%3E%272026-01-02T03%3A04%3A05.000Z%27"
TIME, NONCE = "1767323045", "abcDEF1234"


@pytest.mark.parametrize(
    ("method", "mac"),
    [
        ("HMAC-SHA256", "npNuiXARXV4hQEKb6CV81SUvW3g9XHWAP1Q1j8gNKe4%3D"),
        ("HMAC-SHA1", "U4BR5ylk62JxL8C2Id7mTdtbi1I%3D"),
    ],
)
def test_a_request_is_signed_with_its_whole_query(method: str, mac: str) -> None:
    assert OAuth1("key-0001", "s3cr3t/+&x", method).header(FILTERED, TIME, NONCE) == (
        f'OAuth oauth_consumer_key="key-0001",oauth_signature_method="{method}",oauth_timestamp="{TIME}",'
        f'oauth_nonce="{NONCE}",oauth_signature="{mac}"'
    )


def test_what_is_signed_is_the_address_as_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base string, letter by letter; no version, no token, no realm."""
    signed = list[str]()
    monkeypatch.setitem(credentials._SIGN, "HMAC-SHA256", lambda base, _: signed.append(base) or "")
    request = httpx.Request("GET", FILTERED)
    header = OAuth1("key-0001", "s3cr3t/+&x", "HMAC-SHA256").header(str(request.url), TIME, NONCE)
    assert signed == [
        "GET&https%3A%2F%2Fsim-v2.rosterserver.test%2Fims%2Foneroster%2Fv1p1%2Fusers&"
        "filter%3DdateLastModified%253E%25272026-01-02T03%253A04%253A05.000Z%2527%26limit%3D100%26"
        "oauth_consumer_key%3Dkey-0001%26oauth_nonce%3DabcDEF1234%26oauth_signature_method%3DHMAC-SHA256%26"
        "oauth_timestamp%3D1767323045%26offset%3D0"
    ]
    assert not [word for word in ("oauth_version", "oauth_token", "realm") if word in header]


@pytest.mark.parametrize("query", ["?filter=a%3D'b'%26c%2Fd", "?filter=a%20b&a=&b", ""])
def test_odd_queries_are_signed_as_the_library_that_checks_them_reads_them(query: str) -> None:
    header = OAuth1("key", "secret", "HMAC-SHA256").header(USERS + query, TIME, NONCE)
    collected = signature.collect_parameters(query[1:], headers={"Authorization": header}, exclude_oauth_signature=True)
    base = signature.signature_base_string("GET", USERS, signature.normalize_parameters(collected))
    given = dict(signature.collect_parameters(headers={"Authorization": header}, exclude_oauth_signature=False))
    assert given["oauth_signature"] == signature.sign_hmac_sha256_with_client(
        base, Client("key", client_secret="secret")
    )


def test_each_request_is_signed_afresh() -> None:
    auth = OAuth1("key", "secret", "HMAC-SHA256")
    headers = {next(auth.auth_flow(httpx.Request("GET", USERS))).headers["Authorization"] for _ in range(20)}
    assert len(headers) == 20


class Server:
    """Gives numbered tokens, and data for those that are good."""

    def __init__(
        self, expires: object = 3600, *, refuses: str = "", status: int = 401, takes_none: bool = False
    ) -> None:
        self.expires = expires
        self.refuses = refuses
        self.status = status
        self.takes_none = takes_none
        self.asked: list[httpx.Request] = []
        self.good = ""
        self.client = httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/token":
            carried = request.headers["Authorization"].removeprefix("Bearer ")
            good = carried == self.good and not self.takes_none
            return httpx.Response(200 if good else self.status, json={})
        self.asked.append(request)
        if self.refuses == way_of(request):
            return httpx.Response(self.status, json={"error": "invalid_client"})
        self.good = f"token-{len(self.asked)}"
        life = {} if self.expires is None else {"expires_in": self.expires}
        return httpx.Response(200, json={"access_token": self.good, **life})

    def auth(self, *ways: TokenAuth, scope: str = "") -> ClientCredentials:
        url = "https://sis.test/token?appName=maple valley"
        asks = TokenRequest(url, "the-id", "s3cr3t:/+&x", ways or ("basic",), scope, "Who", "renew it")
        return ClientCredentials(self.client, asks, (401, 403))

    def data(self, auth: ClientCredentials) -> bytes:
        request = self.client.build_request("GET", "https://sis.test/users")
        return read(self.client, request, auth, "Who, users", refused="renew it")[0]


def way_of(request: httpx.Request) -> str:
    return "basic" if "Authorization" in request.headers else "body"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that is set by hand."""
    now = [1000.0]
    monkeypatch.setattr(credentials, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_id_and_secret_go_by_basic_or_in_the_body_and_the_query_of_the_address_stays() -> None:
    server = Server()
    server.auth("basic").token()
    server.auth("body", scope="roster roster-core").token()
    by_basic, by_body = server.asked
    pair = base64.b64encode(b"the-id:s3cr3t:/+&x").decode()
    assert by_basic.headers["Authorization"] == f"Basic {pair}"
    assert parse_qs(by_basic.content.decode()) == {"grant_type": ["client_credentials"]}
    assert parse_qs(by_body.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["the-id"],
        "client_secret": ["s3cr3t:/+&x"],
        "scope": ["roster roster-core"],
    }
    assert "Authorization" not in by_body.headers
    for request in server.asked:
        assert request.method == "POST"
        assert request.url.params["appName"] == "maple valley"
        assert request.headers["Content-Type"].startswith("application/x-www-form-urlencoded")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_where_basic_is_refused_the_body_is_tried_and_stays(status: int, clock: list[float]) -> None:
    server = Server(refuses="basic", status=status)
    auth = server.auth("basic", "body")
    auth.token()
    clock[0] += 4000
    auth.token()
    assert [way_of(request) for request in server.asked] == ["basic", "body", "body"]
    assert auth.granted == ("body", 3600)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_are_no_passing_fault(status: int) -> None:
    server = Server(refuses="basic", status=status)
    with pytest.raises(Denied, match=f"Who, token: the server answers {status}: renew it"):
        server.auth("basic").token()
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("expires", "lives"),
    [
        (3600, 3570), ("2592000", 2591970), (None, 270), ("soon", 270), ([], 270), (5, 2.5), ("5.0", 2.5), (0, 0),
        (-9, 0),
    ],
)  # fmt: skip
def test_a_token_is_used_until_shortly_before_its_end(expires: object, lives: float, clock: list[float]) -> None:
    server = Server(expires)
    auth = server.auth()
    assert auth.token() == "token-1"
    if lives:
        clock[0] += lives - 0.1
        assert auth.token() == "token-1"
        clock[0] += 0.2
    assert auth.token() == "token-2"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_replaced_once(status: int) -> None:
    server = Server(status=status)
    auth = server.auth()
    server.data(auth)
    server.good = "another's"
    server.data(auth)
    assert len(server.asked) == 2


def test_a_fresh_token_that_is_refused_is_the_end_of_it() -> None:
    server = Server(takes_none=True)
    with pytest.raises(Denied, match="Who, users: the server answers 401: renew it"):
        server.data(server.auth())
    assert len(server.asked) == 2


def test_of_many_requests_that_are_refused_at_once_one_fetches_a_token_for_all() -> None:
    server = Server()
    auth = server.auth()
    auth.token()
    server.good = "another's"
    together = threading.Barrier(8)

    def work() -> None:
        flow = auth.sync_auth_flow(httpx.Request("GET", "https://sis.test/users"))
        next(flow)
        together.wait(5)
        again = flow.send(httpx.Response(401))
        assert again.headers["Authorization"] == "Bearer token-2"

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        (400, "No Campus Application selected", CallSomebody, "(application selected): copy token_url whole, with its"),
        (200, "No Campus Application selected", CallSomebody, "(application selected): copy token_url whole, with its"),
        (400, '{"error": "invalid_scope"}', CallSomebody, "none is given (invalid_scope): set scope to what"),
        (404, "", CallSomebody, "the server answers 404: check token_url"),
        (200, "{}", Passing, "the answer holds no token: it is tried again; if this goes on, renew it"),
        (200, "[]", Passing, "the answer holds no token"),
        (200, "<html>", Passing, "the answer holds no token"),
        (200, '{"access_token": null}', Passing, "the answer holds no token"),
        (200, '{"access_token": ""}', Passing, "the answer holds no token"),
        (503, "", Passing, "the server answers 503"),
        (302, "", Passing, "a redirect, which is never followed"),
    ],
)
def test_where_no_token_is_given_it_is_said_what_to_do(status: int, body: str, kind: type, told: str) -> None:
    server = Server()
    answer = httpx.Response(status, text=body, headers={"Location": "/login"} if status == 302 else {})
    with httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as client:
        server.client = client
        with pytest.raises(kind) as failed:
            server.auth().token()
    assert str(failed.value).startswith("Who, token: ")
    assert told in str(failed.value)
    assert not isinstance(failed.value, Denied)
