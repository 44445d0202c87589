"""Why a teacher's class is not created: every gate in its order, and every reason for which one does not hold."""

from dataclasses import dataclass
from typing import Literal, get_args

Gate = Literal["in_roster", "role", "signed_in", "account_active", "entitled", "stage", "class_current"]
Who = Literal["district", "teacher", "vendor", "integrations"]

GATES: tuple[Gate, ...] = get_args(Gate)
"""Every gate in the order in which they are passed."""

GATE_WORDS: dict[Gate, str] = {
    "in_roster": "the teacher is in the roster, active and enabled",
    "role": "a role of theirs teaches, by the district's policy",
    "signed_in": "they have signed in by SSO, and the sign-in is matched to them alone",
    "account_active": "they have an active account, or auto-registration can open or activate one",
    "entitled": "they may use a product in the class: registration, a licence in force, a seat",
    "stage": "the district's stage lets them have classes",
    "class_current": "the class is in its terms and is one that the district takes",
}
"""What holds where a gate holds."""


@dataclass(frozen=True)
class Reason:
    """Why a gate does not hold.

    Attributes:
        gate: The gate.
        what: What is so.
        opens: What would open the gate.
        who: Who must act: the district, the teacher, the vendor's sales and support, or its integrations team.
    """

    gate: Gate
    what: str
    opens: str
    who: Who


REASONS: dict[str, Reason] = {
    "to-be-deleted": Reason(
        "in_roster",
        "the roster marks the teacher as tobedeleted",
        "status active in users.csv, if they are still there",
        "district",
    ),
    "not-enabled": Reason(
        "in_roster", "the roster marks the teacher as not enabled", "enabledUser true in users.csv", "district"
    ),
    "role-not-teaching": Reason(
        "role",
        "is enrolled as staff of the class, but in a role that does not get classes here",
        "role teacher in users.csv, or that role among teaching_roles in the district's record",
        "integrations",
    ),
    "no-sign-in": Reason(
        "signed_in",
        "has not signed in by SSO, or no sign-in matches them",
        "signing in by the district's SSO; if they have, roster identities D says why that was nobody",
        "teacher",
    ),
    "sign-in-ambiguous": Reason(
        "signed_in",
        "a sign-in fits them and somebody else, and is held",
        "a key in the roster or in the sign-in that only one person has",
        "district",
    ),
    "sign-in-moved": Reason(
        "signed_in",
        "a sign-in has moved between them and somebody else, and is held: nothing proves that both are one person",
        "finding out who signs in; if it is they, roster identities D --forget SIGN_IN --why ...",
        "integrations",
    ),
    "no-account": Reason(
        "account_active",
        "has no linked account",
        "linking an account on the provisioning page, and redeeming a Teacher Access Code",
        "teacher",
    ),
    "account-inactive": Reason(
        "account_active", "the account was never activated", "redeeming a Teacher Access Code", "teacher"
    ),
    "account-closed": Reason(
        "account_active", "the vendor has closed the account", "the vendor's support opening it again", "vendor"
    ),
    "account-of-another": Reason(
        "account_active",
        "an account was opened for somebody else who had this sourcedId: neither first name nor address is the same",
        "provisioned_for taken off that account, which stays its owner's; then a new one is opened",
        "vendor",
    ),
    "name-or-email-missing": Reason(
        "account_active",
        "auto-registration cannot open an account without first name, last name and e-mail",
        "givenName, familyName and email in users.csv",
        "district",
    ),
    "code-unknown": Reason(
        "entitled",
        "a licence is in force, but without an active account there is no code",
        "redeeming a Teacher Access Code for a product that is licensed",
        "teacher",
    ),
    "no-code": Reason(
        "entitled",
        "a licence is in force, but the account has no code for its product",
        "redeeming a Teacher Access Code for a product that is licensed",
        "teacher",
    ),
    "no-licence": Reason(
        "entitled", "no licence is for the class's school", "a licence for the school or the district", "vendor"
    ),
    "licence-not-begun": Reason("entitled", "the licence has not begun", "its first day, or an earlier one", "vendor"),
    "licence-ended": Reason("entitled", "the licence has ended", "renewing it", "vendor"),
    "no-nces-id": Reason(
        "entitled",
        "schools are licensed, but the class's school carries no NCES id, so that it cannot be told which it is",
        "the NCES id in the column identifier of orgs.csv; or, with school_choice, the teacher picking the school",
        "district",
    ),
    "not-at-school": Reason(
        "entitled",
        "the class's school is licensed, but the teacher does not belong to it",
        "the school among the teacher's orgSourcedIds in users.csv",
        "district",
    ),
    "no-resource": Reason(
        "entitled",
        "no resource of a product is linked to the class or to its course",
        "the product's vendorResourceId in resources.csv, and a row in classResources.csv or courseResources.csv",
        "district",
    ),
    "no-seat": Reason(
        "entitled", "all seats of the licence are taken", "more seats, or a seat becoming free", "vendor"
    ),
    "onboarding": Reason(
        "stage", "the district is being set up, and nothing is created yet", "stage testing or live", "integrations"
    ),
    "paused": Reason("stage", "the district is paused, and all stays as it is", "stage live", "integrations"),
    "not-pilot": Reason(
        "stage",
        "the district is in testing, and this is no pilot teacher",
        "stage live, or the teacher among pilot_teachers in the district's record",
        "integrations",
    ),
    "no-class": Reason(
        "class_current",
        "no class of the roster has them as its teacher today",
        "a row in enrollments.csv that counts today",
        "district",
    ),
    "not-open-yet": Reason(
        "class_current",
        "the class's terms are too far ahead",
        "its day, as terms.opens_days_before says; or other dates in academicSessions.csv",
        "district",
    ),
    "over": Reason(
        "class_current",
        "the class's terms are over",
        "a term that is not over in the class's termSourcedIds",
        "district",
    ),
    "filtered-school": Reason(
        "class_current",
        "the district does not take classes of this school",
        "filters.schools in the district's record",
        "integrations",
    ),
    "filtered-grade": Reason(
        "class_current",
        "the district does not take classes of these grades",
        "filters.grades in the district's record",
        "integrations",
    ),
    "filtered-subject": Reason(
        "class_current",
        "the district does not take classes of these subjects",
        "filters.subjects in the district's record",
        "integrations",
    ),
    "filtered-course": Reason(
        "class_current",
        "the district does not take classes of this course",
        "filters.courses in the district's record",
        "integrations",
    ),
}
"""Every reason by its code, in the order of the gates."""
