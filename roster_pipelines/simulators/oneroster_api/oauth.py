"""OAuth 1.0a without a user's token, as ClassLink's direct mode wants it: each request signed afresh."""

from typing import Any

from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint

from roster_pipelines.simulators.oneroster_api.asking import Ask

CLOCK_SECONDS = 300
"""How far the client's clock may be from ours."""


class Signatures:
    """Checks signatures, and remembers every nonce.

    Args:
        key: The one consumer key.
        secret: Its secret.
    """

    def __init__(self, key: str, secret: str) -> None:
        self._endpoint = SignatureOnlyEndpoint(_Validator(key, secret))

    def are_good(self, ask: Ask) -> bool:
        """Say whether a request is signed rightly, with its whole query, just now, and for the first time."""
        try:
            good, _ = self._endpoint.validate_request(ask.url, ask.method, "", dict(ask.headers))
        except ValueError:  # a query or a header that no client may send
            return False
        return bool(good)


class _Validator(RequestValidator):
    allowed_signature_methods = ("HMAC-SHA256", "HMAC-SHA1")
    timestamp_lifetime = CLOCK_SECONDS
    nonce_length = (8, 64)
    client_key_length = (1, 64)
    enforce_ssl = False
    dummy_client = "dummy"

    def __init__(self, key: str, secret: str) -> None:
        super().__init__()
        self._key = key
        self._secret = secret
        self._seen: set[tuple[str, str]] = set()

    def check_client_key(self, client_key: str) -> bool:
        return bool(client_key)

    def validate_client_key(self, client_key: str, request: Any) -> bool:  # noqa: ARG002
        return client_key == self._key

    def get_client_secret(self, client_key: str, request: Any) -> str:  # noqa: ARG002
        return self._secret

    def validate_timestamp_and_nonce(
        self,
        client_key: str,  # noqa: ARG002
        timestamp: str,
        nonce: str,
        request: Any,  # noqa: ARG002
        request_token: str | None = None,  # noqa: ARG002
        access_token: str | None = None,  # noqa: ARG002
    ) -> bool:
        if (timestamp, nonce) in self._seen:
            return False
        self._seen.add((timestamp, nonce))
        return True
