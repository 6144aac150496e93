"""Rendering never fails, whatever the evidence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.sentence import UNKNOWN, render
from detectors.catalogue import RULES


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("{v_mps:.1f} m/s", "2.1 m/s"),
        ("{z_m:.2f} m", f"{UNKNOWN} m"),
        ("{nothing}", UNKNOWN),
        ("{v_mps:q}", UNKNOWN),
        ("{v_mps.__class__}", UNKNOWN),
        ("{v_mps[0]}", UNKNOWN),
        ("{0}", UNKNOWN),
        ("{v_mps", "Overspeed"),
        ("{}", UNKNOWN),
        ("", "Overspeed"),
    ],
)
def test_what_is_unknown_is_a_dash_and_what_is_broken_is_the_name(sentence: str, expected: str) -> None:
    evidence = {"v_mps": 2.11, "z_m": float("nan")}
    assert render({"en": sentence}, {"en": "Overspeed"}, evidence) == {"en": expected}


def test_a_sentence_has_every_language_of_the_name() -> None:
    assert render({"en": "fast"}, {"en": "Overspeed", "zh": "超速"}, {}) == {"en": "fast", "zh": "超速"}


@given(st.text(), st.dictionaries(st.text(), st.floats()))
def test_no_sentence_and_no_evidence_ever_raises(sentence: str, evidence: dict[str, float]) -> None:
    render({"en": sentence}, {"en": "x"}, evidence)


def test_every_rule_of_the_catalogue_has_a_sentence_without_evidence() -> None:
    for rule in RULES:
        assert all(render(rule.sentence, rule.name, {}).values()), rule.slug
        assert len({level.severity for level in rule.levels}) == len(rule.levels), (
            f"{rule.slug}: levels of one severity"
        )
