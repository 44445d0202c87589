"""The commands that play the product's part: what they write, for whom, and what they refuse in one line."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from roster_pipelines.cli import database
from roster_pipelines.cli.main import app
from roster_pipelines.errors import CallSomebody
from roster_pipelines_tests.conftest import register, url_of

MAPLE, CEDAR = "maple-valley", "cedar-creek"
NORTH = "530000000001"


@pytest.fixture
def played(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    """The embedded database, with two districts, of which the second has an account 1 and a sign-in 1."""
    monkeypatch.delenv("ROSTER_DATABASE_URL", raising=False)
    monkeypatch.setenv("ROSTER_DATA", str(tmp_path))
    monkeypatch.setattr(database, "server", lambda of: nullcontext(url_of(engine)))
    register(engine, MAPLE)
    register(engine, CEDAR)
    assert roster("sign-in", CEDAR, "--sourced-id", "usr-1", "--new-account").startswith(f"sign-in 1 of {CEDAR}")
    return engine


def roster(*words: object) -> str:
    """What a command prints; its error is raised."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None:
        raise result.exception
    assert result.output.count("\n") == 1, "one line"
    return result.output


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_a_teacher_signs_in_links_an_account_and_redeems_a_code(played: Engine) -> None:
    assert roster("license", MAPLE, "music").startswith(f"licence 1: music for all of {MAPLE}, any number of teachers")
    assert roster("sign-in", MAPLE, "--sourced-id", "usr-1", "--email", "ada@maple.example") == (
        f"sign-in 2 of {MAPLE}, with no account. Next: roster link {MAPLE} 2 ACCOUNT links an account.\n"
    )
    assert roster("sign-in", MAPLE, "--sourced-id", "usr-1", "--username", "ada", "--new-account") == (
        f"sign-in 2 of {MAPLE}, with account 2. Next: roster redeem {MAPLE} 2 PRODUCT activates the account.\n"
    )
    assert "account 2 of maple-valley is active and has music. Next: where roster up runs" in (
        roster("redeem", MAPLE, 2, "music")
    )
    assert rows(played, "SELECT account_id, district, status, activated_by FROM platform.account ORDER BY 1") == [
        (1, CEDAR, "inactive", None),
        (2, MAPLE, "active", "access_code"),
    ]
    signed_in = "SELECT sign_in_id, provider, sourced_id, email, username, account_id FROM platform.sign_in"
    assert rows(played, f"{signed_in} JOIN platform.account_link USING (sign_in_id) ORDER BY 1") == [
        (1, "classlink", "usr-1", None, None, 1),
        (2, "classlink", "usr-1", None, "ada", 2),
    ], "a sign-in has the claims of its last time, and a link stays"


def test_every_claim_and_a_subject_of_its_own_are_kept(played: Engine) -> None:
    claims = {"sourced_id": "s", "email": "e", "username": "n", "identifier": "i", "user_id": "u", "subject": "who"}
    words = [word for name, value in claims.items() for word in (f"--{name.replace('_', '-')}", value)]
    roster("sign-in", MAPLE, *words)
    assert rows(played, f"SELECT {', '.join(claims)} FROM platform.sign_in WHERE district = '{MAPLE}'") == [
        tuple(claims.values())
    ]


def test_a_licence_is_for_a_school_seats_and_days_as_told_and_a_product_keeps_its_resources(played: Engine) -> None:
    words = f"--school {NORTH} --seats 20 --from 2026-08-01 --until 2027-07-01 --resource Q-1 --resource Q-2"
    assert roster("license", MAPLE, "music", *words.split()).startswith(
        f"licence 1: music for school {NORTH} of {MAPLE}, 20 seats, from 2026-08-01 until 2027-07-01. Next: "
    )
    roster("license", CEDAR, "music", "--resource", "Q-2", "--resource", "Q-3")
    assert rows(
        played,
        "SELECT district, product_id, school_nces_id, seats, starts_on::text, ends_on::text"
        f" FROM platform.licence WHERE district = '{MAPLE}'",
    ) == [(MAPLE, "music", NORTH, 20, "2026-08-01", "2027-07-01")]
    assert rows(played, "SELECT product_id, name, vendor_resource_ids FROM platform.product") == [
        ("music", "Music", ["Q-1", "Q-2", "Q-3"])
    ]


def test_an_account_is_linked_to_another_sign_in_a_school_is_picked_and_an_account_is_closed(played: Engine) -> None:
    roster("sign-in", CEDAR, "--email", "bea@cedar.example")
    assert f"sign-in 2 of {CEDAR} is linked to account 1, which is inactive" in roster("link", CEDAR, 2, 1)
    assert "counts only with school_choice in the district's record" in roster("choose-school", CEDAR, 2, NORTH)
    roster("choose-school", CEDAR, 2, NORTH)
    roster("license", CEDAR, "music")
    roster("redeem", CEDAR, 1, "music")
    assert f"account 1 of {CEDAR} is closed" in roster("close-account", CEDAR, 1)
    assert rows(played, "SELECT sign_in_id, account_id FROM platform.account_link ORDER BY 1") == [(1, 1), (2, 1)]
    assert rows(played, "SELECT sign_in_id, school_nces_id FROM platform.school_choice") == [(2, NORTH)]
    assert rows(played, "SELECT status FROM platform.account") == [("closed",)]


