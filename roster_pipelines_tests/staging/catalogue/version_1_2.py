"""What stands wrong in OneRoster 1.2 only."""

from roster_pipelines_tests.staging.catalogue.fault import (
    ANYTHING,
    Fault,
    Group,
    Plant,
    faults_of,
    fine,
    in_file,
    in_row,
    kept,
    rejected,
)
from roster_pipelines_tests.staging.catalogue.ground import ADMINISTRATOR, DISTRICT, HIGH_SCHOOL, Ground

SOMEBODY = "usr-000002"


def warned(what: str, where: str, rule: str, plant: Plant) -> Fault:
    return in_file(what, rule, "warning", where, plant)


def without_role(ground: Ground) -> int:
    return ground.add("users")


def with_an_unknown_role(ground: Ground) -> int:
    """Beside one that is known, so that the person stays."""
    line = ground.own("users")
    return ground.add("roles", userSourcedId=ground.rows("users")[line]["sourcedId"], role="ext:coach")


def with_no_role_but_an_unknown_one(ground: Ground) -> int:
    """For which the person is rejected too."""
    ground.add("users", sourcedId="coach")
    return ground.add("roles", userSourcedId="coach", role="coach")


def two_primaries(ground: Ground) -> int:
    line = ground.person(of="primary")
    return ground.add(
        "roles", userSourcedId=ground.rows("users")[line]["sourcedId"], roleType="primary", role="proctor"
    )


def profile_of_another(ground: Ground) -> int:
    ground.add("userProfiles", sourcedId="profile-1", userSourcedId=SOMEBODY)
    return ground.add("roles", userProfileSourcedId="profile-1")


def resource_of(user: str, in_class: str, at: str = "") -> Plant:
    return lambda ground: ground.add("userResources", userSourcedId=user, classSourcedId=in_class, orgSourcedId=at)


def own_profile(ground: Ground) -> int:
    ground.add("userProfiles", sourcedId="profile-2")
    return ground.add("roles", userProfileSourcedId="profile-2")


ROLES = (
    in_file("a person without a role", "role-missing", "error", "users", without_role),
    in_file(
        "an ext: role, of which only its sender knows what it may",
        "value-unknown",
        "error",
        "roles.role",
        with_an_unknown_role,
    ),
    in_file("a person's only role is none", "value-unknown", "error", "roles.role", with_no_role_but_an_unknown_one),
    rejected("a role of 1.1", "roles.role", "administrator", "value-unknown"),
    rejected("a role of nobody", "roles.userSourcedId", "", "value-missing"),
    rejected("a role of somebody unknown", "roles.userSourcedId", "usr-9", "reference-nowhere"),
    kept("a role at an unknown org", "roles.orgSourcedId", "org-9", "reference-nowhere", "org-9"),
    kept("a role in small letters", "roles.role", "systemadministrator", "value-case", "systemAdministrator"),
    kept("a role that is neither primary nor secondary", "roles.roleType", "main", "value-unknown", None),
    kept(
        "a role that ends before it begins",
        "roles.endDate",
        "2026-08-01",
        "dates-reversed",
        ANYTHING,
        beginDate="2026-09-01",
    ),
    warned("two primary roles at one org", "roles.roleType", "role-primary-doubled", two_primaries),
    warned(
        "a role with somebody else's profile", "roles.userProfileSourcedId", "profile-of-another", profile_of_another
    ),
    kept(
        "a primary org at which the person has no role",
        "users.primaryOrgSourcedId",
        HIGH_SCHOOL,
        "primary-org-without-role",
        HIGH_SCHOOL,
    ),
)
EXTENSIONS = (
    in_row("an ext: type of org", "orgs.type", "ext:campus", "value-extension", "info", "ext:campus"),
    in_row(
        "an ext: type of session", "academicSessions.type", "ext:trimester", "value-extension", "info", "ext:trimester"
    ),
    in_row("an ext: type of class", "classes.classType", "ext:club", "value-extension", "info", "ext:club"),
    rejected("an ext: role in a class", "enrollments.role", "ext:tutor", "value-unknown"),
)
PROFILES_AND_RESOURCES = (
    rejected("a profile of nobody", "userProfiles.userSourcedId", "", "value-missing"),
    kept("a profile of no kind", "userProfiles.profileType", "", "value-missing", None),
    in_file(
        "a profile's password",
        "password-sent",
        "info",
        "userProfiles",
        lambda ground: ground.add("userProfiles", password="Xylophon") and None,
    ),
    rejected("an unknown resource for somebody", "userResources.resourceSourcedId", "res-9", "reference-nowhere"),
    warned(
        "a resource in a class that the person is not in",
        "userResources.classSourcedId",
        "resource-outside-class",
        resource_of(ADMINISTRATOR, "cls-000001"),
    ),
    warned(
        "a resource at another school than its class",
        "userResources.orgSourcedId",
        "school-differs",
        resource_of("usr-000003", "cls-000001", HIGH_SCHOOL),
    ),
)
FINE = (
    in_file("a role with the person's own profile", "", "", "roles.userProfileSourcedId", own_profile),
    fine("a role that has ended", "roles.endDate", "2026-09-01", ANYTHING),
    fine(
        "a district administrator",
        "roles.role",
        "districtAdministrator",
        "districtAdministrator",
        orgSourcedId=DISTRICT,
    ),
    fine("a resource for an ext: role", "resources.roles", "teacher,ext:coach", ["teacher", "ext:coach"]),
    in_file(
        "a resource in a class that the person is in", "", "", "userResources", resource_of("usr-000003", "cls-000001")
    ),
)

GROUPS = (
    Group(
        "1.2",
        (*ROLES, *EXTENSIONS, *PROFILES_AND_RESOURCES),
        fine=FINE,
        version="1.2",
        resources=True,
        prepare=lambda ground: ground.begin("userProfiles", "userResources"),
    ),
)
FAULTS = faults_of(*GROUPS)
