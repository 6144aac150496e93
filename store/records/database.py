"""The database under the records: SQLite (a file, the default) or PostgreSQL, by URL.

The first transaction brings the tables up to date. A schema that is up to date is not migrated, and then Alembic is
not imported: it takes half as long as all the rest.

A transaction that changes alerts holds one lock until its commit (`BEGIN IMMEDIATE`, or an advisory lock), so the
numbers of transitions are committed in order and a reader at n has seen all up to n. A database that does not answer
raises `RecordsUnavailable`; the caller reports it, or waits and tries again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, create_engine, event, exc, make_url, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.schema import Table

from store.records.schema import counters
from store.records.sealing.keys import SealingKeys
from store.sqlite_file import BUSY_TIMEOUT_S, WriterBusy, WriterTurns, begin, prepare

POSTGRESQL_CONNECTION = {"connect_timeout": 5, "prepare_threshold": None}
"""`prepare_threshold`: no plan is kept. One that was made for an empty table takes minutes for a storm of alerts."""
WRITER_LOCK = 0x11F7
REVISION = "registry"  # the counter of changes to the registry: lifts and maintenance windows
KEY_SUFFIX = ".key"
MIGRATIONS = Path(__file__).parent / "migrations"


class RecordsUnavailable(Exception):
    """The records cannot be reached now; the text names a remedy."""


class Database:
    """Transactions on one database, independent of its tables."""

    def __init__(self, url: str, key_file: Path | None = None) -> None:
        self.url = _normal(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if key_file is None and self.is_sqlite and self.url.database:
            key_file = Path(self.url.database).with_suffix(KEY_SUFFIX)
        self.keys = SealingKeys(key_file)
        self._migrating, self._is_migrated = threading.Lock(), False
        self._turns = WriterTurns()
        self._open = threading.local()
        if self.is_sqlite:
            self.engine = create_engine(self.url, connect_args={"timeout": BUSY_TIMEOUT_S}, hide_parameters=True)
            event.listen(self.engine, "connect", prepare)
            event.listen(self.engine, "begin", begin)
        else:
            self.engine = create_engine(
                self.url, pool_pre_ping=True, connect_args=POSTGRESQL_CONNECTION, hide_parameters=True
            )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        self.migrate()
        with self._reading() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, durable: bool = True, ordered: bool | None = None) -> Iterator[Connection]:
        """Open a writing transaction, or join the one that this thread has open.

        Without `durable` a loss of power may undo the last seconds, up to the last durable transaction. Ordered
        ones, the durable by default, exclude each other: those that write transitions or entries, or claim something.
        """
        joined: Connection | None = getattr(self._open, "connection", None)
        if joined is not None:
            yield joined
            return
        self.migrate()
        with self._writing(durable, durable if ordered is None else ordered) as connection:
            self._open.connection = connection
            try:
                yield connection
            finally:
                self._open.connection = None

    @contextmanager
    def _writing(self, durable: bool = True, ordered: bool = True) -> Iterator[Connection]:
        with self._translated(), self._turn(), self.engine.connect() as bare:
            connection = bare.execution_options(writes=True, durable=durable)
            with connection.begin():
                if ordered and not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
                if not durable and not self.is_sqlite:
                    connection.execute(text("SET LOCAL synchronous_commit = off"))
                yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for the turn of this thread to write to a file of SQLite, before it takes a connection."""
        if not self.is_sqlite:
            yield
            return
        with self._turns.turn():
            yield

    def migrate(self) -> None:
        """Migrate the tables to this version, once; two processes that start together wait for each other."""
        with self._migrating:
            if not self._is_migrated:
                self._migrate()
                self._is_migrated = True

    def _migrate(self) -> None:
        if self.is_sqlite and self.url.database:
            try:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise RecordsUnavailable(f"The folder of {self.name} cannot be made: {error}.") from error
        if self.schema_revision() == newest_revision():
            return
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        try:
            with self._writing() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError as error:
            raise RecordsUnavailable(
                f"The records at {self.name} were made by another version of Liftwatch ({error}): start that version,"
                " or give this one a database of its own."
            ) from error

    def schema_revision(self) -> str | None:
        """Return the newest migration that was applied to this database, None where there is none."""
        with self._reading() as connection:
            if not self.engine.dialect.has_table(connection, "alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def insert(self, table: Table) -> Any:
        """Return this database's INSERT with ON CONFLICT."""
        if self.is_sqlite:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)

    def count_up(self, connection: Connection, name: str) -> int:
        """Add one to a named counter and return it; its row is locked until the commit."""
        row = self.insert(counters).values(name=name, value=1)
        upsert = row.on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + 1})
        return int(connection.execute(upsert.returning(counters.c.value)).scalar_one())

    def set_counter(self, connection: Connection, name: str, value: int) -> None:
        """Set a named counter."""
        row = self.insert(counters).values(name=name, value=value)
        connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))

    @property
    def name(self) -> str:
        """The address without its password."""
        return self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, WriterBusy) as error:
            raise self._unavailable(error) from error
        except exc.DatabaseError as error:
            if type(error) is exc.DatabaseError or error.connection_invalidated:
                raise self._unavailable(error) from error
            raise

    def _unavailable(self, error: Exception) -> RecordsUnavailable:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        remedy = (
            "check that its folder exists, can be written and is not full"
            if self.is_sqlite
            else "check that the server runs and that user, password and database name are right"
        )
        return RecordsUnavailable(f"The records at {self.name} cannot be reached ({cause}): {remedy}.")


class Repository:
    """An open database; subclasses add the queries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str, key_file: Path | None = None) -> Self:
        """Open the records at `url` (`sqlite:////folder/records.db`, `postgresql://…`) and bring them up to date.

        `key_file` has the keys of secrets that have to be read again; by default it lies beside the file of SQLite.
        Raises `RecordsUnavailable`, whose text has the remedy.
        """
        repository = cls.opened_at_first_use(url, key_file)
        try:
            repository._database.migrate()
        except RecordsUnavailable:
            repository.close()
            raise
        return repository

    @classmethod
    def opened_at_first_use(cls, url: str, key_file: Path | None = None) -> Self:
        """Return the records at `url`, opened at first use; until then every use may raise RecordsUnavailable.

        Raises `RecordsUnavailable` at once for an invalid address.
        """
        return cls(Database(url, key_file))

    @property
    def name(self) -> str:
        """The address without its password."""
        return self._database.name

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def newest_revision() -> str:
    """Return the newest migration, which is the first part of its file's name."""
    return max(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("*.py"))


def read_counter(connection: Connection, name: str) -> int:
    """Return a named counter, 0 where it was never set."""
    found = connection.execute(counters.select().where(counters.c.name == name)).first()
    return int(found.value) if found else 0


def _normal(url: str) -> URL:
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise RecordsUnavailable(
            f"{url!r} is no address of a database: write sqlite:////folder/records.db or postgresql://user@host/name."
        ) from error
    backend = parsed.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise RecordsUnavailable(
            f"Records are kept in a SQLite file or in PostgreSQL, not at {parsed.render_as_string()}: write"
            " sqlite:////folder/records.db or postgresql://user@host/name."
        )
    return parsed