def test_what_is_applied_depends_on_the_stage_and_the_line_says_so(played: Engine) -> None:
    register(played, MAPLE, stage="onboarding")
    assert roster("license", MAPLE, "music").endswith("nothing is applied in stage onboarding.\n")
    register(played, MAPLE, registration="auto_by_school", school_choice=True)
    assert "is worked out again within seconds" in roster("sign-in", MAPLE, "--sourced-id", "usr-1")
    assert "counts only" not in roster("choose-school", MAPLE, 2, NORTH)


REFUSED: list[tuple[tuple[object, ...], str]] = [
    (("license", "nowhere", "music"), "there is no district 'nowhere'"),
    (("license", MAPLE, "Music!"), "'Music!' is no id of a product"),
    (("license", MAPLE, "music", "--school", "53-0001"), "'53-0001' is no NCES id of a school: give its 12 digits"),
    (
        ("license", MAPLE, "music", "--from", "2026-08-01", "--until", "2026-08-01"),
        "the licence would end on 2026-08-01, not after it begins on 2026-08-01",
    ),
    (("license", MAPLE, "music", "--from", "9999-12-31"), "the licence would end on 9999-12-31"),
    (("sign-in", MAPLE), "a sign-in without a claim needs a subject"),
    (("sign-in", MAPLE, "--email", "x", "--account", 1), f"{MAPLE} has no account 1"),
    (("redeem", MAPLE, 1, "music"), f"{MAPLE} has no account 1"),
    (("redeem", CEDAR, 1, "music"), "there is no product 'music': roster license makes one"),
    (("link", MAPLE, 1, 1), f"{MAPLE} has no sign-in 1"),
    (("link", CEDAR, 1, 2**63 - 1), f"{CEDAR} has no account {2**63 - 1}"),
    (("choose-school", MAPLE, 1, NORTH), f"{MAPLE} has no sign-in 1"),
    (("choose-school", CEDAR, 1, "٥٣٠٠٠٠٠٠٠٠٠١"), "is no NCES id of a school"),
    (("close-account", MAPLE, 1), f"{MAPLE} has no account 1"),
]


def test_what_cannot_be_is_told_in_one_line_and_nothing_is_written(played: Engine) -> None:
    before = everything(played)
    for command, told in REFUSED:
        with pytest.raises(CallSomebody) as raised:
            roster(*command)
        assert told in str(raised.value)
        assert "\n" not in str(raised.value)
    assert everything(played) == before


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    tables = sa.inspect(engine).get_table_names(schema="platform")
    return {table: rows(engine, f"SELECT * FROM platform.{table} ORDER BY 1") for table in tables}


def test_a_code_is_redeemed_once_and_for_an_open_account_only(played: Engine) -> None:
    roster("license", CEDAR, "music")
    with pytest.raises(CallSomebody, match="there is no product 'musik': the products are music"):
        roster("redeem", CEDAR, 1, "musik")
    roster("redeem", CEDAR, 1, "music")
    with pytest.raises(CallSomebody, match="account 1 has redeemed a code for music already"):
        roster("redeem", CEDAR, 1, "music")
    roster("close-account", CEDAR, 1)
    with pytest.raises(CallSomebody, match="account 1 is closed"):
        roster("redeem", CEDAR, 1, "music")


def test_nobody_signs_in_where_there_is_no_sso(played: Engine) -> None:
    register(played, MAPLE, stage="onboarding", sign_in=None)
    with pytest.raises(CallSomebody, match=f"{MAPLE} has no SSO integration"):
        roster("sign-in", MAPLE, "--email", "x")


@pytest.mark.parametrize(
    "command",
    [
        ("license", MAPLE, "music"),
        ("sign-in", MAPLE, "--email", "x"),
        ("redeem", MAPLE, 1, "music"),
        ("link", MAPLE, 1, 1),
        ("choose-school", MAPLE, 1, NORTH),
        ("close-account", MAPLE, 1),
    ],
)
def test_invented_rows_are_never_written_into_a_configured_database(
    monkeypatch: pytest.MonkeyPatch, command: tuple[object, ...]
) -> None:
    monkeypatch.setenv("ROSTER_DATABASE_URL", "postgresql://nowhere")
    with pytest.raises(CallSomebody, match="plays on the embedded database only"):
        roster(*command)


def test_help_shows_these_commands_apart() -> None:
    text = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["--help"]).output
    head, part = text.split("Play the product's part")
    for name in ("license", "sign-in", "redeem", "link", "choose-school", "close-account"):
        assert f" {name} " in part
        assert f" {name} " not in head
