"""Which heavy packages each command may import: a command's start costs what it imports, whether it uses it or not.

Each command runs in a process of its own: as far as its help, or, for those that must be quick, to their end.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import liftwatch
from tests.loopback import free_port

# Packages that cost a command more than some tens of milliseconds of CPU, and our own rooms that bring such packages.
HEAVY = frozenset(
    {
        "alembic", "amqtt", "cryptography", "fastapi", "httpx", "influxdb_client", "lmdb", "matplotlib", "numba",
        "numpy", "paho",
        "pandas", "polars", "psycopg", "pydantic", "scipy", "scipy.signal", "scipy.stats", "simdjson", "sqlalchemy",
        "starlette", "uvicorn",
        "dashboards", "detectors", "evaluation", "simulator.playback.simulation", "simulator.world",
    }
)  # fmt: skip
RULES = {"detectors", "numba", "numpy", "scipy"}
RECORDS = RULES | {"alembic", "sqlalchemy"}  # the alerts are kept beside the registry, and know the rules
SERIES = {"httpx", "influxdb_client", "numpy", "polars"}
JUDGING = RECORDS | {"paho", "polars", "simdjson"}
WORLD = {"numba", "numpy", "simulator.playback.simulation", "simulator.world"}

CONFIGURATION = {"pydantic"}

# For each command, besides what the configuration needs.
MAY_IMPORT: dict[str, set[str]] = {
    "demo": set(),
    "monitor": JUDGING | SERIES | {"lmdb"},
    "serve": RECORDS | SERIES | {"cryptography", "dashboards", "fastapi", "paho", "starlette", "uvicorn"},
    "history": RECORDS | SERIES | {"simulator.world"},
    "simulate": JUDGING | WORLD,
    "inject": {"numpy", "paho", "sqlalchemy"},
    "record": JUDGING | SERIES,
    "replay": JUDGING | WORLD,
    "evaluate": JUDGING | WORLD | {"evaluation", "matplotlib", "scipy.stats"},
    "rules": JUDGING | WORLD,
    "lifts": {"sqlalchemy"},
    "audit": {"numpy", "sqlalchemy"},
    "devices": {"cryptography", "sqlalchemy"},
    "influx-tokens": SERIES | {"sqlalchemy"},
    "people": {"sqlalchemy"},
    "organisations": {"sqlalchemy"},
    "check-config": JUDGING | SERIES | {"dashboards", "fastapi", "starlette"},  # reads outlines as the map does
    "compile": RULES | WORLD | {"simdjson", "sqlalchemy"},
    "broker": {"amqtt"},
}
RUN = """
import sys
import liftwatch
try:
    code = liftwatch.main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print("\\n" + " ".join(sys.modules))
sys.exit(code)
"""


def imported(*arguments: str, setup: str = "") -> set[str]:
    """Run a command in a process of its own and return the heavy packages that it has imported by its end."""
    line = [sys.executable, "-c", setup + RUN, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 2), done.stderr
    return HEAVY & set(done.stdout.splitlines()[-1].split())


def configured(folder: Path) -> list[str]:
    """Write a configuration whose broker is not there."""
    path = folder / "liftwatch.toml"
    path.write_text(f"[broker]\nport = {free_port()}\n[monitor]\ndata_dir = '{folder}'\n", encoding="utf-8")
    return ["--config", str(path)]


def test_every_command_has_its_line() -> None:
    assert set(MAY_IMPORT) == set(liftwatch.COMMANDS)
    assert set().union(*MAY_IMPORT.values()) <= HEAVY


def test_the_list_of_commands_is_printed_without_any_heavy_package() -> None:
    assert imported("--help") == set()


@pytest.mark.parametrize("command", MAY_IMPORT)
def test_a_command_imports_only_what_it_needs(command: str) -> None:
    assert imported(command, "--help") - MAY_IMPORT[command] <= CONFIGURATION


def test_a_request_for_a_fault_loads_no_world(tmp_path: Path) -> None:
    injected = imported(*configured(tmp_path), "inject", "sim-00001", "power-cut")
    assert injected == MAY_IMPORT["inject"] | CONFIGURATION


def test_a_copy_of_the_registry_loads_its_database_and_nothing_else(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    made = imported(*configuration, "lifts", "export")
    assert made - {"numpy"} == {"alembic", "sqlalchemy", *CONFIGURATION}  # its tables are made
    assert imported(*configuration, "lifts", "export") == {"sqlalchemy", *CONFIGURATION}


def test_a_starting_monitor_loads_neither_web_framework_nor_plots_nor_simulator(tmp_path: Path) -> None:
    one_round = (
        "from ingest.monitor import Monitor as M; receive = M._receive; "
        "M._receive = lambda monitor: (receive(monitor), monitor.stop())"
    )
    loaded = imported(*configured(tmp_path), "monitor", setup=one_round)
    assert loaded - MAY_IMPORT["monitor"] == CONFIGURATION
    assert {"sqlalchemy", "lmdb", "paho"} <= loaded  # it has opened all that it has; only the broker is not there


def test_no_promise_of_a_quick_start_is_widened() -> None:
    web_plots_and_world = {"fastapi", "matplotlib", "evaluation", "dashboards", *WORLD} - RULES
    assert not MAY_IMPORT["monitor"] & web_plots_and_world
    slow = HEAVY - {"numpy", "paho", "sqlalchemy"}
    assert not slow & (MAY_IMPORT["inject"] | MAY_IMPORT["lifts"] | MAY_IMPORT["demo"])


def test_a_heavy_import_is_noticed() -> None:
    assert "matplotlib" in imported("evaluate", "--help") - MAY_IMPORT["monitor"]
    assert imported("--help", setup="import sqlalchemy") == {"sqlalchemy"}
