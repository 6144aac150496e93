"""Empty records of this version for the tests, and databases without a table for the tests of migrations.

The migrations run once in a process of the test run. In SQLite each test gets a copy of the file. In PostgreSQL the
tests use one copy after one another: to delete the rows of the last test takes some milliseconds, to copy the database
half a second. The copy is made anew where a test has changed the tables or made them large.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest

from store.records.repository import Records

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
COPY = "copied"
PREPARED = "prepared"
LARGE_BYTES = 4 << 20
"""A copy that has grown by more is made anew."""
OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid != pg_backend_pid()"
)
RELATIONS = (
    "SELECT oid, oid::regclass::text, relkind, relnatts, relchecks, relhastriggers, relhasrules FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
)
SIZE = "SELECT pg_database_size(current_database())"


class PreparedServer:
    """A server with a database of empty records, and a copy of the database that one test after the other uses."""

    def __init__(self, server: str) -> None:
        self._server = server
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {PREPARED}")
        Records.open(f"{server}/{PREPARED}").close()
        self._copy()

    def empty_records(self) -> str:
        """Return the address of the copy, as the migrations have left it."""
        try:
            with psycopg.connect(f"{self._server}/{COPY}", autocommit=True) as connection:
                connection.execute(OTHERS)
                connection.execute("SET session_replication_role = replica")  # neither triggers nor foreign keys
                connection.execute(self._restore)
                is_usable = connection.execute(RELATIONS).fetchall() == self._relations
                is_usable &= _size_bytes(connection) <= self._size_bytes + LARGE_BYTES
        except psycopg.Error:
            is_usable = False
        if not is_usable:
            self._copy()
        return f"{self._server}/{COPY}"

    def _copy(self) -> None:
        with psycopg.connect(f"{self._server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {COPY} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {COPY} TEMPLATE {PREPARED}")
        with psycopg.connect(f"{self._server}/{COPY}", autocommit=True) as connection:
            self._relations = connection.execute(RELATIONS).fetchall()
            self._restore = ";".join(_statements(connection, self._relations))
            self._size_bytes = _size_bytes(connection)


def _statements(connection: psycopg.Connection, relations: list[tuple[Any, ...]]) -> Iterator[str]:
    """Keep the rows that the migrations have made, and yield the statements that restore all tables and sequences."""
    connection.execute(f"CREATE SCHEMA {PREPARED}")
    for oid, name, kind, *_ in relations:
        if kind == "r":
            yield f"DELETE FROM {name}"
            if connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone():
                connection.execute(f"CREATE TABLE {PREPARED}.{name} AS TABLE {name}")
                yield f"INSERT INTO {name} SELECT * FROM {PREPARED}.{name}"
        elif kind == "S":
            last = connection.execute("SELECT pg_sequence_last_value(%s)", [oid]).fetchone()
            yield f"SELECT setval({oid}, {last[0]})" if last and last[0] else f"SELECT setval({oid}, 1, false)"


def _size_bytes(connection: psycopg.Connection) -> int:
    return int(connection.execute(SIZE).fetchall()[0][0])


@cache
def _empty_file() -> bytes:
    """Return the content of a file of SQLite with empty records."""
    with TemporaryDirectory() as folder:
        Records.open(f"sqlite:///{folder}/records.db").close()
        return (Path(folder) / "records.db").read_bytes()


def open_empty(path: Path) -> Records:
    """Open records in a file of SQLite, empty ones where the file does not exist."""
    if not path.exists():
        path.write_bytes(_empty_file())
    return Records.open(f"sqlite:///{path}")


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite with empty records, to be copied."""
    path: Path = tmp_path_factory.mktemp("prepared") / "records.db"
    path.write_bytes(_empty_file())
    return path


@pytest.fixture(scope="session")
def prepared_server(postgres_server: str) -> PreparedServer:
    """A server of PostgreSQL with a database of empty records."""
    return PreparedServer(postgres_server)


@pytest.fixture
def records_url(prepared_file: Path, tmp_path: Path) -> str:
    """The address of empty records in SQLite."""
    shutil.copy(prepared_file, tmp_path / "records.db")
    return f"sqlite:///{tmp_path}/records.db"


@pytest.fixture(name="url", params=KINDS)
def url_of_records(request: pytest.FixtureRequest) -> str:
    """The address of empty records in a database of each kind."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("records_url"))
    return str(request.getfixturevalue("prepared_server").empty_records())


@pytest.fixture(params=KINDS)
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of each kind that has no table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bare.db"
    return str(request.getfixturevalue("postgres_url"))
