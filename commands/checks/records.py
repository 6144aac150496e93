"""The records: reachable, and their tables those of this version. Nothing is created or migrated."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from commands.checks.config_check import ConfigCheck
from commands.checks.folders import usable_folder
from commands.errors import Unusable
from configuration import Configuration
from store.records.database import Database, newest_revision
from store.records.sealing.keys import SealingKeys, SecretsUnreadable

KEY, KEY_FILE = "records.url", "records.key_file"


def checks(settings: Configuration) -> Iterator[ConfigCheck]:
    """Return the check of `[records]`."""
    yield ConfigCheck(KEY, lambda: _open(settings.records_url))
    yield ConfigCheck(KEY_FILE, lambda: _keys(settings.records_key_path))


def _keys(path: Path) -> str:
    if not path.exists():
        usable_folder(path.parent, KEY_FILE)
        return f"{path}, made by `liftwatch serve`"
    try:
        count = SealingKeys(path).check()
    except SecretsUnreadable as error:
        raise Unusable(str(error)) from None
    return f"{path}, {count} {'key' if count == 1 else 'keys'}"


def _open(url: str) -> str:
    database = Database(url)
    try:
        path = Path(database.url.database or "")
        if database.is_sqlite and not path.exists():
            usable_folder(path.parent, KEY)
            return f"{database.name}, made at the monitor's first start"
        if database.is_sqlite and not os.access(path, os.W_OK):
            raise Unusable(f"cannot write to {path}; give the file to the monitor's user, or set {KEY} to another one")
        return f"{database.name}, {_tables(database)}"
    finally:
        database.close()


def _tables(database: Database) -> str:
    revision, newest = database.schema_revision(), newest_revision()
    if revision == newest:
        return "its tables are up to date"
    if revision is not None and revision > newest:
        raise Unusable(
            f"the records at {database.name} were made by a newer version of Liftwatch (tables {revision}, here "
            f"{newest}): start that version, or set {KEY} to a database of this version's own"
        )
    if not database.is_sqlite and not _may_create_tables(database):
        raise Unusable(
            f"the user {database.url.username!r} may not create tables at {database.name}; grant CREATE on its schema"
        )
    return "its tables are made" + ("" if revision is None else " up to date") + " when the monitor starts"


def _may_create_tables(database: Database) -> bool:
    with database.engine.connect() as connection:
        return bool(connection.execute(text("SELECT has_schema_privilege(current_schema(), 'CREATE')")).scalar())
