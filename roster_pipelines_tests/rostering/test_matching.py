"""How well a district's sign-ins match, by key."""

from roster_pipelines.district import SignIn
from roster_pipelines.rostering.matching import Matching, matching
from roster_pipelines_tests.rostering.world import World


def test_a_key_is_measured_by_the_sign_ins_that_carry_it_and_a_match_is_counted_for_what_decided() -> None:
    sso = SignIn(provider="classlink", match=("sourced_id", "email"), email_domains=("maple.example",))
    world = World(sso=sso).teacher("ada", email="ada@maple.example").teacher("bea", email="bea@maple.example")
    world.signed_in("ada", email="ada@maple.example")
    world.signed_in("ada", email="bea@maple.example")
    world.signed_in(email="bea@maple.example")
    world.signed_in("stranger")
    world.signed_in(email="bea@gmail.example")
    world.teacher("cleo").student("kim")
    with world.matched() as con:
        assert matching(con) == Matching(
            sign_ins=5,
            matched=3,
            by_key={"sourced_id": 2, "email": 1},
            claims={"sourced_id": (2, 3), "email": (2, 4)},
            outcomes={"matched": 3, "nobody": 1, "foreign-domain": 1},
            teachers_without=1,
        )


def test_without_sign_ins_there_is_nothing_to_measure() -> None:
    with World().teacher("ada").matched() as con:
        assert matching(con) == Matching(0, 0, {}, {}, {}, 1)
