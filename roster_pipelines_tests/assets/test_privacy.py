"""No value of a person and no secret is ever told: planted values, and a search through all that a run leaves behind.

The places where such values belong, the lake and the product's tables, are looked at too: there they must be.
"""

from pathlib import Path

import dagster as dg
import pytest

from roster_pipelines.rostering import identity
from roster_pipelines.settings import Settings
from roster_pipelines.simulators import product
from roster_pipelines_tests.assets.conftest import MAPLE, Deployment, rewrite

PERSON = "zqxj"
"""Part of every planted value of a person."""

PLANT = f"""
SELECT * REPLACE (
    concat('{PERSON}-', "givenName") AS "givenName", concat("familyName", ' {PERSON}') AS "familyName",
    '{PERSON} middle' AS "middleName", concat('{PERSON}.', username) AS username, concat('{PERSON}.', email) AS email,
    concat('{PERSON}', identifier) AS identifier, '+1 {PERSON} 555' AS phone, '{PERSON} sms' AS sms,
    '{{{PERSON}:1}}' AS "userIds", '{PERSON}-password' AS password)
FROM rows
"""
# Each of them in a cell that breaks a rule, so that a message about the cell would show it.
WITH_BAD_ROWS = f"""
SELECT * REPLACE (
    CASE WHEN "sourcedId" = 'usr-000007' THEN '{PERSON} role' ELSE role END AS role,
    CASE WHEN "sourcedId" = 'usr-000008' THEN '{PERSON} enabled' ELSE "enabledUser" END AS "enabledUser",
    CASE WHEN "sourcedId" = 'usr-000009' THEN '{PERSON} status' ELSE status END AS status,
    CASE WHEN "sourcedId" = 'usr-000010' THEN '{PERSON} modified' ELSE "dateLastModified" END AS "dateLastModified",
    CASE WHEN "sourcedId" = 'usr-000011' THEN '{PERSON} org' ELSE "orgSourcedIds" END AS "orgSourcedIds")
FROM rows
"""


def told(instance: dg.DagsterInstance, capture: pytest.CaptureFixture[str], log: pytest.LogCaptureFixture) -> str:
    """All that the runs have told: events, metadata, tags, exceptions, logs, output."""
    parts = [*capture.readouterr(), log.text]
    for run in instance.get_runs():
        parts += [str(run), str(run.tags)]
        parts += [text for entry in instance.all_logs(run.run_id) for text in (entry.to_json(), str(entry))]
    return "\n".join(parts)


def places(text: str, planted: str) -> list[str]:
    """The surroundings of a planted value, for a message that helps."""
    lower = text.lower()
    found = [at for at in range(len(lower)) if lower.startswith(planted.lower(), at)]
    return [text[max(0, at - 80) : at + 40] for at in found[:5]]


def break_header_and_line(files: Path) -> None:
    """A column gets a person's name, and the second line a quote that is never closed and a value too many."""
    rewrite(files, "users", f"""SELECT * EXCLUDE (role), role AS "{PERSON} role" FROM rows""")
    first, second, *others = (files / "users.csv").read_text().splitlines()
    (files / "users.csv").write_text("\n".join([first, f'"{PERSON} open,{second},{PERSON} more', *others]) + "\n")


def lose_header(files: Path) -> None:
    lines = (files / "users.csv").read_text().splitlines()
    (files / "users.csv").write_text("\n".join(lines[1:]) + "\n")


def break_encoding(files: Path) -> None:
    with (files / "users.csv").open("ab") as stream:
        stream.write(f"usr-1,,,true,org-0001,student,{PERSON} Ren\xe9\n".encode("latin-1"))


def change_secret(delivered: Deployment) -> None:
    """Another secret on the server than in the file, so that the login is refused."""
    secret = delivered.site.connection().password
    assert secret is not None
    Path(secret.removeprefix("file:")).write_text("another-planted-secret")


def test_nothing_that_the_runs_tell_holds_a_value_of_a_person_or_a_secret(
    delivered: Deployment,
    files: Path,
    teachers: list[str],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    rewrite(files, "users", PLANT)
    rewrite(files, "users", WITH_BAD_ROWS)
    rewrite(files, "classes", f"SELECT * REPLACE (concat('{PERSON} ', title) AS title) FROM rows")
    planted = (files / "users.csv").read_text()
    delivered.sign_in(*teachers)
    with delivered.engine.begin() as connection:
        for claim in (f"{PERSON}.one@maple-valley.example", f"{PERSON}@elsewhere.example"):
            product.sign_in(connection, MAPLE, None, None, email=claim)
    delivered.site.upload(files)
    assert delivered.run().success
    assert PERSON in str(delivered.published()["student_account"]), "where it belongs, it is"

    for damage in (break_header_and_line, lose_header, break_encoding):
        (files / "users.csv").write_text(planted)
        damage(files)
        delivered.site.upload(files)
        assert delivered.run().success == (damage is break_encoding)
    change_secret(delivered)
    assert not delivered.run().success

    text = told(delivered.instance, capfd, caplog)
    reports = "\n".join(path.read_text() for path in (delivered.lake / "reports").rglob("*.html"))
    reasons = "\n".join(str(reason) for _, reason in delivered.ledger())
    assert len(text) > 100_000, "the events are there to be searched"
    assert reports.count("<html") == 5, "and so are the reports"
    for secret in (PERSON, *delivered.site.secrets.values(), "another-planted-secret"):
        for where in (text, reports, reasons):
            assert places(where, secret) == []

    assert [status for status, _ in delivered.ledger()].count("refused") == 2
    landed = [path.read_bytes() for path in (delivered.lake / "deliveries").rglob("users.csv")]
    assert any(PERSON.encode() in content for content in landed)


def test_an_unexpected_error_leaves_its_place_in_the_events_and_never_its_values(
    delivered: Deployment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error that is not ours may quote a row; the settings that every Dagster process gets keep it out."""

    def fault(*_: object) -> None:
        raise ValueError(f"could not convert {PERSON} Kim")

    name = "DAGSTER_REDACT_USER_CODE_ERRORS"
    settings = Settings(data=tmp_path, lake=str(tmp_path), database_url=None)
    monkeypatch.setenv(name, settings.environment("postgresql://server/roster")[name])
    monkeypatch.setattr(identity, "identities", fault)
    result = delivered.refresh()
    assert not result.success
    (failed,) = [event.step_key for event in result.all_events if event.is_step_failure]
    assert failed == "identities"
    text = told(delivered.instance, capfd, caplog)
    assert places(text, "test_privacy.py") != [], "where it happened"
    assert places(text, PERSON) == []
