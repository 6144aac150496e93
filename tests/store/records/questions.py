"""Short forms for what tests ask of the records."""

from __future__ import annotations

from alerts.alert import Alert
from detectors.rule import Rule
from store.records.repository import AlertFilter, Records
from tests.alerts.rules import STOP, T0, S, occurrence


def newest(records: Records, lift_id: str, rule: Rule) -> Alert:
    """Return the newest alert of a lift and a rule."""
    return records.alerts(AlertFilter(lift_id=(lift_id,), rule=(rule.slug,)), limit=1).items[0]


def kinds(records: Records, since: int = 0) -> list[str]:
    """Return the kinds of the transitions after a position, in their order."""
    return [one.kind for one in records.transitions_since(since)]


def open_one(records: Records, what: Rule = STOP, severity: int | None = None) -> str:
    """Raise one alert and return its id."""
    judged = records.judge(position=1, occurrences=[occurrence(what, "on", 10, severity)], now_ns=T0 + 11 * S)
    return judged[0].alert.id
