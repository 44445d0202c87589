"""Who may use what, and why: what of the vendor is read for it, what is worked out, and the decisions on holds."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring the database to this version."""
    op.execute(_PLATFORM)
    op.execute(_ROSTER)


_PLATFORM = """
ALTER TABLE platform.product ADD vendor_resource_ids text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN platform.product.vendor_resource_ids IS 'what districts write into resources.csv for it';
ALTER TABLE platform.licence ADD seats integer CHECK (seats > 0);
COMMENT ON COLUMN platform.licence.seats IS 'how many teachers it is for; NULL: any number';

ALTER TABLE platform.account
    DROP CONSTRAINT account_status_check,
    ADD CHECK (status IN ('inactive', 'active', 'closed')),
    ADD activated_by text CHECK (activated_by IN ('access_code', 'auto_registration')),
    ADD provisioned_for text,
    ADD given_name text,
    ADD family_name text,
    ADD email text,
    ADD changed_at timestamptz NOT NULL DEFAULT now();
UPDATE platform.account SET activated_by = 'access_code' WHERE status = 'active';
CREATE UNIQUE INDEX ON platform.account (district, provisioned_for);
COMMENT ON COLUMN platform.account.status IS 'inactive: never activated; closed: by the vendor, and nothing opens it';
COMMENT ON COLUMN platform.account.provisioned_for IS 'the sourcedId of the teacher for whom auto-registration opened '
    'it; NULL: opened by its owner';

ALTER TABLE platform.access_code ADD redeemed_at timestamptz NOT NULL DEFAULT now();

ALTER TABLE platform.sign_in
    ADD legacy_subject text,
    ADD user_id text,
    ADD identifier text,
    ADD username text,
    ADD role text,
    ADD first_signed_in_at timestamptz NOT NULL DEFAULT now();
UPDATE platform.sign_in SET first_signed_in_at = last_signed_in_at;
COMMENT ON COLUMN platform.sign_in.legacy_subject IS 'who the subject was to an earlier version of the provider, as '
    'LTI 1.3 claims the user id of LTI 1.1';
COMMENT ON COLUMN platform.sign_in.role IS 'a claim that gives nobody a right: the roster''s role counts';
CREATE TABLE platform.account_link (
    sign_in_id bigint PRIMARY KEY REFERENCES platform.sign_in,
    account_id bigint NOT NULL REFERENCES platform.account,
    linked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON platform.account_link (account_id);
COMMENT ON TABLE platform.account_link IS 'the account that a person has linked on the provisioning page';
INSERT INTO platform.account_link (sign_in_id, account_id)
    SELECT sign_in_id, account_id FROM platform.sign_in WHERE account_id IS NOT NULL;
ALTER TABLE platform.sign_in DROP account_id;
CREATE TABLE platform.school_choice (
    sign_in_id bigint NOT NULL REFERENCES platform.sign_in,
    school_nces_id text NOT NULL CHECK (school_nces_id ~ '^[0-9]{12}$'),
    chosen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sign_in_id, school_nces_id)
);
COMMENT ON TABLE platform.school_choice IS 'the schools that a teacher has picked on the provisioning page';

CREATE TABLE platform.account_product (
    district text NOT NULL,
    account_id bigint NOT NULL REFERENCES platform.account,
    product_id text NOT NULL REFERENCES platform.product,
    basis text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, account_id, product_id)
);
COMMENT ON TABLE platform.account_product IS 'what auto-registration lets an account use, besides its codes';
"""

