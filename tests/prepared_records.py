"""Empty records of this version for the tests, and databases without a table for the tests of migrations.

The migrations run once in a process of the test run; each test gets a copy, which takes a tenth of their time.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from store.records.repository import Records

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
COPY = "copied"
PREPARED = "prepared"


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite with empty records, to be copied."""
    path: Path = tmp_path_factory.mktemp("prepared") / "records.db"
    Records.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def prepared_server(postgres_server: str) -> str:
    """A server of PostgreSQL with a database of empty records, to be copied; its address without a database's name."""
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {PREPARED}")
    Records.open(f"{postgres_server}/{PREPARED}").close()
    return postgres_server


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
    server = request.getfixturevalue("prepared_server")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {COPY} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {COPY} TEMPLATE {PREPARED}")
    return f"{server}/{COPY}"


@pytest.fixture(params=KINDS)
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of each kind that has no table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bare.db"
    return str(request.getfixturevalue("postgres_url"))
