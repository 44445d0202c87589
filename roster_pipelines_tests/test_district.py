"""A district's record is taken as it is written, or refused in one line that says what to correct."""

import pytest
from pydantic import ValidationError

from roster_pipelines.district import parse
from roster_pipelines.district_connection import SftpConnection
from roster_pipelines.errors import CallSomebody

RECORD = """\
district: maple-valley
name: Maple Valley School District
connection:
  kind: sftp
  host: sftp.example
  username: maple
  password: env:MAPLE_PASSWORD
"""
LIVE = RECORD + "stage: live\nsign_in:\n  provider: classlink\n"
SECRET = "hunter2-marker"


def refusal(text: str) -> str:
    with pytest.raises(CallSomebody) as raised:
        parse(text, "maple.yaml")
    message = str(raised.value)
    assert message.startswith("maple.yaml")
    assert "\n" not in message
    return message


def test_a_short_record_is_a_district_on_trial() -> None:
    district = parse(RECORD, "maple.yaml")
    assert (district.district, district.stage, district.registration) == ("maple-valley", "onboarding", "access_code")
    assert (district.time_zone, district.pilot_teachers, district.sign_in) == ("America/Chicago", (), None)
    connection = district.connection
    assert (connection.port, connection.directory, connection.quiet_seconds) == (22, "/", 300)
    assert (connection.host_key, connection.private_key) == (None, None)


def test_a_full_record_is_taken_as_it_is_written() -> None:
    full = LIVE.replace("password: env:MAPLE_PASSWORD", "private_key: file:/run/secrets/maple") + (
        "  match: [sourced_id, email]\n  email_domains: [maple.example]\n"
        "pilot_teachers: [usr-1]\ntime_zone: America/Los_Angeles\n"
    )
    district = parse(full, "maple.yaml")
    assert district.connection.private_key == "file:/run/secrets/maple"
    assert district.sign_in is not None
    assert district.sign_in.match == ("sourced_id", "email")
    assert district.sign_in.email_domains == ("maple.example",)
    assert (district.pilot_teachers, district.time_zone) == (("usr-1",), "America/Los_Angeles")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RECORD + "colour: red\n", "unknown key colour"),
        (RECORD + "  pasword: x\n", "unknown key connection.pasword"),
        (RECORD.replace("name: Maple Valley School District\n", ""), "key name is missing"),
        (RECORD.replace("  host: sftp.example\n", ""), "key connection.host is missing"),
        (RECORD.replace("  password: env:MAPLE_PASSWORD\n", ""), "connection: give either password or private_key"),
        (RECORD + "  private_key: env:MAPLE_KEY\n", "connection: give either password or private_key"),
        (RECORD.replace("district: maple-valley", "district: Maple Valley"), "district: "),
        (RECORD + "stage: alive\n", "stage: "),
        (RECORD + "  port: 99999\n", "connection.port: "),
    ],
)
def test_a_key_that_is_unknown_missing_or_wrong_is_named(text: str, told: str) -> None:
    assert refusal(text).startswith(f"maple.yaml: {told}")


@pytest.mark.parametrize("zone", ["Mars/Crater", "America", "''", "../../etc/passwd", "x" * 400, "CST6CDT-ish"])
def test_a_time_zone_that_is_none_is_told_with_an_example(zone: str) -> None:
    assert refusal(RECORD + f"time_zone: {zone}\n") == (
        "maple.yaml: time_zone: is no time zone, such as America/Denver: correct it and apply again"
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("password", SECRET),
        ("password", f"env:{SECRET}"),  # not a variable's name
        ("password", f"{{value: {SECRET}}}"),
        ("private_key", f'"-----BEGIN OPENSSH PRIVATE KEY-----\\n{SECRET}"'),
        ("private_key", f"file:{SECRET}"),  # not a path from the root
    ],
)
def test_a_secret_given_as_a_value_is_refused_and_not_repeated(key: str, value: str) -> None:
    message = refusal(RECORD.replace("password: env:MAPLE_PASSWORD", f"{key}: {value}"))
    assert f"connection.{key} must say where the secret is, as env:NAME or file:/path" in message
    assert SECRET not in message


@pytest.mark.parametrize("key", ["host_key", "kind", "port"])
def test_a_secret_in_the_wrong_place_is_not_repeated_either(key: str) -> None:
    assert SECRET not in refusal(RECORD.replace("  kind: sftp\n", "") + f"  {key}: {SECRET}\n")


