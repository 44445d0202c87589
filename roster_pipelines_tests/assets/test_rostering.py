"""From a district's files to rostered classes: for the right teachers, once, and never lost."""

import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from roster_pipelines.connections import landing
from roster_pipelines.platform import decisions, deliveries, derived, plans
from roster_pipelines.platform.state import states
from roster_pipelines.sensors.sign_ins import decide
from roster_pipelines.simulators.districts import District
from roster_pipelines.staging import build
from roster_pipelines_tests.assets.conftest import CEDAR, MAPLE, Deployment, Rows, expected, rewrite, shown

NOTHING: Rows = {
    "rostered_class": [],
    "student_account": [],
    "rostered_class_teacher": [],
    "rostered_class_student": [],
}


def without_times(rows: Rows) -> Rows:
    return {name: [{**row, "changed_at": None} for row in found] for name, found in rows.items()}


def test_as_long_as_nobody_has_signed_in_nothing_is_published(delivered: Deployment, teachers: list[str]) -> None:
    assert delivered.published() == NOTHING
    assert delivered.waiting() == dict.fromkeys(teachers, "signed_in")
    assert delivered.ledger() == [("accepted", None)]


def test_exactly_the_classes_of_the_teachers_who_signed_in_with_an_active_account_are_published(
    delivered: Deployment, files: Path, teachers: list[str]
) -> None:
    first, second, third, fourth = teachers
    delivered.sign_in(first, second)
    delivered.sign_in(third, with_code=False)
    assert delivered.refresh().success
    assert shown(delivered.published()) == expected(files, first, second)
    assert delivered.waiting() == {first: None, second: None, third: "account_active", fourth: "signed_in"}

    # The same files again, and the same sign-ins again: no new delivery, and not one row is written.
    before, roster = delivered.published(), delivered.roster()
    assert delivered.run().success
    assert delivered.refresh().success
    assert delivered.published() == before
    assert delivered.ledger() == [("accepted", None)]
    assert delivered.roster() == roster

    with delivered.engine.begin() as connection:
        connection.execute(sa.text("UPDATE platform.account SET status = 'inactive'"))
    assert delivered.refresh().success
    assert delivered.published() == before, "too many at once: held"
    with delivered.engine.begin() as connection:
        plan = plans.newest(connection, MAPLE)
        assert plan is not None
        decisions.record(connection, plan.plan_id, "approve", by="tests", why="test")
    assert delivered.refresh().success
    assert shown(delivered.published()) == {name: set() for name in NOTHING}
    assert {name: len(rows) for name, rows in delivered.published().items()} == {
        name: len(rows) for name, rows in before.items()
    }


def test_a_class_that_vanishes_is_deactivated_and_comes_back_whole(
    delivered: Deployment, files: Path, teachers: list[str], clean_district: District
) -> None:
    delivered.sign_in(teachers[0])
    assert delivered.refresh().success
    before = delivered.published()
    gone = before["rostered_class"][0]["class_sourced_id"]

    rewrite(files, "classes", f"""FROM rows WHERE "sourcedId" <> '{gone}'""")
    rewrite(files, "enrollments", f"""FROM rows WHERE "classSourcedId" <> '{gone}'""")
    delivered.site.upload(files)
    assert delivered.run().success
    after = delivered.published()
    assert {name: len(rows) for name, rows in after.items()} == {name: len(rows) for name, rows in before.items()}
    inactive = {row["class_sourced_id"] for row in after["rostered_class"] if not row["active"]}
    assert inactive == {gone}
    assert shown(after) == expected(files, teachers[0])

    delivered.site.upload(clean_district.folder)
    assert delivered.run().success
    assert without_times(delivered.published()) == without_times(before)
    assert delivered.ledger() == [("accepted", None)] * 3


CRASHES = {
    landing.land: "process_delivery",
    deliveries.record: "process_delivery",
    build.build: "process_delivery",
    derived.write: "process_delivery",
    plans.record: "refresh_entitlements",
    plans.decide: "refresh_entitlements",
}
"""Where a run may die, in the order of the way, and the job that is run; at the last place all rows are written."""


