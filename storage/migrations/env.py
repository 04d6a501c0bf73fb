"""Alembic's entry: runs on the connection that `storage.migrate` opened, inside its transaction."""

from __future__ import annotations

from alembic import context

from storage.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    transactional_ddl=False,  # the caller's transaction holds all of it; Alembic must not commit in between
)
context.run_migrations()
