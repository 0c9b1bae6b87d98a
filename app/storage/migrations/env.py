"""Alembic's entry: runs on the connection that `upgrade` hands it, in that one's transaction."""

from alembic import context

from app.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
