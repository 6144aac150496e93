"""Opening the records: migrations, addresses that are wrong, files that others use or made."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import String, text

from registry.actor import Actor
from registry.facts import LiftFacts
from store.records.repository import Records, RecordsUnavailable
from store.records.schema import metadata
from tests.alerts.rules import T0
from tests.loopback import free_port
from tests.prepared_records import PreparedServer
from tests.store.records.questions import kinds, open_one


def differs_in_type(context: MigrationContext, _found: Any, _wanted: Any, found: Any, wanted: Any) -> bool | None:
    """Return whether the type of a column differs, None for alembic's own answer: texts have no length in SQLite."""
    is_text = isinstance(found, String) and isinstance(wanted, String)
    return False if is_text and context.dialect.name == "sqlite" else None


def test_migrations_create_the_tables_of_the_schema(records: Records) -> None:
    with records._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": differs_in_type})
        assert compare_metadata(context, metadata) == []


def test_processes_that_start_together_migrate_once(bare_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: Records.open(bare_url), range(4)))
    assert [one.revision() for one in opened] == [0, 0, 0, 0]
    for one in opened:
        one.close()


def test_opening_waits_for_another_process_that_writes_a_new_file(tmp_path: Path) -> None:
    """SQLite itself gives up at once when it is to turn the write-ahead log on."""
    other = sqlite3.connect(tmp_path / "records.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, other.execute, ["COMMIT"]).start()
    Records.open(f"sqlite:///{tmp_path}/records.db").close()
    other.close()


@pytest.mark.postgres
def test_postgresql_keeps_no_plan_of_a_query(prepared_server: PreparedServer) -> None:
    """One that it made while a table was empty would read the whole table again for each lift of a storm."""
    with Records.open(prepared_server.empty_records()) as records:
        for _ in range(10):
            records.registry()
        with records._database.reading() as connection:
            assert connection.execute(text("SELECT statement FROM pg_prepared_statements")).all() == []


def test_records_persist_after_opening_again(url: str) -> None:
    with Records.open(url) as first:
        first.put_lift(LiftFacts("a", "north"), Actor.named("me"), T0)
    with Records.open(url) as second:
        assert second.registry()[1][0].facts == LiftFacts("a", "north")


def test_records_of_a_newer_version_are_not_touched(url: str) -> None:
    with Records.open(url) as records, records._database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RecordsUnavailable, match="another version of Liftwatch"):
        Records.open(url)


def test_an_unreachable_server_is_reported_in_one_sentence() -> None:
    with pytest.raises(RecordsUnavailable, match=r"postgresql.*cannot be reached.*check that the server runs"):
        Records.open(f"postgresql://somebody:secret@127.0.0.1:{free_port()}/records")


def test_a_password_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RecordsUnavailable) as failure:
        Records.open(f"postgresql://somebody:hunter2@127.0.0.1:{free_port()}/records")
    assert "hunter2" not in f"{failure.value}{caplog.text}"


@pytest.mark.parametrize("address", ["nonsense", "mysql://host/x", "sqlite://", "sqlite:///:memory:", ""])
def test_an_invalid_url_is_reported_with_valid_examples(address: str) -> None:
    with pytest.raises(RecordsUnavailable, match=r"sqlite:////folder/records\.db"):
        Records.open(address)


def test_a_file_that_is_no_database_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_bytes(b"this is not a database, it is a text " * 100)
    with pytest.raises(RecordsUnavailable, match="cannot be reached"):
        Records.open(f"sqlite:///{tmp_path}/records.db")


def test_a_folder_that_cannot_be_created_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordsUnavailable, match="cannot be made"):
        Records.open(f"sqlite:///{tmp_path}/file/records.db")


@pytest.mark.postgres
def test_a_lost_server_is_reported_and_reconnected(postgres_url: str) -> None:
    with Records.open(postgres_url) as records:
        kill = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()")
        unavailable = pytest.raises(RecordsUnavailable, match="check that the server runs")
        with unavailable, records._database.writing() as connection:
            connection.execute(kill)
        open_one(records)
        assert kinds(records) == ["fired"]


def test_a_file_locked_for_too_long_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.records.database.BUSY_TIMEOUT_S", 0.05)
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records, Records.open(records._database.name) as other:
        with records._database.writing():
            with pytest.raises(RecordsUnavailable, match="locked"):
                open_one(other)
            assert other.open_alerts() == []
        open_one(other)
        assert kinds(records) == ["fired"]
