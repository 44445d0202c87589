"""The database's versions, one module each, applied by Alembic."""