def test_not_even_pydantics_own_message_repeats_a_secret() -> None:
    connection = {"kind": "sftp", "host": "sftp.example", "username": "maple", "password": SECRET}
    with pytest.raises(ValidationError) as raised:
        SftpConnection.model_validate(connection)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("stage", ["testing", "live", "paused"])
def test_a_district_leaves_onboarding_only_with_sign_in(stage: str) -> None:
    assert f"stage {stage} needs sign_in: rostering works only with an SSO integration" in refusal(
        RECORD + f"stage: {stage}\n"
    )
    assert parse(RECORD + "stage: onboarding\n", "maple.yaml").stage == "onboarding"


@pytest.mark.parametrize("registration", ["access_code", "auto_by_school", "auto_by_resource"])
def test_every_registration_is_served_by_sftp(registration: str) -> None:
    assert parse(LIVE + f"registration: {registration}\n", "maple.yaml").registration == registration


@pytest.mark.parametrize("kind", ["infinite_campus", "powerschool"])
def test_auto_registration_by_resource_is_refused_where_no_resources_can_come(kind: str) -> None:
    """The guide, About Auto-Registration."""
    record = LIVE.replace("kind: sftp", f"kind: {kind}")
    reason = f"registration auto_by_resource needs OneRoster resources, which connection {kind} does not give"
    assert reason in refusal(record + "registration: auto_by_resource\n")
    assert reason not in refusal(record + "registration: auto_by_school\n")


@pytest.mark.parametrize(
    ("registration", "choice", "requires"),
    [
        ("auto_by_school", True, "access_code"),
        ("auto_by_school", False, "auto_by_school"),
        ("auto_by_resource", True, "auto_by_resource"),
        ("access_code", True, "access_code"),
    ],
)
def test_orgs_need_not_be_delivered_where_teachers_pick_their_school(
    registration: str, choice: bool, requires: str
) -> None:
    text = f"{LIVE}registration: {registration}\nschool_choice: {choice}\n"
    assert parse(text, "maple.yaml").requires == requires


def test_match_keys_terms_and_filters_are_taken_as_they_are_written() -> None:
    district = parse(
        LIVE + "  match: [user_id:SIS, identifier, username]\n"
        "teaching_roles: [teacher, aide]\nterms: {opens_days_before: 0}\nfilters: {courses: ['!*Band*']}\n",
        "maple.yaml",
    )
    assert district.sign_in is not None
    assert district.sign_in.match == ("user_id:SIS", "identifier", "username")
    assert district.teaching_roles == ("teacher", "aide")
    assert (district.terms.opens_days_before, district.terms.archived_days_after) == (0, 14)
    assert district.filters.courses == ("!*Band*",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("  match: [sourcedId]\n", "sign_in.match.0: not in the form"),
        ("  match: [user_id]\n", "sign_in.match.0: not in the form"),
        ("  match: [email, 'user_id:S I S']\n", "sign_in.match.1: not in the form"),
        ("  match: []\n", "sign_in.match: "),
        ("filters: {teachers: [x]}\n", "unknown key filters.teachers"),
        ("filters: {grades: '01'}\n", "filters.grades: not in the form"),
        ("filters: {grades: [01]}\n", "filters.grades.0: not in the form"),
        ("filters: [music]\n", "filters: not in the form"),
        ("terms: {opens_days_before: -1}\n", "terms.opens_days_before: "),
        ("terms: {archived_days_after: 367}\n", "terms.archived_days_after: "),
        ("teaching_roles: [student]\n", "teaching_roles.0: Input should be 'teacher', 'aide' or 'administrator'"),
        ("school_choice: perhaps\n", "school_choice: "),
    ],
)
def test_a_rule_that_is_none_is_named_by_its_key(text: str, told: str) -> None:
    assert refusal(LIVE + text).startswith(f"maple.yaml: {told}")


@pytest.mark.parametrize("text", ["", "maple", "- maple\n", "5\n"])
def test_a_file_without_keys_is_no_record(text: str) -> None:
    assert refusal(text).startswith("maple.yaml holds no district record")


@pytest.mark.parametrize(
    "text",
    [
        "a: b: c\n",
        f"password: '{SECRET}\n",
        "when: 2026-13-45\n",
        "a: \x00\n",
        "a: !!python/object:os.system {}\n",
        "[" * 5000,
    ],
)
def test_a_file_that_is_no_yaml_is_told_and_not_repeated(text: str) -> None:
    message = refusal(text)
    assert "is no YAML" in message
    assert SECRET not in message


def test_the_line_where_the_yaml_breaks_is_told() -> None:
    assert refusal(RECORD + "  port: : 22\n").startswith("maple.yaml, line 8 is no YAML")
