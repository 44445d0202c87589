"""Find each district's newest delivery, of whatever status, without reading them all: a sensor asks often."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring the database to this version."""
    op.execute("CREATE INDEX ON roster.delivery (district, landed_at DESC, delivery_id DESC)")
