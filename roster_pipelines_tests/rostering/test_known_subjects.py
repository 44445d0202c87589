"""Who a sign-in is when its subject was somebody before, and what is remembered for that."""

from typing import Any

from roster_pipelines.district import SignIn
from roster_pipelines_tests.rostering.world import DAY, TODAY, World

ADA, BEA = "ada@maple.example", "bea@maple.example"
ANYHOW = SignIn(
    provider="classlink", match=("sourced_id", "identifier", "email", "username"), email_domains=("maple.example",)
)
LOVELACE: dict[str, Any] = {"givenName": "Ada", "familyName": "Lovelace"}
SUBJECT = "classlink|subject-1"


def known_before(*, sso: SignIn = ANYHOW, subjects: int = 1, **more: Any) -> World:
    """A day after teacher `ada` has signed in: nothing is in the roster yet, and nobody has signed in."""
    world = World(sso=sso).teacher("ada", **{"email": ADA, **LOVELACE, **more})
    for _ in range(subjects):
        world.signed_in("ada", email=ADA)
    return next_day(world)


def next_day(world: World) -> World:
    """The same district on the day after; what is known is kept, roster and sign-ins are still to come."""
    later = World(sso=world.sso, today=world.today + DAY)
    later.rows["known_key"] = [
        dict(person_sourced_id=person, kind=kind, value=value, first_seen=first, last_seen=last)
        for (person, kind, value), (first, last) in world.keys().items()
    ]
    return later


def kinds(world: World) -> set[str]:
    return {kind for _, kind, _ in [*world.keys()]}


# the person is still there


def test_a_subject_stays_the_person_it_was_whatever_is_missing_unknown_or_shared() -> None:
    claims: list[tuple[dict[str, Any], str]] = [
        ({"sourced_id": "ada"}, "sourced_id"),
        ({"email": ADA}, "email"),
        ({"sourced_id": "unknown"}, "subject"),
        ({"email": "new.name@maple.example"}, "subject"),
        ({"email": "ada@gmail.example"}, "subject"),
        ({"email": "family@maple.example"}, "subject"),
        ({"email": "family@maple.example", "username": "ada"}, "username"),
        ({}, "subject"),
        ({"sourced_id": "null"}, "subject"),
    ]
    world = known_before(subjects=len(claims)).teacher("ada", email=ADA, username="ada")
    world.teacher("bea", email="family@maple.example").student("kim", email="family@maple.example")
    for claim, _ in claims:
        world.signed_in(**claim)
    assert world.decisions() == [("ada", "matched", key, []) for _, key in claims]


def test_a_subject_whose_claims_fit_another_person_is_held_with_both_and_stays_known() -> None:
    world = known_before(subjects=3).teacher("ada", email=ADA).teacher("bea", email=BEA)
    world.signed_in("bea").signed_in(email=BEA).signed_in("unknown", email=BEA)
    held = (None, "moved", ["ada", "bea"])
    assert [(person, outcome, fits) for person, outcome, _, fits in world.decisions()] == [held] * 3
    assert world.keys()["ada", "subject", SUBJECT] == (TODAY, None)


def test_where_one_claim_names_the_person_and_one_another_the_districts_order_counts() -> None:
    world = known_before().teacher("ada", email=ADA).teacher("bea", email=BEA)
    world.signed_in("ada", email=BEA)
    assert world.decisions() == [("ada", "matched", "sourced_id", [])]


def test_a_subject_belongs_to_its_provider() -> None:
    world = known_before()
    world.sso = ANYHOW.model_copy(update={"provider": "google"})
    world.teacher("ada", email=ADA).teacher("bea").signed_in("bea", provider="google").signed_in("ada")
    assert world.decisions() == [("bea", "matched", "sourced_id", []), (None, "other-provider", None, [])]


def test_a_person_who_has_become_one_with_another_row_is_still_that_person() -> None:
    """Yesterday's parent, whose id was known, is today's teacher with a second row."""
    same: dict[str, Any] = {"username": "ada", **LOVELACE}
    world = known_before(username="ada").person("ada", "guardian", **same).teacher("zada", **same).signed_in()
    assert world.decisions() == [("zada", "matched", "subject", [])]
    assert world.keys()["ada", "subject", SUBJECT] == (TODAY, TODAY + DAY)
    assert world.keys()["zada", "subject", SUBJECT] == (TODAY + DAY, None)


# the sourcedId is another's by now

