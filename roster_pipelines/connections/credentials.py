"""How requests are signed or carry a token: OAuth 1.0a, and OAuth 2.0 client credentials."""

import secrets
import threading
import time
from collections.abc import Collection, Generator
from dataclasses import dataclass, field

import httpx
import msgspec
from oauthlib.oauth1 import Client as Consumer
from oauthlib.oauth1.rfc5849 import signature, utils

from roster_pipelines.connections.http import Denied, Forbidden, NotOffered, NotUnderstood, Passing, read
from roster_pipelines.district_connection import TokenAuth
from roster_pipelines.errors import CallSomebody

_SIGN = {"HMAC-SHA256": signature.sign_hmac_sha256_with_client, "HMAC-SHA1": signature.sign_hmac_sha1_with_client}
# What a token's life is taken for where the server does not say, and how long before its end another one is fetched.
UNSAID_SECONDS = 300
MARGIN_SECONDS = 30
# What servers say where neither id nor secret is wrong, and what to do then.
_ELSE = {
    b"application selected": "copy token_url whole, with its appName",
    b"invalid_scope": "set scope to what the district's server wants",
}


class OAuth1(httpx.Auth):
    """Sign each request afresh, its query included (RFC 5849; ClassLink's form: no token, no version, no realm).

    Args:
        key: The consumer key.
        secret: Its secret.
        method: `HMAC-SHA256` or `HMAC-SHA1`.
    """

    def __init__(self, key: str, secret: str, method: str) -> None:
        self._consumer = Consumer(key, client_secret=secret)
        self._method = method

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header."""
        request.headers["Authorization"] = self.header(str(request.url), str(int(time.time())), secrets.token_hex(5))
        yield request

    def header(self, url: str, timestamp: str, nonce: str) -> str:
        """Write the header for a GET.

        Args:
            url: The whole address.
            timestamp: Seconds since 1970.
            nonce: Never the same twice.
        """
        address, _, query = url.partition("?")
        given = [
            ("oauth_consumer_key", self._consumer.client_key),
            ("oauth_signature_method", self._method),
            ("oauth_timestamp", timestamp),
            ("oauth_nonce", nonce),
        ]
        normalised = signature.normalize_parameters(
            signature.collect_parameters(query, body=[]) + given  # type: ignore[arg-type]  # declared as a dict
        )
        base = signature.signature_base_string("GET", signature.base_string_uri(address), normalised)
        signed = [*given, ("oauth_signature", _SIGN[self._method](base, self._consumer))]
        return "OAuth " + ",".join(f'{name}="{utils.escape(value)}"' for name, value in signed)


@dataclass(frozen=True)
class TokenRequest:
    """How a token is asked for.

    Attributes:
        url: With its query, which must stay as it is.
        client_id: The id.
        client_secret: The secret.
        ways: `basic` or `body`, in the order in which they are tried.
        scope: Blank: none is sent.
        provider: For messages.
        refused: What to do when id or secret is refused.
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    ways: tuple[TokenAuth, ...]
    scope: str
    provider: str
    refused: str


class ClientCredentials(httpx.Auth):
    """Carry a token, fetched when it is first needed, again shortly before its end, and once more when it is refused.

    Args:
        client: What asks for tokens; it keeps the cookies that come with them.
        asks: How a token is asked for.
        expired: The statuses by which the server says that a token has expired.

    Attributes:
        granted: How the latest token was asked for, and how many seconds it lives; None before the first.
    """

    def __init__(self, client: httpx.Client, asks: TokenRequest, expired: Collection[int]) -> None:
        self._client = client
        self._asks = asks
        self._expired = expired
        self._ways = asks.ways
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0
        self.granted: tuple[TokenAuth, float] | None = None

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token, and the cookies that came with it."""
        used = self._carry(request)
        response = yield request
        if response.status_code in self._expired:
            with self._lock:
                # Of several requests that were refused at once, the first fetches for all.
                if self._token == used:
                    self._until = 0.0
            if self._carry(request) != used:
                yield request

    def _carry(self, request: httpx.Request) -> str:
        token = self.token()
        request.headers["Authorization"] = f"Bearer {token}"
        request.headers.pop("Cookie", None)
        self._client.cookies.set_cookie_header(request)
        return token

    def token(self) -> str:
        """Give a token that is in force. It is asked for once: `http.persistently` is for whoever asks for more.

        Raises:
            Passing: The server is not reached, or gives no token.
            CallSomebody: It refuses id and secret, or the address is wrong.
        """
        with self._lock:
            if time.monotonic() >= self._until:
                self._token, seconds = self._fetch()
                self._until = time.monotonic() + max(seconds - MARGIN_SECONDS, seconds / 2)
            return self._token

    def _fetch(self) -> tuple[str, float]:
        *others, last = self._ways
        for way in others:
            try:
                found = self._ask(way)
            except Denied:
                continue
            self._ways = (way,)
            return found
        found = self._ask(last)
        self._ways = (last,)
        return found

    def _ask(self, way: TokenAuth) -> tuple[str, float]:
        asks = self._asks
        form = {"grant_type": "client_credentials"} | ({"scope": asks.scope} if asks.scope else {})
        auth = None
        if way == "basic":
            auth = httpx.BasicAuth(asks.client_id, asks.client_secret)
        else:
            form |= {"client_id": asks.client_id, "client_secret": asks.client_secret}
        # Given parameters of its own, httpx would drop the query that the address has.
        request = self._client.build_request("POST", asks.url, data=form)
        what = f"{asks.provider}, token"
        try:
            content, _ = read(self._client, request, auth, what, refused=asks.refused)
        except NotOffered as error:
            raise CallSomebody(error.what, "check token_url") from None
        except Forbidden as error:
            raise Denied(error.what, asks.refused) from None
        except NotUnderstood as error:
            _raise_for_else(error.said, what)
            # Where a secret is wrong, OAuth 2.0 lets a server answer 400 as well as 401 (RFC 6749, 5.2).
            raise Denied(error.what, asks.refused) from None
        token, seconds = _token(content, what, asks.refused)
        self.granted = way, seconds
        return token, seconds


def _raise_for_else(said: bytes, what: str) -> None:
    """Say where something else is wrong than id and secret."""
    for words, do in _ELSE.items():
        if words in said.lower():
            raise CallSomebody(f"{what}: none is given ({words.decode()})", do) from None


def _token(content: bytes, what: str, refused: str) -> tuple[str, float]:
    """Take token and life out of an answer; some servers write the seconds as text."""
    try:
        answer = msgspec.json.decode(content)
        token = answer["access_token"]
    except (msgspec.DecodeError, KeyError, TypeError):
        token = None
    if not token:
        _raise_for_else(content, what)
        raise Passing(f"{what}: the answer holds no token", f"it is tried again; if this goes on, {refused}") from None
    try:
        seconds = float(answer.get("expires_in", UNSAID_SECONDS))
    except (TypeError, ValueError):
        seconds = UNSAID_SECONDS
    return str(token), seconds
