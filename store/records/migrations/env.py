"""Run migrations inside the transaction that `Database.migrate` opened."""

from __future__ import annotations

from alembic import context

from store.records.identity import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables.metadata)
with context.begin_transaction():
    context.run_migrations()