BYRON: dict[str, Any] = {"givenName": "Bob", "familyName": "Byron"}


def test_a_marriage_changes_family_name_address_and_username_at_once_and_she_stays_who_she_was() -> None:
    world = known_before(username="al").teacher("ada", email="king@maple.example", username="aking", givenName="ADA")
    world.rows["users"][0]["familyName"] = "King"
    assert world.signed_in("ada").decisions() == [("ada", "matched", "sourced_id", [])]


def test_a_sourced_id_alone_is_enough_where_nothing_else_was_ever_remembered() -> None:
    before = World(sso=ANYHOW).teacher("ada").signed_in("ada")
    assert next_day(before).teacher("ada", **BYRON).signed_in("ada").identities() == [("ada", "matched")]


def test_a_recycled_sourced_id_is_nobody_to_whom_it_was_and_the_newcomer_to_the_newcomer() -> None:
    world = known_before().teacher("ada", **BYRON).signed_in("ada").signed_in("ada", subject="bob's")
    held = (None, "moved", "sourced_id", ["ada"])
    assert world.decisions() == [held, ("ada", "matched", "sourced_id", [])]
    assert world.keys()["ada", "subject", SUBJECT] == (TODAY, TODAY + DAY)
    assert ("ada", "email", ADA) not in {*world.keys()}, "an old key would name the newcomer"
    later = next_day(world).teacher("ada", **BYRON).signed_in("ada").signed_in("ada", subject="bob's")
    assert later.signed_in(email=ADA).decisions() == [
        held,
        ("ada", "matched", "sourced_id", []),
        (None, "nobody", None, []),
    ]
    left = next_day(later).teacher("new", **BYRON).signed_in().signed_in("new")
    assert left.identities() == [(None, "nobody"), ("new", "matched")]


def test_whoever_was_renumbered_is_carried_over_but_not_against_a_claim_of_the_old_number() -> None:
    people: list[dict[str, Any]] = [
        {"sourced_id": "5", "identifier": "900", **LOVELACE},
        {"sourced_id": "ada", "identifier": "901", **BYRON},
    ]
    world = known_before(subjects=3, identifier="900")
    for person in people:
        world.teacher(**person)
    world.signed_in("5").signed_in().signed_in("ada")
    assert world.decisions() == [
        ("5", "rekeyed", "sourced_id", []),
        ("5", "rekeyed", "identifier", []),
        (None, "moved", "sourced_id", ["ada"]),
    ]


# an old value, and a legacy subject


def test_an_old_address_still_names_its_owner_and_fits_two_once_another_has_it() -> None:
    world = known_before().teacher("ada", email=BEA, **LOVELACE).signed_in("ada").signed_in(email=ADA, subject="new")
    assert world.decisions()[1] == ("ada", "matched", "email", [])
    later = next_day(world).teacher("ada", email=BEA, **LOVELACE).teacher("cleo", email=ADA)
    assert later.signed_in(email=ADA, subject="cleo's").decisions() == [(None, "ambiguous", "email", ["ada", "cleo"])]


def test_a_new_subject_is_whom_its_legacy_one_was_and_is_remembered_itself() -> None:
    world = known_before().teacher("ada", **LOVELACE).signed_in(subject="lti13", legacy_subject="subject-1")
    assert world.decisions() == [("ada", "matched", "subject", [])]
    assert world.keys()["ada", "subject", "classlink|lti13"] == (TODAY + DAY, None)
    for unknown in ("another", "", None):
        world.signed_in(subject=f"beside {unknown}", legacy_subject=unknown)
    assert world.identities()[1:] == [(None, "no-claim")] * 3


# the person is gone


def test_the_id_that_is_claimed_now_is_the_same_persons_new_one() -> None:
    world = known_before().teacher("ada-2").signed_in("ada-2")
    assert world.decisions() == [("ada-2", "rekeyed", "sourced_id", [])]


def with_new_ids(*keys: tuple[dict[str, Any], dict[str, Any]]) -> World:
    """Teachers `old-0` and so on, who have signed in, have ids such as `new-0` on the next day: keys before and now.

    The SSO provider still serves the old id, as ClassLink does for days.
    """
    before = World(sso=ANYHOW)
    for number, (known, _) in enumerate(keys):
        before.teacher(f"old-{number}", **known).signed_in(f"old-{number}")
    after = next_day(before)
    for number, (_, now) in enumerate(keys):
        after.teacher(f"new-{number}", **now).signed_in(f"old-{number}")
    return after


