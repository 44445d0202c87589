"""PowerSchool SIS with a plugin: a token by Basic, pages as large as the plugin's setting, no resources."""

from typing import Any

from starlette.responses import Response

from roster_pipelines.oneroster.shape import Version
from roster_pipelines.simulators.oneroster_api.asking import Ask
from roster_pipelines.simulators.oneroster_api.provider import Provider, Tokens, as_json
from roster_pipelines.simulators.oneroster_api.shapes import Style
from roster_pipelines.simulators.oneroster_api.vault import Vault

CLIENT_ID = "5f2a7d0e-3b1c-4c8e-9a6d-maple-valley"
VARIANTS = {
    "api": "/api/ims/oneroster/v1p1",
    "bare": "/ims/oneroster/v1p1",
    "ws": "/ws/v1p1/ims/oneroster/v1p1",
}
"""Where OneRoster may be."""

_TOKEN = "/oauth/access_token"  # noqa: S105 - a path
_HOSTED_TOKEN = "/as/token.oauth2"  # noqa: S105 - a path
_SECONDS = 2_592_000
_EXPIRED = 'Bearer error="invalid_token",realm="PowerSchool",error_description="The access token has expired"'


class PowerSchool(Provider):
    """PowerSchool."""

    name = "powerschool"
    style = Style(empty="in_turns")
    page_cap = 1_000

    def __init__(self, version: Version, vault: Vault) -> None:
        super().__init__(version, vault)
        vault.secret("client_secret")
        self._tokens = Tokens(vault)

    def collection(self, path: str) -> str | None:
        """Take the one base that the habits name."""
        base = VARIANTS[self.habits.variant] + "/"
        return path.removeprefix(base) if path.startswith(base) else None

    def refusal(self, ask: Ask) -> Response | None:
        """Want a living token; without one there is not even a body."""
        if self._tokens.accept(ask.bearer, self.habits.token_requests):
            return None
        return Response(b"", 401, {"WWW-Authenticate": _EXPIRED})

    def elsewhere(self, ask: Ask) -> Response:
        """Give tokens."""
        if ask.path.rstrip("/") != (_HOSTED_TOKEN if self.habits.hosted else _TOKEN):
            return self.error(404, "unknown object")
        if ask.method != "POST":
            return self.error(405, "method not allowed")
        sent = ask.in_form if self.habits.hosted else ask.basic
        if sent != (CLIENT_ID, self._vault.secret("client_secret")) or self.habits.secret_rotated:
            return as_json({"error": "invalid_client"}, 401)
        if ask.form.get("grant_type") != "client_credentials":
            return as_json({"error": "unsupported_grant_type"}, 400)
        seconds = _SECONDS if self.habits.token_seconds is None else self.habits.token_seconds
        token = self._tokens.give(seconds)
        return as_json({"access_token": token, "token_type": "Bearer", "expires_in": str(seconds)})

    def settings(self) -> dict[str, Any]:
        """Give what an administrator hands over; the base only where it is not the usual one."""
        base = "" if self.habits.variant == "api" else VARIANTS[self.habits.variant]
        settings = {
            "kind": "powerschool",
            "base_url": self.url + base,
            "client_id": CLIENT_ID,
            "client_secret": self._vault.reference("client_secret"),
        }
        if self.habits.hosted:
            settings |= {"token_url": self.url + _HOSTED_TOKEN, "token_auth": "body"}
        return settings
