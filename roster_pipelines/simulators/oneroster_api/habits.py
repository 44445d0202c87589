"""What a simulated API does: each habit of the three providers, real or to be feared, is one field."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from roster_pipelines.errors import CallSomebody

ProviderName = Literal["classlink", "infinite_campus", "powerschool"]
_T = TypeVar("_T")


def _habit(default: _T, meaning: str, *, of: str = "all", records: bool = False) -> _T:
    """Declare a habit: what it means, whose it is, and whether it changes the records themselves."""
    return field(default=default, metadata={"meaning": meaning, "of": of, "records": records})


@dataclass(frozen=True)
class Habits:
    """How the server behaves; as it stands, strict and healthy.

    "Data requests" are those for a collection, allowed or not; they are counted anew whenever the habits are replaced.
    """

    # Time
    latency_seconds: float = _habit(0.0, "every request is answered so much later")
    slow_every: int | None = _habit(None, "each n-th data request waits for slow_seconds besides")
    slow_seconds: float = _habit(90.0, "how long a slow data request waits")

    # Pages
    page_cap: int | None = _habit(None, "limit is cut to this, silently; None: 10,000, 50,000 or 1,000 by provider")
    total_count: bool = _habit(True, "pages carry X-Total-Count (and ClassLink's x-count)")
    total_off_by: int = _habit(0, "X-Total-Count is wrong by so much")
    total_text: str | None = _habit(None, "X-Total-Count says this, whatever it is")
    total_unfiltered: bool = _habit(False, "X-Total-Count counts all records, whatever a filter leaves of them")
    link: Literal["usual", "none", "healthy", "campus"] = _habit(
        "usual",
        "the Link header; campus: with ?&, parameters in another order, and a last page whose next is itself;"
        " usual: healthy from Infinite Campus and ClassLink's direct mode, none from the others",
    )
    repeat_last_page: bool = _habit(False, "an offset beyond the end gives the last page again, not an empty one")
    beyond_status: int | None = _habit(None, "an offset beyond the end gets this; 200: HTML")
    offset_ignored: bool = _habit(False, "every page is the first one, whatever offset says")
    offset_cap: int | None = _habit(None, "a larger offset is cut to this, silently")
    order_moves: bool = _habit(False, "records come in another order for each request")
    sort_ignored: bool = _habit(False, "records come in an order of the server's own", records=True)
    delta: Literal["honoured", "ignored", "refused"] = _habit("honoured", "a filter is applied, ignored, or a 400")
    gzip: bool = _habit(False, "pages are compressed for clients that accept it")

    # What a page holds
    body: Literal["normal", "message", "bare_array", "html", "login"] = _habit(
        "normal", "200 with a message in place of the array, a bare array, 200 with HTML, or 302 to a login page"
    )
    body_after: int = _habit(0, "so many data requests come before the odd body")
    single_as_object: bool = _habit(False, "a page of one record holds it as an object, not in an array")
    purged: bool = _habit(False, "all collections are empty, with 200")
    empty: tuple[str, ...] = _habit((), "these collections, as orgs,users, are empty, with 200")
    missing: tuple[str, ...] = _habit((), "these collections are 404")
    forbidden: tuple[str, ...] = _habit((), "these collections are 403")

    # Faults on the way
    busy_first: int = _habit(0, "the first n data requests are 429")
    retry_after: str | None = _habit(None, "a 429 carries this Retry-After: seconds, or date for a date in a second")
    error_every: int | None = _habit(None, "each n-th data request fails with error_status")
    error_status: int = _habit(500, "the status of such a failure")
    heavy_page: int | None = _habit(None, "a limit above this fails with heavy_status")
    heavy_status: int = _habit(502, "the status of a page that is too heavy")
    cut_after: int | None = _habit(None, "after n data requests every answer breaks off in the middle")
    parallel_limit: int | None = _habit(None, "more data requests at once are 429; None: 5 at Infinite Campus; 0: no")
    throttle_seconds: float = _habit(0.0, "a data request sooner than this after the one before is 429")
    school_hours: bool = _habit(False, "every data request is 429")
    leaky_errors: bool = _habit(False, "an error's body repeats the Authorization header that was sent")

    # Records, whoever serves them
    own_href: bool = _habit(False, "hrefs name this server: who follows one is seen; else a foreign host", records=True)
    tombstones: bool = _habit(False, "records that are gone since serve() stay, as tobedeleted", records=True)
    rollover: bool = _habit(False, "the next school year: all sessions, classes and enrollments are new", records=True)
    account_disabled: bool = _habit(
        False, "the first student's account is disabled: Infinite Campus leaves them out", records=True
    )

    doubled_id: int | None = _habit(None, "the n-th user, by sourcedId, is there twice", records=True)
    modified: Literal["usual", "day", "naive"] = _habit(
        "usual", "dateLastModified is a date alone, or has no time zone", records=True
    )

    # Tokens of Infinite Campus and PowerSchool
    token_seconds: int | None = _habit(None, "a token's life; None: 3,600, or 2,592,000 at PowerSchool", of="tokens")
    token_requests: int | None = _habit(None, "each token is dead after n data requests", of="tokens")

    # ClassLink
    direct: bool = _habit(False, "settings() name the district's own server; both modes are always served", of="cl")
    tenant: Literal["usable", "removed", "disabled", "inactive", "no_bearer"] = _habit(
        "usable", "what became of the district under /applications", of="cl"
    )
    applications_object: bool = _habit(False, "/applications holds the one district as an object", of="cl")
    more_tenants: int = _habit(0, "so many other districts come before ours under /applications", of="cl")
    rotate_bearer_after: int | None = _habit(
        None, "after n data requests the bearer is another: 401 until /applications is read again", of="cl"
    )
    perm_rev: bool = _habit(True, "pages carry x-perm-rev", of="cl")
    perm_rev_moves_after: int | None = _habit(
        None, "after n data requests x-perm-rev moves, and with a new first record so do all rows", of="cl"
    )
    odd_ids: bool = _habit(False, "sourcedIds with | and / and blanks", of="cl", records=True)
    unreadable_org: bool = _habit(
        False, "the last school is not under orgs, and its classes are", of="cl", records=True
    )
    teaching_student: bool = _habit(
        False, "the first teacher is also enrolled as student, and among /students", of="cl", records=True
    )

    # Infinite Campus
    token_auth: Literal["either", "basic", "body"] = _habit("either", "how id and secret must be sent", of="ic")
    needs_scope: bool = _habit(False, "a token is given only for a scope", of="ic")
    cookie_needed: bool = _habit(False, "data only with the cookie that came with the token", of="ic")
    connection: Literal["active", "disabled", "expired"] = _habit(
        "active", "invalid_client for a connection that is not active", of="ic"
    )
    base: Literal["current", "legacy"] = _habit("current", "which shape of base URL settings() give", of="ic")
    legacy_gone: bool = _habit(False, "base URLs in the legacy shape are 404", of="ic")
    expired_status: int = _habit(401, "what a dead token gets: 401 or 403", of="ic")
    role_prefixed_ids: bool = _habit(
        False, "users are s..., t..., a...; the first two teachers also are students of the same e-mail",
        of="ic", records=True,
    )  # fmt: skip
    campus_grades: bool = _habit(False, "K4 beside KG, and both at once", of="ic", records=True)
    dangling_enrollments: bool = _habit(
        False, "two more enrollments: of a user who is not there, and of one who is tobedeleted", of="ic", records=True
    )
    guardian_enrolled: bool = _habit(False, "a guardian who is enrolled as student", of="ic", records=True)
    guids: bool = _habit(
        False, "every id is a GUID, as in 1.2; users' old one is in metadata.ic.legacysourceId", of="ic", records=True
    )

    # PowerSchool
    variant: Literal["api", "bare", "ws"] = _habit(
        "api", "OneRoster is under /api/ims/oneroster/v1p1, without /api, or under /ws/v1p1/...", of="ps"
    )
    hosted: bool = _habit(False, "the hosted product: /as/token.oauth2, id and secret in the body", of="ps")
    secret_rotated: bool = _habit(False, "the secret is another by now, while tokens live on", of="ps")
    padded_ids: Literal["no", "everywhere", "trimmed_references"] = _habit(
        "no", "blanks around every third id, in references too or not", of="ps", records=True
    )
    no_email: bool = _habit(False, "every third user has no e-mail address", of="ps", records=True)
    roaming_teacher: bool = _habit(False, "the first teacher is in three orgs", of="ps", records=True)

    def of_records(self) -> tuple[object, ...]:
        """The habits that change records: as long as they are the same, so are the records."""
        return tuple(getattr(self, each.name) for each in fields(self) if each.metadata["records"])


_PROVIDERS = {
    "all": ("classlink", "infinite_campus", "powerschool"),
    "tokens": ("infinite_campus", "powerschool"),
    "cl": ("classlink",),
    "ic": ("infinite_campus",),
    "ps": ("powerschool",),
}


@dataclass(frozen=True)
class Described:
    """A habit, in words: its name, what it may be, what it is unless told otherwise, and what it means."""

    name: str
    values: str
    default: str
    meaning: str


def known(provider: ProviderName) -> list[Described]:
    """Describe the habits that a provider has."""
    types = get_type_hints(Habits)
    return [
        Described(each.name, _values(types[each.name]), _typed(each.default), each.metadata["meaning"])
        for each in fields(Habits)
        if provider in _PROVIDERS[each.metadata["of"]]
    ]


def parse(given: Mapping[str, str], provider: ProviderName) -> Habits:
    """Read habits as they are typed.

    Args:
        given: Values by name.
        provider: Whose habits they must be.

    Returns:
        The habits; those that were not given have their default.

    Raises:
        CallSomebody: The provider has no such habit, or it has no such value.
    """
    types = get_type_hints(Habits)
    names = {each.name for each in known(provider)}
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name not in names:
            raise CallSomebody(f"{provider} has no habit {name!r}", "see --list-habits")
        try:
            typed = text.split(",") if types[name] == _NAMES else text
            values[name] = TypeAdapter(types[name]).validate_python(typed)
        except ValidationError as error:
            raise CallSomebody(f"habit {name}: {error.errors()[0]['msg']}", "see --list-habits") from None
    return replace(Habits(), **values)


_NAMES = tuple[str, ...]


def _values(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(map(str, get_args(kind)))
    plain = {bool: "true, false", _NAMES: "names", str | None: "text"}
    return plain.get(kind, "number")


def _typed(default: object) -> str:
    return "none" if default == () else str(default).lower()