def test_a_number_or_a_username_and_the_names_that_only_one_person_has_tell_who_is_carried_over() -> None:
    kept: dict[str, dict[str, Any]] = {
        "identifier": {"identifier": "7"},
        "user_id:ldap": {"userIds": ["{LDAP:al}"]},
        "username": {"username": "AL", **LOVELACE},
    }
    world = with_new_ids(*((key, key) for key in kept.values()))
    assert world.decisions() == [(f"new-{number}", "rekeyed", key, []) for number, key in enumerate(kept)]
    later = next_day(world).teacher("new-0", identifier="7").signed_in("old-0")
    assert later.decisions() == [("new-0", "matched", "subject", [])]


def test_what_proves_nothing_carries_nobody_over() -> None:
    world = with_new_ids(
        ({"username": "amay", **LOVELACE}, {"username": "amay", "givenName": "Al", "familyName": "Lovelace"}),
        ({"identifier": "n/a"}, {"identifier": "n/a"}),
        ({"identifier": "7"}, {"identifier": "07"}),
        ({"identifier": "8", "userIds": ["{LDAP:al}"]}, {"identifier": "8"}),
        (LOVELACE, LOVELACE),
    )
    world.teacher("one-of-two", userIds=["{LDAP:al}"])
    assert world.decisions() == [(None, "nobody", None, [])] * 5


def test_what_two_people_shared_when_both_were_there_tells_nothing_when_one_is_gone() -> None:
    before = World(sso=ANYHOW).teacher("ada", identifier="TBD").teacher("bea", identifier="TBD").signed_in("ada")
    world = next_day(before).teacher("bea", identifier="TBD").signed_in("ada")
    assert world.decisions() == [(None, "nobody", None, [])]


def test_a_number_that_the_person_had_given_up_tells_nothing() -> None:
    world = known_before(identifier="7").teacher("ada", identifier="8", **LOVELACE).signed_in("ada")
    world = next_day(world).teacher("bea", identifier="7").signed_in("ada")
    assert world.decisions() == [(None, "nobody", None, [])]


def test_a_student_is_never_taken_for_the_teacher_with_the_same_number_nor_the_other_way_round() -> None:
    before = World(sso=ANYHOW).student("kim", identifier="7").teacher("ada", identifier="8")
    before.signed_in("kim").signed_in("ada")
    world = next_day(before).teacher("bea", identifier="7").student("lee", identifier="8")
    assert world.signed_in("kim").signed_in("ada").identities() == [(None, "nobody")] * 2


def test_an_address_carries_over_whoever_has_the_same_names() -> None:
    world = known_before().teacher("ada-2", email=ADA, givenName=" ADA", familyName="lovelace ").signed_in(email=ADA)
    assert world.decisions() == [("ada-2", "rekeyed", "email", [])]


def test_an_address_that_was_given_to_somebody_else_is_held() -> None:
    world = known_before(subjects=2).teacher("new", email=ADA, givenName="Ada", familyName="Byron")
    world.signed_in(email=ADA).signed_in("ada", email=ADA)
    assert world.decisions() == [(None, "moved", "email", ["ada", "new"])] * 2


def test_an_address_that_several_share_by_now_is_held() -> None:
    world = known_before().teacher("new", email=ADA, **LOVELACE).student("kim", email=ADA).signed_in(email=ADA)
    assert world.decisions() == [(None, "moved", "email", ["ada", "kim", "new"])]


def test_a_number_carries_nobody_over_against_what_the_claims_say() -> None:
    world = known_before(identifier="7").teacher("ada-2", identifier="7").teacher("bea", email=BEA)
    assert world.signed_in(email=BEA).decisions() == [(None, "moved", "email", ["ada", "bea"])]


def test_whoever_gets_a_reused_address_next_year_with_a_subject_of_their_own_is_matched() -> None:
    world = known_before().teacher("new", email=ADA).signed_in(email=ADA, subject="of the new one")
    assert world.decisions() == [("new", "matched", "email", [])]
    assert world.keys()["ada", "email", ADA] == (TODAY, None), "old keys stay"


