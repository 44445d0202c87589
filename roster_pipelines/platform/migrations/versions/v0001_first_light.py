"""The registry, the ledgers, the vendor's contract and the rostered classes."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Bring the database to this version."""
    op.execute(_PLATFORM)
    op.execute(_ROSTER)


# What the vendor's application keeps and shows. We read the first half and write the second; nothing is ever
# deleted, `active` tells. Every key begins with the district: ids are unique only inside one.
_PLATFORM = """
CREATE TABLE platform.product (
    product_id text PRIMARY KEY,
    name text NOT NULL
);
CREATE TABLE platform.licence (
    licence_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    district text NOT NULL,
    product_id text NOT NULL REFERENCES platform.product,
    school_nces_id text CHECK (school_nces_id ~ '^[0-9]{12}$'),
    starts_on date NOT NULL,
    ends_on date NOT NULL CHECK (ends_on > starts_on)
);
CREATE INDEX ON platform.licence (district);
COMMENT ON COLUMN platform.licence.school_nces_id IS 'the one school it covers; NULL: the whole district';
COMMENT ON COLUMN platform.licence.ends_on IS 'the first day without it';
CREATE TABLE platform.account (
    account_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    district text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'inactive'))
);
CREATE INDEX ON platform.account (district);
COMMENT ON TABLE platform.account IS 'a teacher''s account with the vendor';
CREATE TABLE platform.access_code (
    access_code_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES platform.account,
    product_id text NOT NULL REFERENCES platform.product,
    UNIQUE (account_id, product_id)
);
COMMENT ON TABLE platform.access_code IS 'a Teacher Access Code that an account has redeemed, and for what';
CREATE TABLE platform.sign_in (
    sign_in_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    district text NOT NULL,
    provider text NOT NULL,
    subject text NOT NULL,
    sourced_id text,
    email text,
    account_id bigint REFERENCES platform.account,
    last_signed_in_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (district, provider, subject)
);
COMMENT ON TABLE platform.sign_in IS 'a person who has signed in by SSO: the provider''s subject, its claims, and the '
    'account that was linked on the provisioning page';

CREATE TABLE platform.rostered_class (
    district text NOT NULL,
    class_sourced_id text NOT NULL,
    title text,
    grades text,
    subjects text,
    school_sourced_id text,
    active boolean NOT NULL DEFAULT true,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, class_sourced_id)
);
CREATE TABLE platform.student_account (
    district text NOT NULL,
    student_sourced_id text NOT NULL,
    username text,
    given_name text,
    family_name text,
    grades text,
    active boolean NOT NULL DEFAULT true,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, student_sourced_id)
);
CREATE TABLE platform.rostered_class_teacher (
    district text NOT NULL,
    class_sourced_id text NOT NULL,
    account_id bigint NOT NULL REFERENCES platform.account,
    teacher_sourced_id text NOT NULL,
    is_primary boolean,
    active boolean NOT NULL DEFAULT true,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, class_sourced_id, account_id),
    FOREIGN KEY (district, class_sourced_id) REFERENCES platform.rostered_class
);
CREATE TABLE platform.rostered_class_student (
    district text NOT NULL,
    class_sourced_id text NOT NULL,
    student_sourced_id text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, class_sourced_id, student_sourced_id),
    FOREIGN KEY (district, class_sourced_id) REFERENCES platform.rostered_class,
    FOREIGN KEY (district, student_sourced_id) REFERENCES platform.student_account
);
"""

_ROSTER = """
CREATE TABLE roster.district (
    district text PRIMARY KEY CHECK (district ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
    version integer NOT NULL,
    record jsonb NOT NULL
);
CREATE TABLE roster.district_history (
    district text NOT NULL,
    version integer NOT NULL,
    record jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL,
    why text NOT NULL,
    PRIMARY KEY (district, version)
);
CREATE TABLE roster.drop_look (
    district text PRIMARY KEY REFERENCES roster.district ON DELETE CASCADE,
    listing text,
    unchanged_since timestamptz,
    taken text,
    takings integer NOT NULL DEFAULT 0,
    problem text,
    looked_at timestamptz NOT NULL
);
COMMENT ON TABLE roster.drop_look IS 'what the arrivals sensor saw last in a folder, and a run decided on last';
CREATE TABLE roster.delivery (
    district text NOT NULL,
    delivery_id text NOT NULL,
    fingerprint text NOT NULL,
    landed_at timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN ('landed', 'accepted', 'refused')),
    decided_at timestamptz,
    reason text,
    listing text NOT NULL,
    receipt jsonb NOT NULL,
    PRIMARY KEY (district, delivery_id)
);
COMMENT ON COLUMN roster.delivery.listing IS 'fingerprint of the folder''s listing that it was fetched from last';
CREATE TABLE roster.identity (
    district text NOT NULL,
    sign_in_id bigint NOT NULL,
    account_id bigint,
    person_sourced_id text,
    outcome text NOT NULL,
    PRIMARY KEY (district, sign_in_id)
);
CREATE TABLE roster.matching (
    district text PRIMARY KEY,
    made_from text NOT NULL,
    sign_ins integer NOT NULL,
    matched integer NOT NULL,
    matched_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN roster.matching.made_from IS 'the state (platform/state.py) that all else is made from';
COMMENT ON TABLE roster.identity IS 'who each SSO sign-in is in the roster, and by which key, or why nobody';
CREATE TABLE roster.entitlement (
    district text NOT NULL,
    person_sourced_id text NOT NULL,
    account_id bigint NOT NULL,
    product_id text NOT NULL,
    basis text NOT NULL,
    licence_id bigint NOT NULL,
    school_sourced_id text
);
CREATE INDEX ON roster.entitlement (district);
COMMENT ON COLUMN roster.entitlement.school_sourced_id IS 'the one school it holds for; NULL: the whole district';
CREATE TABLE roster.gate (
    district text NOT NULL,
    person_sourced_id text NOT NULL,
    classes integer NOT NULL,
    waiting_for text,
    PRIMARY KEY (district, person_sourced_id)
);
COMMENT ON COLUMN roster.gate.waiting_for IS 'the first gate that does not hold; NULL: all hold';
CREATE TABLE roster.plan (
    district text NOT NULL,
    plan_id bigint GENERATED ALWAYS AS IDENTITY,
    delivery_id text NOT NULL,
    counts jsonb NOT NULL,
    planned_at timestamptz NOT NULL DEFAULT now(),
    outcome text NOT NULL CHECK (outcome IN ('planned', 'applied', 'superseded', 'not_applied')),
    decided_at timestamptz,
    made_from text NOT NULL,
    PRIMARY KEY (plan_id)
);
CREATE INDEX ON roster.plan (district, plan_id DESC);
"""
