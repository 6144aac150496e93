"""A PostgreSQL of our own for the tests: Debian's binaries, a free loopback port, a folder that goes away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.loopback import PATIENCE_S, free_port, until
from tests.processes import bound, start_process

USER = "postgres"


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest where there are several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


class PostgresServer:
    """A server with a folder of its own, that a test may stop and start again at the same port."""

    def __init__(self) -> None:
        programs = binaries()
        if programs is None:
            pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
        if os.geteuid() == 0 and not shutil.which("setpriv"):
            pytest.skip("PostgreSQL does not run as root, and setpriv is not there to change the user")
        self._folder = Path(tempfile.mkdtemp(prefix="liftwatch-postgres-"))
        as_user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--"] if os.geteuid() == 0 else []
        if as_user:
            shutil.chown(self._folder, USER, USER)
        self._port, data = free_port(), self._folder / "data"
        initdb = [programs / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        where = {"cwd": self._folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        subprocess.run([*as_user, *initdb], check=True, **where)  # type: ignore[call-overload]
        listening = ["-h", "127.0.0.1", "-p", str(self._port), "-k", self._folder]
        self._command = [*as_user, *bound(), programs / "postgres", "-D", data, *listening, "-c", "fsync=off"]
        self.url = f"postgresql://{USER}@127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        log = self._folder / "log"
        with log.open("ab") as out:
            self._server = start_process(self._command, cwd=self._folder, stdout=out, stderr=out)
        until(lambda: self._server.poll() is not None or accepts_connections(self._port), "PostgreSQL")
        assert self._server.poll() is None, log.read_text(encoding="utf-8")

    def stop(self) -> None:
        """Stop at once, as after a failure of power: the next start recovers."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(PATIENCE_S)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a server and give its address without a database's name."""
    server = PostgresServer()
    yield server.url
    server.remove()


def accepts_connections(port: int) -> bool:
    """Return whether the server takes clients: it listens before it does."""
    try:
        psycopg.connect(f"postgresql://{USER}@127.0.0.1:{port}").close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """Give the address of an empty database: the same one for each test, emptied, which is faster than a new one."""
    url = f"{postgres_server}/{USER}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid != pg_backend_pid()"
        )
        connection.execute("SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return url