def test_last_years_sign_in_never_becomes_whoever_has_the_address_now_though_the_subjects_are_transient() -> None:
    by_email = SignIn(provider="classlink", match=("email",), email_domains=("maple.example",))
    world = known_before(sso=by_email).teacher("new", email=ADA, givenName="Bea", familyName="Lovelace")
    world.signed_in(email=ADA).signed_in(email=ADA, subject="another each time")
    assert world.decisions() == [(None, "moved", "email", ["ada", "new"]), ("new", "matched", "email", [])]
    later = next_day(world).teacher("new", email=ADA).signed_in(email=ADA)
    assert later.decisions() == [(None, "moved", "email", ["ada", "new"])]


def test_a_subject_that_is_none_is_not_remembered() -> None:
    world = World().teacher("ada")
    for subject in ("", " ", "null"):
        world.signed_in("ada", subject=subject)
    assert kinds(world) == {"sourced_id"}


# what is remembered

EVERYTHING: dict[str, Any] = {
    "email": ADA.upper(),
    "username": " Al",
    "identifier": "7 ",
    "userIds": ["{LDAP:Al}", "{SIS:0}", "no id"],
    **LOVELACE,
}
KEYS = {
    ("subject", SUBJECT),
    ("sourced_id", "ada"),
    ("email", ADA),
    ("username", "al"),
    ("identifier", "7 "),
    ("user_id:ldap", "Al"),
    ("name", "ada lovelace"),
}


def test_the_usable_keys_of_whoever_is_matched_are_remembered_and_nobody_elses() -> None:
    world = World(sso=ANYHOW).teacher("ada", **EVERYTHING).teacher("bea", email=BEA).signed_in("ada")
    world.signed_in("stranger").teacher("cleo", email="cleo@gmail.example").signed_in("cleo")
    keys = world.keys()
    assert {(kind, value) for person, kind, value in keys if person == "ada"} == KEYS
    assert {(kind, value) for person, kind, value in keys if person == "cleo"} == {
        ("sourced_id", "cleo"),
        ("subject", "classlink|subject-3"),
    }, "an address of a foreign domain is no key"
    assert {person for person, _, _ in keys} == {"ada", "cleo"}
    assert set(keys.values()) == {(TODAY, None)}


def test_nothing_changes_where_nothing_has_changed() -> None:
    before = World(sso=ANYHOW).teacher("ada", **EVERYTHING).signed_in("ada")
    after = next_day(before).teacher("ada", **EVERYTHING).signed_in("ada")
    assert after.keys() == before.keys()


def test_a_key_that_is_lost_gets_its_last_day_and_loses_it_when_it_comes_back() -> None:
    lost = known_before(identifier="7").teacher("ada", email=ADA, identifier="8").signed_in("ada")
    assert lost.keys()["ada", "identifier", "7"] == (TODAY, TODAY + DAY)
    assert lost.keys()["ada", "identifier", "8"] == (TODAY + DAY, None)
    still = next_day(lost).teacher("ada", email=ADA, identifier="8").signed_in("ada")
    assert still.keys()["ada", "identifier", "7"] == (TODAY, TODAY + DAY)
    back = next_day(still).teacher("ada", email=ADA, identifier="7").signed_in("ada")
    assert back.keys()["ada", "identifier", "7"] == (TODAY, None)
    assert back.keys()["ada", "identifier", "8"] == (TODAY + DAY, TODAY + 3 * DAY)


def test_whoever_is_not_matched_now_stays_known_as_before() -> None:
    before = World(sso=ANYHOW).teacher("ada", **EVERYTHING).signed_in("ada")
    assert next_day(before).keys() == before.keys(), "no roster and no sign-in"
    held = next_day(before).teacher("ada", **LOVELACE).teacher("bea").signed_in("bea")
    assert held.keys() == before.keys()


def test_a_subject_that_is_carried_over_is_one_persons_only() -> None:
    world = known_before(identifier="7").teacher("ada-2", identifier="7").signed_in("ada")
    subjects = {person: seen for (person, kind, _), seen in world.keys().items() if kind == "subject"}
    assert subjects == {"ada": (TODAY, TODAY + DAY), "ada-2": (TODAY + DAY, None)}
    assert world.keys()["ada", "identifier", "7"] == (TODAY, None), "the old person's other keys stay"


def test_before_the_first_roster_a_sign_in_is_nobody_and_afterwards_it_is_found() -> None:
    first = World().signed_in("ada")
    assert (first.identities(), first.keys()) == ([(None, "nobody")], {})
    assert next_day(first).teacher("ada").signed_in("ada").identities() == [("ada", "matched")]
