"""Receipts tell of findings, each with its severity, in place of notes: a rule by file name."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Bring the database to this version."""
    op.execute("""
    UPDATE roster.delivery SET receipt = (receipt - 'notes') || jsonb_build_object('findings', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'rule', CASE rule WHEN 'file-name-case' THEN 'file-name' ELSE rule END,
            'severity', CASE WHEN rule IN ('file-never-stored', 'file-not-used') THEN 'info' ELSE 'warning' END,
            'file', CASE WHEN strpos(file, '@') > 0 THEN '(a file)' ELSE left(file, 60) END,
            'line', NULL,
            'column', ''
        ) ORDER BY file), '[]')
        FROM jsonb_each_text(receipt -> 'notes') AS note (file, rule)
    ))
    WHERE receipt ? 'notes'
    """)
