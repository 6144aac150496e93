"""The newest migration is found without Alembic, and equals the one that Alembic finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from store.records.database import MIGRATIONS, newest_revision
from store.records.repository import Records

OPEN = "import sys; from store.records.lifts import LiftRecords; LiftRecords.open(sys.argv[1]).close(); "


def test_the_newest_migration_is_alembics_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert newest_revision() == ScriptDirectory.from_config(config).get_current_head()


def test_an_opened_database_is_at_the_newest_migration(tmp_path: Path) -> None:
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records:
        assert records._database.schema_revision() == newest_revision()


def test_an_error_of_the_database_does_not_show_the_values_of_its_statement(tmp_path: Path) -> None:
    with Records.open(f"sqlite:///{tmp_path / 'r.db'}") as records, pytest.raises(SQLAlchemyError) as error:
        records._database.engine.connect().execute(text("SELECT :value FROM nowhere"), {"value": "secret-1"})
    assert "nowhere" in str(error.value)
    assert "secret-1" not in str(error.value)


def test_alembic_is_imported_only_where_tables_are_to_be_made(tmp_path: Path) -> None:
    line = [sys.executable, "-c", OPEN + "print('alembic' in sys.modules)", f"sqlite:///{tmp_path}/records.db"]
    assert [subprocess.check_output(line, text=True).strip() for _ in range(2)] == ["True", "False"]
