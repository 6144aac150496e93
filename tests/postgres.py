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

from tests.loopback import free_port, until
from tests.processes import bound, start_process

USER = "postgres"


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest where there are several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a server and give its address without a database's name."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("PostgreSQL does not run as root, and setpriv is not there to change the user")
    folder = Path(tempfile.mkdtemp(prefix="liftwatch-postgres-"))
    as_user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, USER, USER)
    port, data, log = free_port(), folder / "data", folder / "log"
    initdb = [programs / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run([*as_user, *initdb], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    postgres = [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-c", "fsync=off"]
    with log.open("wb") as out:
        server = start_process([*as_user, *bound(), *postgres], cwd=folder, stdout=out, stderr=out)
    try:
        until(lambda: server.poll() is not None or accepts_connections(port), "PostgreSQL")
        assert server.poll() is None, log.read_text(encoding="utf-8")
        yield f"postgresql://{USER}@127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def accepts_connections(port: int) -> bool:
    """Say whether the server takes clients: it listens before it does."""
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
