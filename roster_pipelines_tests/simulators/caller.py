"""A plain client of a simulated API: it reads the settings as a connector would, and hides nothing."""

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx
from oauthlib.oauth1 import Client

from roster_pipelines.simulators.oneroster_api import ApiServer


class Caller:
    """Calls one server.

    Args:
        server: It runs.

    Attributes:
        http: The client, with whatever cookies it was given.
    """

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        # Loopback has no TLS; to load the certificates would take longer than most tests.
        self.http = httpx.Client(timeout=10, verify=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def behave(self, **habits: Any) -> None:
        """Change some of the server's habits."""
        self.server.habits = replace(self.server.habits, **habits)

    def setting(self, name: str) -> str:
        """Give a setting; of a secret what it refers to."""
        value = str(self.server.settings()[name])
        return Path(value.removeprefix("file:")).read_text() if value.startswith("file:") else value

    def token(self, **form: str) -> httpx.Response:
        """Ask for a token by Basic."""
        url = self.server.settings().get("token_url", f"{self.server.url}/oauth/access_token")
        pair = (self.setting("client_id"), self.setting("client_secret"))
        return self.http.post(url, data={"grant_type": "client_credentials", **form}, auth=pair)

    def applications(self, **query: int) -> httpx.Response:
        """Ask ClassLink's proxy for its districts."""
        headers = {"Authorization": f"Bearer {self.setting('partner_key')}"}
        return self.http.get(f"{self.server.url}/applications?{urlencode(query)}", headers=headers)

    def log_in(self) -> None:
        """Find out where the data is, and get a token for it."""
        if self.server.settings()["kind"] == "classlink":
            listed = self.applications(limit=10_000).json()["applications"]
            ours = next(each for each in listed if str(each["tenant_id"]) == self.setting("tenant_id"))
            base = f"{self.server.url}/{ours['oneroster_application_id']}/ims/oneroster/v1p1"
            token = ours["bearer"]
        else:
            base = self.server.settings()["base_url"]
            base = base if "/ims/" in base else f"{base}/api/ims/oneroster/v1p1"
            token = self.token().json()["access_token"]
        self.base = base
        self.http.headers["Authorization"] = f"Bearer {token}"

    def get(self, collection: str, **query: object) -> httpx.Response:
        """Ask for a page, logged in."""
        if "Authorization" not in self.http.headers:
            self.log_in()
        return self.http.get(self.address(collection, **query))

    def address(self, collection: str, **query: object) -> str:
        return f"{self.base}/{collection}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")

    def records(self, collection: str, **query: object) -> list[dict[str, Any]]:
        """Ask for a whole collection at once."""
        answer = self.get(collection, **{"limit": 1000, **query})
        assert answer.status_code == 200, answer.text
        (records,) = answer.json().values()
        return list(records)

    def ids(self, collection: str, **query: object) -> list[str]:
        return [record["sourcedId"] for record in self.records(collection, **query)]

    def signed(self, url: str, **changes: str) -> dict[str, str]:
        """Sign a request for ClassLink's direct mode; changes go to the signer."""
        secret = changes.pop("client_secret", self.setting("consumer_secret"))
        settings = {"signature_method": "HMAC-SHA256", **changes}
        _, headers, _ = Client(self.setting("consumer_key"), client_secret=secret, **settings).sign(url)
        return dict(headers)
