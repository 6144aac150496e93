"""The data are private whichever command makes them: folders 0750, files 0640."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from store.records.repository import Records
from tests.loopback import free_port, until
from tests.processes import start_process

RUN = "import os, sys, liftwatch; os.umask(0); sys.exit(liftwatch.main(sys.argv[1:]))"


def configured(folder: Path) -> list[str]:
    path = folder / "liftwatch.toml"
    path.write_text(
        f"[broker]\nport = {free_port()}\n[monitor]\ndata_dir = '{folder / 'data'}'\n"
        f"[dashboards]\nport = {free_port()}\n",
        encoding="utf-8",
    )
    return ["--config", str(path)]


def open_to_others(data: Path) -> list[str]:
    """Return what in the data folder has other rights than the allowed ones."""
    found = {path: stat.S_IMODE(path.lstat().st_mode) for path in (data, *data.rglob("*"))}
    return [f"{path.name} {mode:o}" for path, mode in found.items() if mode & ~(0o750 if path.is_dir() else 0o640)]


@pytest.mark.parametrize(
    ("command", "made"),
    [
        (["lifts", "import", "lifts.csv"], ["records.db"]),
        (["serve"], ["records.db", "records.db-wal", "records.db-shm"]),
        (["monitor"], ["records.db", "records.db-wal", "records.db-shm", "journal/data.mdb", "journal/lock.mdb"]),
    ],
    ids=["lifts", "serve", "monitor"],
)
def test_the_data_are_private_whichever_command_makes_them(tmp_path: Path, command: list[str], made: list[str]) -> None:
    (tmp_path / "lifts.csv").write_text("lift_id,district\nA,d\n", encoding="utf-8")
    process = start_process([sys.executable, "-c", RUN, *configured(tmp_path), *command], cwd=tmp_path)
    data = tmp_path / "data"
    try:
        until(lambda: all((data / name).exists() for name in made), "the data")
        assert open_to_others(data) == []
    finally:
        process.kill()
        process.wait()


def test_what_an_earlier_version_left_open_is_closed_at_the_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "series" / "speed").mkdir(parents=True)
    (data / "series" / "speed" / "1.parquet").write_bytes(b"")
    with Records.open(f"sqlite:///{data}/records.db"):
        for path in (data, *data.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)
        (tmp_path / "lifts.csv").write_text("lift_id,district\nA,d\n", encoding="utf-8")
        command = [sys.executable, "-c", RUN, *configured(tmp_path), "lifts", "import", "lifts.csv"]
        assert start_process(command, cwd=tmp_path).wait() == 0
        assert open_to_others(data) == []
