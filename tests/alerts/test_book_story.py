"""Any story of findings and answers ends in the book as it ends in a plain retelling of the contract."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import CLEARED, CLOSED, FIRING, STATES, Alert, Change
from alerts.answers import Answer, Refused, on_answer
from alerts.book import on_finding
from detectors.rule import Finding, Rule
from registry.actor import Actor
from registry.catalogue import SEVERITIES
from tests.alerts.oracle import HOURS_8, Retelling
from tests.alerts.rules import DISTRICT, LIFT, OVERSPEED, OVERTRAVEL, STOP, T0, S

RULES = st.sampled_from([STOP, OVERTRAVEL, OVERSPEED])
ANSWERS = ("ack", "assign", "comment", "resolve", "shelve", "unshelve")


@st.composite
def stories(draw: st.DrawFn, rule: Rule) -> list[tuple[str, Any]]:
    """Findings in the order of a lift's time, now and then one again, with people in between."""
    at_ns, events, kinds = T0, [], {}
    for _ in range(draw(st.integers(0, 25))):
        at_ns += draw(st.sampled_from([0, 1, 30 * S, 59 * S, 61 * S, 4000 * S]))
        if draw(st.booleans()):
            level = draw(st.sampled_from(rule.levels))
            kind = draw(st.sampled_from(["on", "off"]))
            kind = kinds.setdefault((at_ns, level.severity), kind)
            onset_ns = at_ns - draw(st.sampled_from([0, 1, 15 * S]))
            events.append(("finding", (kind, level.severity, onset_ns, at_ns, level.by_hand)))
        else:
            kind = draw(st.sampled_from(ANSWERS))
            value = draw(st.sampled_from(["ann", "bob"])) if kind == "assign" else None
            if kind == "shelve":
                value = at_ns + draw(st.sampled_from([0, S, HOURS_8, HOURS_8 + 1]))
            events.append(("person", (kind, at_ns, value)))
        if events and draw(st.integers(0, 4)) == 0:
            events.append(draw(st.sampled_from(events)))
    return events


class BookRun:
    """The alerts and changes that the book makes of the events of one lift and rule."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.alerts: dict[str, Alert] = {}
        self.last: Alert | None = None
        self.changes: list[Change] = []

    def apply(self, event: tuple[str, Any]) -> str | None:
        what, value = event
        try:
            change = self._finding(*value) if what == "finding" else self._person(*value)
        except Refused:
            return "refused"
        if change is not None:
            self.changes.append(change)
            self.last = change.alert
            self.alerts[change.alert.id] = change.alert
        return None

    def _finding(self, kind: str, severity: int, onset_ns: int, at_ns: int, by_hand: bool) -> Change | None:
        finding = Finding(0, self.rule.slug, kind, severity, onset_ns, at_ns, by_hand, {})
        return on_finding(
            self.last, finding, rule=self.rule, lift_id=LIFT, district=DISTRICT, noticed_ns=at_ns, causes=()
        )

    def _person(self, kind: str, now_ns: int, value: Any) -> Change | None:
        if self.last is None:
            return None
        answer = Answer(kind, Actor.named("ann"), to=value if kind == "assign" else None, until_ns=value)
        return on_answer(self.last, answer, now_ns)

    @property
    def transitions(self) -> list[Change]:
        return [change for change in self.changes if change.transition is not None]


def run_both(rule: Rule, story: list[tuple[str, Any]]) -> tuple[BookRun, Retelling]:
    book, oracle = BookRun(rule), Retelling(round(rule.fold_s * S))
    for event in story:
        assert book.apply(event) == oracle.apply(event), event
    return book, oracle


@given(RULES.flatmap(lambda rule: st.tuples(st.just(rule), stories(rule))))
def test_the_book_agrees_with_the_plain_retelling(case: tuple[Rule, list[tuple[str, Any]]]) -> None:
    book, oracle = run_both(*case)
    assert [
        (a.onset_ns, a.severity, a.state, a.count, a.acknowledged, a.assigned_to, a.shelved_until_ns, a.cleared_ns)
        for a in book.alerts.values()
    ] == [
        (
            a.onset_ns, SEVERITIES[a.severity], a.state, a.count, a.acknowledged, a.assigned_to, a.shelved_until_ns,
            a.cleared_ns,
        )
        for a in oracle.alerts
    ]  # fmt: skip
    assert len(book.transitions) == oracle.transitions


@given(RULES.flatmap(lambda rule: st.tuples(st.just(rule), stories(rule))))
def test_the_laws_hold_after_every_event(case: tuple[Rule, list[tuple[str, Any]]]) -> None:
    rule, story = case
    book = BookRun(rule)
    for event in story:
        before = dict(book.alerts)
        book.apply(event)
        open_now = [alert for alert in book.alerts.values() if alert.state == FIRING]
        assert len(open_now) <= 1
        for name, alert in book.alerts.items():
            assert alert.state in STATES
            assert (alert.cleared_ns is None) or alert.state in (CLEARED, CLOSED)
            assert (alert.shelved_until_ns is None) or alert.severity != "critical"
            assert (alert.inhibited_by is None) or alert.severity != "critical"
            if name in before:
                was = before[name]
                assert SEVERITIES.index(alert.severity) >= SEVERITIES.index(was.severity)
                assert (alert.onset_ns, alert.noticed_ns) == (was.onset_ns, was.noticed_ns)
                assert 0 <= alert.count - was.count <= 1
    onsets = [alert.onset_ns for alert in book.alerts.values()]
    assert onsets == sorted(set(onsets))


@given(RULES.flatmap(lambda rule: st.tuples(st.just(rule), stories(rule))), st.integers(0, 30))
def test_findings_read_again_change_nothing(case: tuple[Rule, list[tuple[str, Any]]], back: int) -> None:
    """A monitor that was killed reads the journal again: at any moment, from any earlier point."""
    rule, story = case
    findings = [event for event in story if event[0] == "finding"]
    findings.sort(key=lambda event: event[1][3])
    book = BookRun(rule)
    for event in findings:
        book.apply(event)
    before = (dict(book.alerts), len(book.transitions))
    for event in findings[-back:]:
        book.apply(event)
    assert (book.alerts, len(book.transitions)) == before


@given(RULES.flatmap(lambda rule: st.tuples(st.just(rule), stories(rule))))
def test_an_alert_is_named_the_same_in_every_replay(case: tuple[Rule, list[tuple[str, Any]]]) -> None:
    rule, story = case
    late = [
        (what, (*value[:1], value[1] + 7, value[2]) if what == "person" and value[0] == "comment" else value)
        for what, value in story
    ]
    first, _ = run_both(rule, story)
    second, _ = run_both(rule, late)
    assert list(first.alerts) == list(second.alerts)


def test_an_alert_is_a_value_that_is_never_changed() -> None:
    book = BookRun(STOP)
    book.apply(("finding", ("on", 2, T0, T0, False)))
    assert book.last is not None
    copy = replace(book.last)
    book.apply(("person", ("ack", T0, None)))
    assert book.changes[0].alert == copy
