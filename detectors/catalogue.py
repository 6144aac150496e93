"""The rules that are judged, in the order of the catalogue. Adding a rule is one file and one line here."""

from __future__ import annotations

from detectors.overspeed import OVERSPEED, OVERSPEED_UP
from detectors.rule import Rule

RULES: tuple[Rule, ...] = (OVERSPEED, OVERSPEED_UP)
BY_SLUG = {rule.slug: rule for rule in RULES}
