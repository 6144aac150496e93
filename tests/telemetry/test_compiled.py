"""Compiled recurrences: what the cache on disk keeps, when its code is stale, and that it is never needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from detectors.catalogue import RULES
from ingest.warm_up import warm_up
from telemetry import compiled
from telemetry.compiled import compilations

ROOT = Path(__file__).parents[2]
CALLEE = """
from telemetry.compiled import compiled

@compiled
def amount():
    return {amount}
"""
CALLER = """
import callee
from telemetry.compiled import compilations, compiled, not_kept

@compiled
def twice(n):
    return n * _amount()

@compiled
def _amount():
    return callee.amount()

print(twice(2), compilations(), not_kept() != "")
"""

TUPLE = """
from typing import NamedTuple
from telemetry.compiled import compiled

class {name}(NamedTuple):
    amount: int

@compiled
def twice(one):
    return 2 * one.amount

ONE = {name}(3)
"""
CALLER_WITH_TUPLE = """
import callee
from telemetry.compiled import compilations, not_kept

print(callee.twice(callee.ONE), compilations(), not_kept() != "")
"""

jit = pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="the compiler is switched off")


class RefusingFolder:
    """A folder for compiled code of a source that cannot be read."""

    @classmethod
    def from_function(cls, *_: Any) -> NoReturn:
        raise PermissionError(13, "Permission denied", "source.py")


def run(folder: Path, cache: str, amount: int = 3) -> list[str]:
    """Run the caller in a process of its own: its result, how many functions were compiled, whether code was lost.

    All versions of a file have one time of modification: neither that time nor Python's own cache tells them apart.
    """
    return run_caller(folder, cache, CALLEE.format(amount=amount), CALLER)


def run_caller(folder: Path, cache: str, callee: str, caller: str) -> list[str]:
    """Run a module that calls another in a process of its own, and return what it prints."""
    for name, source in (("callee.py", callee), ("caller.py", caller)):
        (folder / name).write_text(source, encoding="utf-8")
        os.utime(folder / name, (1_700_000_000, 1_700_000_000))
    environment = os.environ | {
        "NUMBA_CACHE_DIR": cache,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
    }
    ran = subprocess.run(
        [sys.executable, "caller.py"], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return ran.stdout.split()


@jit
def test_a_second_process_takes_the_code_from_the_cache(tmp_path: Path) -> None:
    assert run(tmp_path, str(tmp_path / "cache")) == ["6", "3", "False"]
    assert run(tmp_path, str(tmp_path / "cache")) == ["6", "0", "False"]


@jit
def test_code_is_stale_when_a_function_that_it_calls_changes(tmp_path: Path) -> None:
    run(tmp_path, str(tmp_path / "cache"))
    assert run(tmp_path, str(tmp_path / "cache"), amount=5) == ["10", "3", "False"]


@jit
def test_a_cache_that_cannot_be_written_is_not_fatal(tmp_path: Path) -> None:
    run(tmp_path, str(tmp_path / "cache"))
    for path in (tmp_path / "cache").rglob("*.nbi"):
        path.unlink()
        path.mkdir()
    assert run(tmp_path, str(tmp_path / "cache")) == ["6", "3", "True"]


@jit
@pytest.mark.parametrize("kind", ["*.nbi", "*.nbc"])
def test_a_cache_whose_files_are_cut_short_is_written_anew(tmp_path: Path, kind: str) -> None:
    run(tmp_path, str(tmp_path / "cache"))
    for path in (tmp_path / "cache").rglob(kind):
        path.write_bytes(path.read_bytes()[:-20])
    assert run(tmp_path, str(tmp_path / "cache")) == ["6", "3", "False"]
    assert run(tmp_path, str(tmp_path / "cache")) == ["6", "0", "False"]


@jit
def test_a_cache_that_names_a_class_which_is_renamed_is_written_anew(tmp_path: Path) -> None:
    for name in ("Single", "Only"):
        sources = TUPLE.format(name=name), CALLER_WITH_TUPLE
        assert run_caller(tmp_path, str(tmp_path / "cache"), *sources) == ["6", "1", "False"]
        assert run_caller(tmp_path, str(tmp_path / "cache"), *sources) == ["6", "0", "False"]


@jit
def test_a_missing_cache_folder_is_not_fatal() -> None:
    environment = os.environ | {"NUMBA_CACHE_DIR": "/proc/liftwatch", "PYTHONPATH": str(ROOT)}
    code = (
        "from telemetry import compiled as c\n"
        "c.LOCATORS = 'telemetry.compiled.ChosenFolder'\n"
        "import detectors.hold as hold, numpy as np\n"
        "print(len(hold.start(2)), c.not_kept())"
    )
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "no locator" in ran.stdout


@jit
def test_a_source_that_cannot_be_read_is_compiled_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "LOCATORS", f"{__name__}.{RefusingFolder.__name__}")
    monkeypatch.setattr(compiled, "_unkept", noted := [])
    assert compiled.compiled(lambda n: 2 * n)(3) == 6
    assert "source.py" in noted[0]


@jit
def test_after_the_warm_up_judging_compiles_nothing() -> None:
    warm_up(RULES)
    before = compilations()
    assert warm_up(RULES).compiled == 0
    assert compilations() == before


CALLED = """
from collections import defaultdict
import ingest.judging_run
from detectors.catalogue import RULES
from ingest.warm_up import warm_up
from telemetry import compiled
warm_up(RULES)
called = defaultdict(bool)
for function in compiled._functions:
    called[function.__module__] |= bool(function.signatures)
print(*(module for module, was_called in called.items() if not was_called))
"""


@jit
def test_the_warm_up_calls_the_recurrence_of_every_rule_and_of_a_press_before_its_turn() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", CALLED], env=environment, capture_output=True, text=True, check=True)
    left_out = ran.stdout.split()
    assert [name for name in left_out if name.startswith(("detectors.rules", "telemetry.order.early_presses"))] == []
