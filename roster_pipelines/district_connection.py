"""How a district's data reaches us: the part of its record that says where, with whose secrets, and when."""

from datetime import date
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from roster_pipelines import upload_account

SecretReference = Annotated[str, StringConstraints(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$")]
TokenAuth = Literal["basic", "body"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Strict(BaseModel):
    """Part of a record: unknown keys are mistakes, and no value is ever repeated."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def is_loopback(host: str) -> bool:
    """Say whether a host name or address is this machine's own."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # Such as a port that is no number.
        is_one = False
    if not is_one:
        raise ValueError("is no address such as https://sis.example")
    if parts.username or parts.password:
        raise ValueError("must not carry a user name or a password")
    if parts.scheme == "http" and not is_loopback(str(parts.hostname)):
        raise ValueError("must begin with https://: over http:// everybody on the way could read it")
    return url


Address = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_address)]


class Blackout(Strict):
    """Days on which nothing is pulled: both the first and the last one belong to it."""

    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("last is before first")
        return self


class PullTimes(Strict):
    """When a district is pulled from its API, in its own time zone.

    Attributes:
        at: The time of day, as `02:30`.
        weekdays: On which days.
        blackout: Days without a pull, such as those of a school year's rollover.
    """

    at: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "02:00"
    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WEEKDAYS
    blackout: tuple[Blackout, ...] = ()


class UploadAccount(Strict):
    """What `roster sftp-config` gives a district on the vendor's own sFTP server.

    Attributes:
        username: What the district logs in as; None: its key.
        authorized_keys: OpenSSH public keys that let it in.
        password_hash: Where a crypt hash of its password is, such as `$6$...`, never the password; at least one of the
            two is given.
        addresses: The public IPs that it comes from, or networks of them in CIDR.
    """

    username: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")] | None = None
    authorized_keys: tuple[Annotated[str, AfterValidator(upload_account.public_key)], ...] = ()
    password_hash: SecretReference | None = None
    addresses: tuple[Annotated[str, AfterValidator(upload_account.source)], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _some_way_in(self) -> Self:
        if not self.authorized_keys and self.password_hash is None:
            raise ValueError("give authorized_keys, password_hash or both")
        return self


class SftpConnection(Strict):
    """How a district's files are fetched by sFTP.

    Attributes:
        password: Where the password is (`env:NAME` or `file:/path`), never the password.
        private_key: Where the OpenSSH private key is; exactly one of the two is given.
        host_key: The server's public key as `ssh-ed25519 AAAA...`. Without it, or with another, nothing is fetched.
        directory: The folder of the district's files on the server.
        quiet_seconds: How long the folder must have stood still before its files are taken.
        wait_seconds: How long, from its last movement, what is missing is waited for before they are taken as they are.
        reports: The sub-folder of `directory` that each delivery's report is put into; None: none is put there.
        upload: The district's account on the vendor's own sFTP server; None: it has none there.
    """

    kind: Literal["sftp"]
    host: str
    port: int = Field(22, ge=1, le=65535)
    username: str
    password: SecretReference | None = None
    private_key: SecretReference | None = None
    host_key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/=]+( .*)?$")] | None = None
    directory: str = "/"
    quiet_seconds: int = Field(300, ge=0)
    wait_seconds: Annotated[int, Field(ge=0)] = 3600
    reports: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] | None = None
    upload: UploadAccount | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.password is None) == (self.private_key is None):
            raise ValueError("give either password or private_key")
        return self


class _Api(Strict):
    """What every OneRoster API has.

    Attributes:
        pull: When it is pulled.
        page_size: Records asked for at once; the server may give fewer.
        parallel: Requests at the same time, at most.
        changes_only: Whether the provider's `dateLastModified` is trusted, so that a pull asks for what has changed
            since the last one; once a week everything is pulled all the same.
    """

    pull: PullTimes = PullTimes()
    page_size: int = Field(2000, ge=1, le=10_000)
    parallel: int = Field(4, ge=1, le=8)
    changes_only: bool = False


class ClassLinkConnection(_Api):
    """ClassLink's Roster Server, through its proxy or directly.

    Attributes:
        base_url: The proxy's address, or the district's own `endpoint_url` in direct mode.
        partner_key: Proxy mode: where the key is that lists the districts under `/applications`.
        tenant_id: Proxy mode: which of them this district is.
        consumer_key: Direct mode: the OAuth 1.0a key.
        consumer_secret: Direct mode: where its secret is.
        signature: Direct mode: how requests are signed.
    """

    kind: Literal["classlink"]
    base_url: Address = "https://oneroster-proxy.apis.classlink.com"
    partner_key: SecretReference | None = None
    tenant_id: str | None = None
    consumer_key: str | None = None
    consumer_secret: SecretReference | None = None
    signature: Literal["HMAC-SHA256", "HMAC-SHA1"] = "HMAC-SHA256"

    @model_validator(mode="after")
    def _one_mode(self) -> Self:
        proxy, direct = (self.partner_key, self.tenant_id), (self.consumer_key, self.consumer_secret)
        if (all(proxy) and not any(direct)) or (all(direct) and not any(proxy)):
            return self
        raise ValueError("give either partner_key and tenant_id, or consumer_key and consumer_secret")

    @property
    def is_direct(self) -> bool:
        """Whether requests are signed and go to the district's own server."""
        return self.consumer_key is not None


class InfiniteCampusConnection(_Api):
    """A district's Infinite Campus: the four values that its administrator hands over.

    Attributes:
        token_url: With its `appName`, without which Campus answers nobody.
        base_url: In any shape in which it is handed over.
        token_auth: How id and secret are sent; None: by Basic, and in the form's body where that is refused.
        scope: Sent with the request for a token, where the district's Campus asks for one.
    """

    kind: Literal["infinite_campus"]
    client_id: Annotated[str, StringConstraints(min_length=1)]
    client_secret: SecretReference
    token_url: Address
    base_url: Address
    token_auth: TokenAuth | None = None
    scope: str | None = None
    page_size: int = Field(2000, ge=1, le=50_000)
    # As Infinite Campus publishes it: at most five, and only outside school hours.
    parallel: int = Field(4, ge=1, le=5)

    @model_validator(mode="after")
    def _names_the_app(self) -> Self:
        if not parse_qs(urlsplit(self.token_url).query).get("appName"):
            raise ValueError("token_url must end in ?appName=..., as Infinite Campus shows it; copy it whole")
        return self


class PowerSchoolConnection(_Api):
    """A district's PowerSchool SIS with the vendor's plugin.

    Attributes:
        base_url: The district's host, or the whole OneRoster address where it is another one.
        token_url: Where tokens are given; None: `/oauth/access_token` of the same host.
        token_auth: How id and secret are sent; `body` is for PowerSchool's hosted product.
    """

    kind: Literal["powerschool"]
    base_url: Address
    client_id: Annotated[str, StringConstraints(min_length=1)]
    client_secret: SecretReference
    token_url: Address | None = None
    token_auth: TokenAuth = "basic"  # noqa: S105
    page_size: int = Field(1000, ge=1, le=10_000)


ApiConnection = ClassLinkConnection | InfiniteCampusConnection | PowerSchoolConnection
KINDS = ("sftp", "classlink", "infinite_campus", "powerschool")
SECRETS = ("password", "private_key", "partner_key", "consumer_secret", "client_secret", "password_hash")
"""The keys that say where a secret is."""
Connection = Annotated[SftpConnection | ApiConnection, Field(discriminator="kind")]