_ROSTER = """
DROP TABLE roster.identity, roster.entitlement, roster.gate;
CREATE TABLE roster.identity (
    district text NOT NULL,
    sign_in_id bigint NOT NULL,
    person_sourced_id text,
    outcome text NOT NULL,
    key text,
    candidates text NOT NULL,
    PRIMARY KEY (district, sign_in_id)
);
COMMENT ON TABLE roster.identity IS 'who each SSO sign-in is in the roster, and by which key, or why nobody';
COMMENT ON COLUMN roster.identity.candidates IS 'as JSON list: whom its claims fit, where that is not one';
CREATE TABLE roster.identity_key (
    district text NOT NULL,
    person_sourced_id text NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    first_seen date NOT NULL,
    last_seen date,
    PRIMARY KEY (district, person_sourced_id, kind, value)
);
COMMENT ON TABLE roster.identity_key IS 'the keys of every person who was matched to a sign-in; old ones stay';
COMMENT ON COLUMN roster.identity_key.last_seen IS 'NULL as long as it is the person''s';
CREATE TABLE roster.entitlement (
    district text NOT NULL,
    person_sourced_id text NOT NULL,
    product_id text NOT NULL,
    basis text NOT NULL,
    school_sourced_id text,
    class_sourced_id text,
    account_id bigint,
    licence_id bigint,
    seated boolean NOT NULL
);
CREATE INDEX ON roster.entitlement (district);
COMMENT ON COLUMN roster.entitlement.school_sourced_id IS 'the one school it holds for; NULL: the whole district';
COMMENT ON COLUMN roster.entitlement.class_sourced_id IS 'the one class it holds for; NULL: all of theirs';
COMMENT ON COLUMN roster.entitlement.account_id IS 'NULL: auto-registration is to open one';
COMMENT ON COLUMN roster.entitlement.seated IS 'false: waits for a seat, and entitles to nothing yet';
CREATE TABLE roster.gate (
    district text NOT NULL,
    person_sourced_id text NOT NULL,
    class_sourced_id text,
    in_roster text,
    role text,
    signed_in text,
    account_active text,
    entitled text,
    stage text,
    class_current text,
    waiting_for text,
    reason text,
    planned boolean NOT NULL,
    if_signed_in boolean NOT NULL
);
CREATE INDEX ON roster.gate (district, person_sourced_id);
COMMENT ON TABLE roster.gate IS 'for each teacher and class, gate by gate: NULL where it holds, or the reason why not';
COMMENT ON COLUMN roster.gate.waiting_for IS 'the first gate that does not hold; NULL: all hold';
COMMENT ON COLUMN roster.gate.planned IS 'all hold but for a stage that keeps the whole district waiting';
COMMENT ON COLUMN roster.gate.if_signed_in IS 'would hold if the teacher signed in and had an account and a code';
ALTER TABLE roster.plan
    ADD record text,
    ADD next_change date,
    ADD active jsonb NOT NULL DEFAULT '{}',
    ADD held_rows text;
COMMENT ON COLUMN roster.plan.next_change IS 'the next day on which it may be another, though nothing is delivered';
COMMENT ON COLUMN roster.plan.record IS 'a hash of the district''s record that it was made by; NULL: out of date';
COMMENT ON COLUMN roster.plan.active IS 'how many rows of each table were active before it';
COMMENT ON COLUMN roster.plan.held_rows IS 'a hash of the rows that it holds; NULL: none';
CREATE TABLE roster.decision (
    plan_id bigint PRIMARY KEY REFERENCES roster.plan,
    district text NOT NULL,
    delivery_id text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('approve', 'discard')),
    decided_by text NOT NULL,
    why text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON roster.decision (district, delivery_id);
CREATE INDEX ON roster.delivery (district, landed_at DESC, delivery_id DESC) WHERE status = 'accepted';
COMMENT ON TABLE roster.decision IS 'what a person decided on the removals that a plan held back';
DELETE FROM roster.matching;
ALTER TABLE roster.matching ADD record text, ADD day date NOT NULL;
COMMENT ON COLUMN roster.matching.record IS 'a hash of the district''s record; NULL: out of date';
COMMENT ON COLUMN roster.matching.day IS 'the day that all else is worked out for, in the district''s time zone';
UPDATE roster.plan SET made_from = 'before version 3';

WITH changed AS (
    UPDATE roster.district SET version = version + 1, record = record || '{"stage": "onboarding"}'
    WHERE record ->> 'stage' <> 'onboarding' AND record ->> 'sign_in' IS NULL
    RETURNING district, version, record)
INSERT INTO roster.district_history (district, version, record, changed_by, why)
SELECT district, version, record, 'migration', 'back to onboarding: from version 3 on, any other stage needs sign_in'
FROM changed;
"""
