"""A request as it came: nothing of it is decoded before it is looked at."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request


@dataclass(frozen=True)
class Ask:
    """A request.

    Attributes:
        method: GET, POST, ...
        url: Scheme, host, path and query, byte for byte as they were sent.
        path: The path alone, with its escapes.
        query: The parameters, decoded.
        headers: The headers, by lower-case name.
        form: The parameters of a form in the body.
        cookies: The cookies.
    """

    method: str
    url: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    async def of(cls, request: Request) -> "Ask":
        """Take a request in."""
        path = request.scope["raw_path"].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        body = (await request.body()).decode("utf-8", "replace")
        is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return cls(
            request.method,
            f"http://{request.headers.get('host', '')}{path}{'?' if query else ''}{query}",
            path,
            dict(parse_qsl(query, keep_blank_values=True)),
            dict(request.headers),
            dict(parse_qsl(body)) if is_form else {},
            request.cookies,
        )

    @property
    def bearer(self) -> str | None:
        """The token that was sent."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind.lower() == "bearer" else None

    @property
    def basic(self) -> tuple[str, str] | None:
        """The id and secret that were sent by HTTP Basic."""
        kind, _, encoded = self.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            name, _, secret = b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return None
        return name, secret

    @property
    def in_form(self) -> tuple[str, str] | None:
        """The id and secret that were sent in a form."""
        pair = self.form.get("client_id"), self.form.get("client_secret")
        return (pair[0], pair[1]) if pair[0] is not None and pair[1] is not None else None
