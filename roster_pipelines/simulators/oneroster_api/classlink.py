"""ClassLink's Roster Server: through the proxy with its list of districts, and directly with signed requests."""

from collections.abc import Mapping
from typing import Any, Literal

from starlette.responses import Response

from roster_pipelines.oneroster.shape import Version
from roster_pipelines.simulators.oneroster_api.asking import Ask
from roster_pipelines.simulators.oneroster_api.oauth import Signatures
from roster_pipelines.simulators.oneroster_api.provider import Provider, as_json
from roster_pipelines.simulators.oneroster_api.shapes import Style
from roster_pipelines.simulators.oneroster_api.vault import Vault

TENANT = 4711
APPLICATION = "%2FgVa0ed75Gs%43"
"""Our district's place in the proxy's paths: with escapes, the last of which a client would not make itself."""
CONSUMER_KEY = "key-maple-valley"

_ROSTER = "/ims/oneroster/v1p1/"
_DEFAULT_LIMIT = 100


class ClassLink(Provider):
    """ClassLink."""

    name = "classlink"
    style = Style(empty="text", password=True, resources=True)
    page_cap = 10_000

    def __init__(self, version: Version, vault: Vault) -> None:
        super().__init__(version, vault)
        vault.secret("partner_key")
        self._signatures = Signatures(CONSUMER_KEY, vault.secret("consumer_secret", "/+&="))
        self._bearer = vault.issue()

    def counted(self, number: int) -> None:
        """Rotate the bearer when its day has come."""
        if self.habits.rotate_bearer_after is not None and number == self.habits.rotate_bearer_after + 1:
            self._bearer = self._vault.issue()

    def collection(self, path: str) -> str | None:
        """Take the district's own path, which must be signed, or one of the proxy's."""
        for prefix in ("", f"/{APPLICATION}", f"/proxy/v1p0/{APPLICATION}"):
            if path.startswith(prefix + _ROSTER):
                return path.removeprefix(prefix + _ROSTER)
        return None

    def refusal(self, ask: Ask) -> Response | None:
        """Want a signature, or the bearer of the day."""
        if ask.path.startswith(_ROSTER):
            return None if self._signatures.are_good(ask) else self.error(401, "Unauthorized")
        good = self.habits.tenant == "usable" and ask.bearer == self._bearer
        return None if good else self.error(401, "Unauthorized")

    def elsewhere(self, ask: Ask) -> Response:
        """List the districts, or hand over what direct mode needs."""
        if ask.method != "GET":
            return self.error(405, "Method not allowed")
        if ask.path not in ("/applications", f"/applications/{APPLICATION}/server"):
            return self.error(404, "Not found")
        if ask.bearer != self._vault.secret("partner_key"):
            return self.error(401, "Unauthorized")
        if ask.path == "/applications":
            return self._list(ask)
        server = {"client_id": CONSUMER_KEY, "client_secret": self._vault.secret("consumer_secret")}
        return as_json({"status": 1, "server": {**server, "endpoint_url": self.url}, "message": ""})

    def settings(self) -> dict[str, Any]:
        """Give the settings of the mode that the habits name."""
        base = {"kind": "classlink", "base_url": self.url}
        if self.habits.direct:
            reference = self._vault.reference("consumer_secret")
            return {**base, "consumer_key": CONSUMER_KEY, "consumer_secret": reference}
        return {**base, "partner_key": self._vault.reference("partner_key"), "tenant_id": str(TENANT)}

    def page_headers(self, rows: int, revision: int) -> dict[str, str]:
        """Give the count of the page's rows and the revision of the data."""
        counts = {"x-count": str(rows)} if self.habits.total_count else {}
        return counts | ({"x-perm-rev": f"rev-{revision}"} if self.habits.perm_rev else {})

    def links(self, ask: Ask) -> Literal["none", "healthy", "campus"]:
        """Link pages in direct mode only."""
        if self.habits.link == "usual" and ask.path.startswith(_ROSTER):
            return "healthy"
        return super().links(ask)

    def error(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        """Say what is wrong in a message."""
        return as_json({"message": text}, status, headers)

    def _list(self, ask: Ask) -> Response:
        """List the districts: a page without any count, and ours not at its beginning."""
        ours = self._application(TENANT, self.habits.tenant)
        if self.habits.applications_object:
            return as_json({"status": 1, "applications": ours, "message": ""})
        others = [
            self._application(100, "no_bearer"),
            self._application(101, "inactive"),
            self._application(102, "disabled"),
            *(self._application(1000 + number, "usable") for number in range(self.habits.more_tenants)),
        ]
        listed = others if self.habits.tenant == "removed" else [*others, ours]
        try:
            limit, offset = int(ask.query.get("limit", _DEFAULT_LIMIT)), int(ask.query.get("offset", 0))
        except ValueError:
            return self.error(400, "limit and offset must be numbers")
        page = listed[offset : offset + min(limit, self.page_cap)]
        return as_json({"status": 1, "applications": page, "message": ""})

    def _application(self, tenant: int, state: str) -> dict[str, Any]:
        bearer = self._bearer if tenant == TENANT else f"bearer-of-{tenant}"
        return {
            "id": tenant + 1,
            "application_id": 9,
            "tenant_id": tenant,
            "bearer": None if state == "no_bearer" else bearer,
            "tenant_name": f"District {tenant}",
            "name": "Roster",
            "version": "",
            "enabled": "false" if state == "disabled" else "true",
            "tenant_status": "Inactive" if state == "inactive" else "Active",
            "oneroster_application_id": APPLICATION if tenant == TENANT else f"%2Fother{tenant}%43",
        }
