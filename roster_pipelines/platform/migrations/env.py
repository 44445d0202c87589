"""Run the migrations on the connection that `platform.database.migrate` hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="roster")
with context.begin_transaction():
    context.run_migrations()
