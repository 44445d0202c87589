"""What the three providers have in common: doors, tokens, and how they say no."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import msgspec
from starlette.responses import Response

from roster_pipelines.oneroster.shape import Version
from roster_pipelines.simulators.oneroster_api.asking import Ask
from roster_pipelines.simulators.oneroster_api.habits import Habits, ProviderName
from roster_pipelines.simulators.oneroster_api.shapes import Style
from roster_pipelines.simulators.oneroster_api.vault import Vault


def as_json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")


class Provider(ABC):
    """One provider's manners.

    Args:
        version: The OneRoster version that is served.
        vault: Where its secrets are.

    Attributes:
        habits: Those of the day; the server puts others in their place.
        url: The server's address, once it is known.
    """

    name: ClassVar[ProviderName]
    style: ClassVar[Style]
    page_cap: ClassVar[int]
    parallel_limit: ClassVar[int | None] = None

    def __init__(self, version: Version, vault: Vault) -> None:
        self.habits = Habits()
        self.url = ""
        self._version = version
        self._vault = vault

    @abstractmethod
    def collection(self, path: str) -> str | None:
        """Say for which collection a path asks; None: it is no door to data."""

    @abstractmethod
    def refusal(self, ask: Ask) -> Response | None:
        """Say no to a request for data; None: it is allowed."""

    @abstractmethod
    def elsewhere(self, ask: Ask) -> Response:
        """Answer a request that is not for data."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Give the `connection:` of a district's record."""

    def counted(self, number: int) -> None:  # noqa: B027 - most providers do not care
        """Take note that this many data requests were made."""

    def page_headers(self, rows: int, revision: int) -> dict[str, str]:  # noqa: ARG002
        """Give the headers that only this provider's pages have."""
        return {}

    def links(self, ask: Ask) -> Literal["none", "healthy", "campus"]:  # noqa: ARG002
        """Say which Link header a page has."""
        return "none" if self.habits.link == "usual" else self.habits.link

    def error(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        """Say that something is wrong, in the standard's words."""
        if self._version == "1.2":
            minor = {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": text}
            body: dict[str, Any] = {
                "imsx_codeMajor": "failure",
                "imsx_severity": "error",
                "imsx_CodeMinor": {"imsx_codeMinorField": [minor]},
            }
        else:
            info = {"imsx_codeMajor": "failure", "imsx_severity": "error", "imsx_codeMinor": text}
            body = {"statusInfoSet": [{**info, "imsx_description": text}]}
        return as_json(body, status, headers)


@dataclass
class _Token:
    ends_at: float
    requests: int = 0


class Tokens:
    """The tokens that were given out, and whether they are still good."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._tokens: dict[str, _Token] = {}

    def give(self, seconds: float) -> str:
        """Make one for so long."""
        token = self._vault.issue()
        self._tokens[token] = _Token(time.monotonic() + seconds)
        return token

    def accept(self, token: str | None, requests: int | None) -> bool:
        """Say whether a request with a token is allowed, of which each is good for a number of requests."""
        found = self._tokens.get(token or "")
        if found is None or time.monotonic() >= found.ends_at:
            return False
        found.requests += 1
        return requests is None or found.requests <= requests
