"""The ledger of arrivals in districts' sFTP folders, and since when a folder cannot be looked into."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring the database to this version."""
    op.execute(_ARRIVALS)


_ARRIVALS = """
ALTER TABLE roster.drop_look
    ADD COLUMN files text[],
    ADD COLUMN problem_since timestamptz,
    ADD COLUMN problem_lasts boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN roster.drop_look.files IS 'the standard''s names of the files of the set that was accepted last';
COMMENT ON COLUMN roster.drop_look.problem_lasts IS 'a person must change something; or else it is tried again';
CREATE TABLE roster.arrival (
    arrival_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    district text NOT NULL REFERENCES roster.district ON DELETE CASCADE,
    listing text NOT NULL,
    delta boolean NOT NULL DEFAULT false,
    files integer NOT NULL,
    bytes bigint NOT NULL,
    began_at timestamptz NOT NULL,
    moved_at timestamptz NOT NULL,
    settled_at timestamptz,
    state text NOT NULL CHECK (state IN (
        'moving', 'early', 'waiting', 'settled', 'overdue', 'taken', 'same', 'replaced', 'gone')),
    reason text NOT NULL DEFAULT '',
    delivery_id text,
    ended_at timestamptz
);
CREATE UNIQUE INDEX ON roster.arrival (district) WHERE ended_at IS NULL;
CREATE INDEX ON roster.arrival (district, began_at DESC);
CREATE INDEX ON roster.arrival (ended_at) WHERE settled_at IS NOT NULL AND (state <> 'taken' OR reason <> '');
COMMENT ON TABLE roster.arrival IS 'each upload into a district''s sFTP folder: from the look that first showed it to '
    'the run that decided on it';
COMMENT ON COLUMN roster.arrival.moved_at IS 'the look that showed its latest change';
COMMENT ON COLUMN roster.arrival.settled_at IS 'the look at which it was whole, or had been waited for';
COMMENT ON COLUMN roster.arrival.state IS 'as of the latest look; then: taken by a run, the same content as the '
    'delivery before, replaced by other files before a run had taken it, or gone';
"""
