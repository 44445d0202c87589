"""A district's record: everything that differs between districts, as data that people write in YAML."""

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from roster_pipelines.district_connection import KINDS, SECRETS, Connection, Strict
from roster_pipelines.errors import CallSomebody
from roster_pipelines.oneroster.shape import Registration

Stage = Literal["onboarding", "testing", "live", "paused"]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
MatchKey = Annotated[
    str, StringConstraints(pattern=r"^(sourced_id|user_id:[A-Za-z0-9_.-]+|identifier|email|username)$")
]


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("is no time zone, such as America/Denver") from None
    return name


class SignIn(Strict):
    """How the district's SSO sign-ins are matched to its roster.

    Attributes:
        provider: The SSO provider's name, as the product records it.
        match: Which claims are compared, in this order: `sourced_id`, `user_id:TYPE` (the claim user_id with the
            roster's userIds of that type), `identifier`, `email`, `username`. The first that names anybody counts.
        email_domains: The district's own domains; an e-mail claim of another domain is never matched.
    """

    provider: Annotated[str, StringConstraints(min_length=1)]
    match: tuple[MatchKey, ...] = Field(("sourced_id",), min_length=1)
    email_domains: tuple[str, ...] = ()


class Terms(Strict):
    """When a class is there, by the days around its academic sessions.

    Attributes:
        opens_days_before: How many days before its first session begins; an enrollment counts as early, too.
        archived_days_after: How many days after its last session has ended.
    """

    opens_days_before: Annotated[int, Field(ge=0, le=366)] = 14
    archived_days_after: Annotated[int, Field(ge=0, le=366)] = 14


class Filters(Strict):
    """Which classes are taken at all; an empty list takes all.

    A class is taken when each list has a pattern that fits it and none with `!` before it that does. `*` stands for
    any text; upper and lower case are the same. Where a class has no grades or subjects, its course's count.

    Attributes:
        schools: sourcedIds, NCES ids or names of schools.
        grades: Grades as in the roster, such as `KG` and `05`.
        subjects: Subjects.
        courses: Titles or codes of courses; where a class has no course, its own title.
    """

    schools: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    courses: tuple[str, ...] = ()


class District(Strict):
    """One district.

    Attributes:
        district: Its key everywhere; never changes.
        stage: `onboarding` checks and reports only, `testing` serves the pilot teachers, `live` everybody,
            `paused` leaves everything as it is.
        registration: How teachers get access: by Teacher Access Code, or by auto-registration for what their school
            or the resources of their classes are licensed for (the guide, About Auto-Registration).
        school_choice: Whether teachers pick their school on the provisioning page where the orgs carry no NCES ids.
        teaching_roles: Which of the roster's roles get the classes that they are enrolled in as staff.
        pilot_teachers: sourcedIds of the teachers served in `testing`.
    """

    district: Slug
    name: str
    stage: Stage = "onboarding"
    registration: Registration = "access_code"
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "America/Chicago"
    connection: Connection
    sign_in: SignIn | None = None
    school_choice: bool = False
    teaching_roles: tuple[Literal["teacher", "aide", "administrator"], ...] = ("teacher",)
    terms: Terms = Terms()
    filters: Filters = Filters()
    pilot_teachers: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _resources_can_come(cls, record: object) -> object:
        """The guide: other APIs than ClassLink's do not support the resources service."""
        if isinstance(record, dict) and record.get("registration") == "auto_by_resource":
            connection = record.get("connection")
            kind = connection.get("kind") if isinstance(connection, dict) else None
            if kind in ("infinite_campus", "powerschool"):
                raise ValueError(
                    f"registration auto_by_resource needs OneRoster resources, which connection {kind} does not give: "
                    "they come by sftp or classlink; auto_by_school works with every connection"
                )
        return record

    @model_validator(mode="after")
    def _ready_for_its_stage(self) -> Self:
        if self.stage != "onboarding" and self.sign_in is None:
            raise ValueError(f"stage {self.stage} needs sign_in: rostering works only with an SSO integration")
        return self

    @property
    def requires(self) -> Registration:
        """By which registration's rules a delivery is complete: with `school_choice`, orgs need not be supplied."""
        return "access_code" if self.registration == "auto_by_school" and self.school_choice else self.registration


def parse(text: str, source: str) -> District:
    """Read a district's record from YAML.

    Args:
        text: The YAML.
        source: The file's name, for the message.

    Raises:
        CallSomebody: It is no YAML, has an unknown key or a value that cannot be. The message names the key and
            repeats no value.
    """
    try:
        record = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise CallSomebody(f"{source}{where} is no YAML", "correct it; docs/district.md shows a record") from None
    if not isinstance(record, dict):
        raise CallSomebody(f"{source} holds no district record", "write keys and values; docs/district.md shows one")
    return checked(record, source)


def checked(record: dict[str, object], source: str) -> District:
    """Make a district's record from its keys and values.

    Raises:
        CallSomebody: As `parse`.
    """
    try:
        return District.model_validate(record)
    except ValidationError as error:
        raise CallSomebody(f"{source}: {_first_problem(error)}", "correct it and apply again") from None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
    # Of a connection, pydantic names its kind as well.
    place = [part for number, part in enumerate(problem["loc"]) if number != 1 or problem["loc"][0] != "connection"]
    key = ".".join(str(part) for part in place)
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key}"
    if problem["type"] == "missing":
        return f"key {key} is missing"
    if problem["type"].startswith("union_tag"):
        return f"{key}.kind must be one of {', '.join(KINDS)}"
    if key.endswith(SECRETS):
        return f"{key} must say where the secret is, as env:NAME or file:/path, never the secret itself"
    if problem["type"] in ("string_pattern_mismatch", "tuple_type", "model_type", "string_type"):
        return f"{key}: not in the form that docs/district.md shows"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else message
