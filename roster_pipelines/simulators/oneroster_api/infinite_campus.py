"""Infinite Campus: a token for those who name the district's app, and base URLs of two ages."""

import secrets
from typing import Any, Literal

from starlette.responses import PlainTextResponse, Response

from roster_pipelines.oneroster.shape import Version
from roster_pipelines.simulators.oneroster_api.asking import Ask
from roster_pipelines.simulators.oneroster_api.provider import Provider, Tokens, as_json
from roster_pipelines.simulators.oneroster_api.shapes import Style
from roster_pipelines.simulators.oneroster_api.vault import Vault

CLIENT_ID = "InfiniteCampus_6e2b1c9a4d7f4b0c8a35"
APP = "maple-valley"
NO_APP = "No Campus Application selected"
BASES = {
    ("1.1", "legacy"): f"/campus/oneroster/{APP}/ims/oneroster/v1p1",
    ("1.1", "current"): f"/campus/api/oneroster/v1p1/{APP}/ims/oneroster/v1p1",
    ("1.2", "legacy"): "/campus/api/ims/oneroster/rostering/v1p2",
    ("1.2", "current"): f"/campus/api/oneroster/v1p2/{APP}/ims/oneroster/rostering/v1p2",
}
"""Where OneRoster is, by its version and the age of the base URL."""

_TOKEN = "/campus/oauth2/token"  # noqa: S105 - a path
_SECONDS = 3600
_COOKIE = "JSESSIONID"


class InfiniteCampus(Provider):
    """Infinite Campus."""

    name = "infinite_campus"
    style = Style(empty="missing", booleans=True)
    page_cap = 50_000
    parallel_limit = 5

    def __init__(self, version: Version, vault: Vault) -> None:
        super().__init__(version, vault)
        vault.secret("client_secret")
        self._tokens = Tokens(vault)
        self._sessions: set[str] = set()

    def collection(self, path: str) -> str | None:
        """Take a base URL of either age, as long as it is served."""
        for age in ("current", "legacy"):
            base = BASES[self._version, age] + "/"
            if path.startswith(base) and not (age == "legacy" and self.habits.legacy_gone):
                return path.removeprefix(base)
        return None

    def refusal(self, ask: Ask) -> Response | None:
        """Want a living token, and the cookie that came with it."""
        if self.habits.connection != "active":
            return self.error(401, "unauthorized")
        if self.habits.cookie_needed and ask.cookies.get(_COOKIE) not in self._sessions:
            return self.error(401, "unauthorized")
        if self._tokens.accept(ask.bearer, self.habits.token_requests):
            return None
        return self.error(self.habits.expired_status if ask.bearer else 401, "unauthorized")

    def elsewhere(self, ask: Ask) -> Response:
        """Give tokens to those who name the app."""
        if ask.path != _TOKEN:
            return self.error(404, "unknown object")
        if ask.query.get("appName") != APP:
            return PlainTextResponse(NO_APP, 400)
        if ask.method != "POST":
            return self.error(405, "method not allowed")
        return self._token(ask)

    def settings(self) -> dict[str, Any]:
        """Give the four values that an administrator hands over."""
        return {
            "kind": "infinite_campus",
            "client_id": CLIENT_ID,
            "client_secret": self._vault.reference("client_secret"),
            "token_url": f"{self.url}{_TOKEN}?appName={APP}",
            "base_url": self.url + BASES[self._version, self.habits.base],
        }

    def links(self, ask: Ask) -> Literal["none", "healthy", "campus"]:
        """Link pages."""
        return "healthy" if self.habits.link == "usual" else super().links(ask)

    def _token(self, ask: Ask) -> Response:
        ways = {"basic": (ask.basic,), "body": (ask.in_form,), "either": (ask.basic, ask.in_form)}
        pair = (CLIENT_ID, self._vault.secret("client_secret"))
        if pair not in ways[self.habits.token_auth] or self.habits.connection != "active":
            return as_json({"error": "invalid_client"}, 401)
        # Some clients send an empty body, and all of this in the query.
        if {**ask.query, **ask.form}.get("grant_type") != "client_credentials":
            return as_json({"error": "unsupported_grant_type"}, 400)
        if self.habits.needs_scope and not {**ask.query, **ask.form}.get("scope"):
            return as_json({"error": "invalid_scope"}, 400)
        seconds = _SECONDS if self.habits.token_seconds is None else self.habits.token_seconds
        token = {"access_token": self._tokens.give(seconds), "token_type": "Bearer", "expires_in": seconds}
        answer = as_json(token)
        session = secrets.token_hex(8)
        self._sessions.add(session)
        answer.set_cookie(_COOKIE, session, path="/campus", httponly=True)
        return answer
