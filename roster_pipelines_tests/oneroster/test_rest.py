"""Through an API the declaration says which collections there are, and what of a record must never be stored."""

from roster_pipelines.oneroster import rest


def test_without_schools_people_classes_and_enrollments_no_district_is_pulled() -> None:
    collections = rest.collections("access_code")
    assert [name for name, needed in collections.items() if needed] == [
        "academicSessions", "orgs", "users", "classes", "enrollments",
    ]  # fmt: skip
    assert list(collections) == [
        "academicSessions", "orgs", "courses", "users", "classes", "enrollments", "resources",
    ]  # fmt: skip


def test_an_auto_registration_needs_courses_too_and_the_one_by_resource_resources() -> None:
    assert [name for name, needed in rest.collections("auto_by_school").items() if not needed] == ["resources"]
    assert all(rest.collections("auto_by_resource").values())


def test_passwords_pronouns_profiles_and_what_nobody_uses_never_land() -> None:
    assert rest.dropped("users") == {"password", "pronouns", "userProfiles", "resources"}
    assert not any(rest.dropped(name) for name in rest.collections("auto_by_resource") if name != "users")