def test_wherever_a_run_dies_the_last_good_state_stays_and_the_next_run_finishes(
    delivered: Deployment, files: Path, teachers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered.sign_in(teachers[0])
    assert delivered.refresh().success
    before = delivered.published()
    gone = before["rostered_class"][0]["class_sourced_id"]
    rewrite(files, "classes", f"""FROM rows WHERE "sourcedId" <> '{gone}'""")
    rewrite(files, "enrollments", f"""FROM rows WHERE "classSourcedId" <> '{gone}'""")
    delivered.site.upload(files)

    def die(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    for place, job in CRASHES.items():
        with monkeypatch.context() as patch:
            patch.setattr(sys.modules[place.__module__], place.__name__, die)
            assert not delivered.run(job=job).success, place
        assert delivered.published() == before, place
    assert delivered.run().success
    assert shown(delivered.published()) == expected(files, teachers[0])
    assert delivered.ledger() == [("accepted", None)] * 2


def test_two_districts_with_the_same_ids_keep_to_themselves(
    delivered: Deployment, files: Path, teachers: list[str]
) -> None:
    delivered.sign_in(teachers[0])
    assert delivered.refresh().success
    before = delivered.published(MAPLE)

    delivered.register(CEDAR)
    delivered.site.upload(files, CEDAR)
    assert delivered.run(CEDAR).success
    assert delivered.published(CEDAR) == NOTHING
    delivered.sign_in(teachers[1], district=CEDAR)
    assert delivered.refresh(CEDAR).success
    assert shown(delivered.published(CEDAR)) == expected(files, teachers[1])
    assert delivered.published(MAPLE) == before
    assert delivered.waiting(MAPLE)[teachers[1]] == "signed_in"


@pytest.mark.parametrize("stage", ["onboarding", "paused"])
def test_before_and_outside_its_life_a_district_is_planned_and_nothing_is_applied(
    delivered: Deployment, files: Path, teachers: list[str], stage: str
) -> None:
    delivered.register(stage=stage)
    delivered.sign_in(teachers[0])
    assert delivered.refresh().success
    assert delivered.published() == NOTHING
    assert delivered.waiting()[teachers[0]] == "stage"
    delivered.register(stage="live")
    assert delivered.refresh().success
    assert shown(delivered.published()) == expected(files, teachers[0])


def test_a_plan_made_by_another_record_is_never_applied_and_another_is_asked_for(
    delivered: Deployment, files: Path, teachers: list[str]
) -> None:
    """In onboarding pilots do not count yet: its plan holds everybody's classes."""
    delivered.register(stage="onboarding")
    delivered.sign_in(*teachers[:2])
    for asset in ("identities", "entitlements", "gates", "roster_plan"):
        assert delivered.run(job="refresh_entitlements", only=(asset,)).success
    # Sign-ins that have come since are no reason to wait.
    delivered.sign_in(teachers[2])
    delivered.register(stage="testing", pilot_teachers=(teachers[1],))
    for _ in range(2):
        run = delivered.run(job="refresh_entitlements", only=("rostered_classes",))
        (event,) = run.asset_materializations_for_node("rostered_classes")
        assert event.metadata["outcome"].value == "not_applied: outdated"
        assert delivered.published() == NOTHING
        # Even where all is again as it was when the plan was made.
        delivered.register(stage="onboarding")
        with delivered.engine.connect() as connection:
            assert MAPLE in decide(plans.planned(connection), states(connection))
        delivered.register(stage="testing", pilot_teachers=(teachers[1],))
    assert delivered.refresh().success
    assert shown(delivered.published()) == expected(files, teachers[1])


def test_in_testing_only_the_pilots_classes_are_published(
    delivered: Deployment, files: Path, teachers: list[str]
) -> None:
    delivered.register(stage="testing", pilot_teachers=(teachers[1],))
    delivered.sign_in(*teachers[:2])
    assert delivered.refresh().success
    assert shown(delivered.published()) == expected(files, teachers[1])
    assert delivered.waiting()[teachers[0]] == "stage"
