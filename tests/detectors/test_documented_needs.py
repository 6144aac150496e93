"""The contract names the rules that need a fact, or a position of another source than a barometer, as they do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from detectors.catalogue import RULES

CONTRACT = " ".join((Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8").split())
POSITIONS = {rule.code for rule in RULES if "floors" in rule.needs}


def listed(sentence: str) -> set[str]:
    """Return the codes in a sentence; `F04 to F07` is four."""
    codes = set(re.findall(r"F\d\d", sentence))
    for first, last in re.findall(r"F(\d\d) to F(\d\d)", sentence):
        codes |= {f"F{number:02}" for number in range(int(first), int(last) + 1)}
    return codes


@pytest.mark.parametrize(
    ("sentence", "needed"),
    [
        (r"without `floors` [^(]*\(([^)]*)\)", POSITIONS),
        (
            r"without `rated_speed_mps` [^(]*\(([^)]*)\)",
            {rule.code for rule in RULES if "rated_speed_mps" in rule.needs},
        ),
        (
            r"are not judged then, nor are (F.*?), and the others",
            {rule.code for rule in RULES if "position_source" in rule.needs} - POSITIONS,
        ),
    ],
)
def test_the_contract_names_the_rules_that_need_a_fact(sentence: str, needed: set[str]) -> None:
    found = re.search(sentence, CONTRACT)
    assert found is not None
    assert listed(found[1]) == needed
