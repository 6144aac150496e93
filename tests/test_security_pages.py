"""The pages about security count what they list, and every file and test that they name exists."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`((?:[\w.-]+/)+(?:[\w.-]+\.(?:py|txt|conf|md|toml))?|[\w-]+\.(?:yml|toml|txt))(?:::(test_\w+))?`")
"""A path with its folders and, of a test, its function."""
PAGES = ("docs/asvs.md", "docs/security-tests.md", "docs/roles.md", "docs/audit.md", "SECURITY.md")


def missing(text: str) -> list[str]:
    """Return the files, folders and tests that a text names and that do not exist."""
    found = []
    for path, test in NAMED.findall(text):
        place = ROOT / path
        if not place.exists() or (test and f"def {test}(" not in place.read_text(encoding="utf-8")):
            found.append(f"{path}::{test}" if test else path)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert NAMED.search(text)
    assert missing(text) == []


def test_a_missing_test_would_be_seen() -> None:
    assert missing("`tests/test_house.py::test_nothing` `tests/none.py`") == [
        "tests/test_house.py::test_nothing", "tests/none.py",
    ]  # fmt: skip


def requirements(text: str) -> list[tuple[str, str]]:
    """Return each requirement of the list with its state; `1.2.1, 1.2.3-4` is three."""
    found = []
    for numbers, state in re.findall(r"^\| ([\d., -]+) \| (?:\*\*)?(met|not met|n/a)(?:\*\*)? \|", text, re.MULTILINE):
        for each in numbers.split(", "):
            section, first, last = re.fullmatch(r"(\d+\.\d+)\.(\d+)(?:-(\d+))?", each).groups()  # type: ignore[union-attr]
            found += [(f"{section}.{number}", state) for number in range(int(first), int(last or first) + 1)]
    return found


def test_the_list_of_the_asvs_counts_its_requirements() -> None:
    text = (ROOT / "docs/asvs.md").read_text(encoding="utf-8")
    listed = requirements(text)
    states = Counter(state for _, state in listed)
    assert len({number for number, _ in listed}) == len(listed)
    met, lacking, none = (states[state] for state in ("met", "not met", "n/a"))
    assert f"Of {len(listed)} requirements {met} are met, {lacking} are not met\nand {none} do not apply" in text
