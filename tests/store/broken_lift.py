"""A database that fails at one lift: what a transaction before it has written stays."""

from __future__ import annotations

from sqlalchemy import text

from store.records.repository import Records


def break_lift(records: Records, lift_id: str) -> None:
    """Let SQLite refuse every further change of a lift."""
    trigger = f"BEFORE UPDATE ON lifts WHEN NEW.lift_id = '{lift_id}' BEGIN SELECT RAISE(ABORT, 'broken'); END"
    with records._database.writing() as connection:
        connection.execute(text(f"CREATE TRIGGER broken_lift {trigger}"))
