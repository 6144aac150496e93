"""The page of failures names a test for each, and every named test exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "resilience.md").read_text(encoding="utf-8")


def test_every_failure_has_a_test_that_exists() -> None:
    rows = re.findall(r"^\| (\d+) \|.*", PAGE, re.MULTILINE)
    assert sorted({int(number) for number in rows}) == list(range(28))
    for line in re.findall(r"^\| \d+ \|.*", PAGE, re.MULTILINE):
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", line)
        assert named, line
        missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in (ROOT / file).read_text("utf-8")]
        assert missing == []


def test_every_case_of_chaos_is_on_the_page() -> None:
    cases = re.findall(r"^def (test_\w+)", (ROOT / "tests/chaos/test_chaos.py").read_text("utf-8"), re.MULTILINE)
    named = re.findall(r"`(\w+)`", PAGE[PAGE.index("| case |") :])
    assert cases == [case for case in cases if any(name in case for name in named)]
