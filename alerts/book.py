"""The alert book: the life of an alert (contract, section 3) as one table of transitions in event time. Pure.

                        on (new)
                           │ fired
                           ▼        off of the last level; not by hand: cleared
     on of a higher  ┌──────────┐ ───────────────────────────────────────────▶ ┌──────────┐
     level: raised   │  firing  │        on within fold_s: refired, count + 1   │ cleared  │
              └─────▶└──────────┘ ◀─────────────────────────────────────────── └──────────┘
                       │      ▲                                                  │
     by hand: resolved │      │ on within fold_s, where it closed by itself:     │ acknowledged, resolved
                       ▼      │ refired, count + 1                               │
                     ┌──────────┐ ◀──────────────────────────────────────────────┘
                     │  closed  │ ◀── an acknowledged alert that clears closes in the same transition, `cleared`
                     └──────────┘     on later, or after a person's resolve: a new alert (fired)

    state      event                               next       transition       what else
    (none)     on                                  firing     fired            onset, id, evidence, sentence
    firing     on, higher than it ever was         firing     raised           acknowledged no more; critical: unshelved
    firing     a press again (`_is_press_again`)   firing     pressed          count + 1
    firing     on, otherwise                       firing     (kept quietly)   the level holds; its evidence, where none
                                                                               was higher; by hand its peak alone
    firing     more                                firing     (kept quietly)   its peak, and the sentence with it
    firing     off, other levels hold or by hand   firing     (kept quietly)   the level holds no more
    firing     off of the last, not acknowledged   cleared    cleared
    firing     off of the last, acknowledged       closed     cleared          closed by itself
    cleared    on, onset - cleared <= fold_s       firing     refired          count + 1
    closed     the same, closed by itself          firing     refired          count + 1, still acknowledged
    cleared, closed   on, otherwise                (a new alert: fired)
    firing     ack / cleared: ack                  firing / closed     acknowledged
    any, acknowledged   ack by another, or with another note   same    acknowledged    each is kept
    by hand    resolve while firing                closed     resolved
    firing     resolve                             refused: its condition holds
    cleared    resolve                             closed     resolved
    any        comment                             same       commented        each is added
    not closed assign, shelve                      same       assigned, shelved
    shelved    its time ran out, unshelve          same       unshelved        held back by a cause, or by none
    held back  its cause is over, still firing     same       released         held back by another cause, or by none

Anything else is a repeat and changes nothing (None), a refusal (`Refused`), or our own mistake (an assertion).
Levels of one rule differ in severity, and a level opens or shuts at one instant, not both. Severity never falls, and
alerts of one lift and rule begin one after the other in the lift's time; a press that came late has its own, earlier
instant as onset, and its place in that order is where it came. A finding that was applied before (`last_ns`,
`last_applied`) is not applied again: reading the journal twice is harmless. Missing data makes no finding, so it clears
nothing.

A rule that clears by hand fires until a person resolves its alert, whatever its levels do meanwhile. That its condition
ends, comes again or goes on (such a level is found again every few seconds, `Level.again_s`) changes nothing but the
greatest value of its peak; a press again is told, at most once in `fold_s`. A condition that holds
when its alert is resolved is found again, and fires a new alert.

Findings come in the lift's time, which never goes back; order, folding and ids go by it. An alert's onset and end are
what the lift's clock showed, which may have been set back since.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from alerts.alert import CLEARED, CLOSED, FIRING, Alert, Change, alert_id, changed
from alerts.inhibition import SHELVED, UNSHELVED, held_by, unshelved
from alerts.sentence import render
from detectors.rule import Finding, Rule
from registry.catalogue import SEVERITIES

EVIDENCE_DECIMALS = 4
FIRED, RAISED, REFIRED, RELEASED, PRESSED = "fired", "raised", "refired", "released", "pressed"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A finding with its lift, its rule, and when the monitor found it."""

    lift_id: str
    district: str
    finding: Finding
    rule: Rule
    noticed_ns: int


def on_finding(
    last: Alert | None,
    finding: Finding,
    *,
    rule: Rule,
    lift_id: str,
    district: str,
    noticed_ns: int,
    causes: Iterable[Alert],
) -> Change | None:
    """Apply a finding to the last alert of its lift and rule; `causes` are that lift's open alerts."""
    assert finding.kind in ("on", "off", "more"), f"a finding is on, off or more, not {finding.kind!r}"
    assert last is None or (last.lift_id, last.rule) == (lift_id, rule.slug), (
        "the last alert is of another lift or rule"
    )
    if last is not None and _repeats(last, finding):
        return None
    if finding.kind == "off":
        return _off(last, finding, noticed_ns)
    if finding.kind == "more":
        return _more(last, finding, rule)
    if last is not None and last.state == FIRING:
        return _on_again(last, finding, rule, noticed_ns)
    if last is not None and _folds(last, finding, rule):
        return _refire(last, finding, rule, noticed_ns, causes)
    return _fire(last, finding, rule, lift_id, district, noticed_ns, causes)


def on_cause_over(alert: Alert, causes: Iterable[Alert], now_ns: int) -> Change | None:
    """Release an open alert that was inhibited by a cause that is over."""
    if alert.state != FIRING or alert.inhibited_by in (None, SHELVED):
        return None
    held = held_by(alert.rule, alert.severity, alert.onset_ns, causes)
    if held == alert.inhibited_by:
        return None
    return changed(replace(alert, inhibited_by=held), RELEASED, now_ns)


def on_time(alert: Alert, causes: Iterable[Alert], now_ns: int) -> Change | None:
    """End a shelving whose time ran out."""
    if alert.state == CLOSED or alert.shelved_until_ns is None or alert.shelved_until_ns > now_ns:
        return None
    return changed(unshelved(alert, causes), UNSHELVED, now_ns)


def _repeats(last: Alert, finding: Finding) -> bool:
    if finding.at_ns == last.last_ns:
        return _mark(finding) in last.last_applied
    return finding.at_ns < last.last_ns


def _mark(finding: Finding) -> str:
    return f"{finding.kind} {SEVERITIES[finding.severity]}"


def _noted(alert: Alert, finding: Finding) -> Alert:
    """Mark `finding` as applied."""
    earlier = alert.last_applied if finding.at_ns == alert.last_ns else ()
    return replace(alert, last_ns=finding.at_ns, last_applied=(*earlier, _mark(finding)))


def _folds(last: Alert, finding: Finding, rule: Rule) -> bool:
    if last.cleared_ns is None or last.closed_by is not None:
        return False
    return finding.onset_ns - last.last_ns <= round(rule.fold_s * 1e9)


def _fire(
    last: Alert | None,
    finding: Finding,
    rule: Rule,
    lift_id: str,
    district: str,
    noticed_ns: int,
    causes: Iterable[Alert],
) -> Change:
    onset_ns, ahead_ns = finding.onset_ns, finding.onset_ahead_ns
    if last is not None and onset_ns <= last.onset_ns + last.ahead_ns:
        # A report that came late keeps its instant; a condition that was resolved while it holds begins anew.
        clock_ns = onset_ns - ahead_ns
        onset_ns = max(finding.at_ns, last.onset_ns + last.ahead_ns + 1)
        ahead_ns = onset_ns - clock_ns if finding.is_reported else finding.ahead_ns
    severity = SEVERITIES[finding.severity]
    evidence = _known(finding.evidence)
    alert = Alert(
        id=alert_id(lift_id, rule.slug, onset_ns),
        lift_id=lift_id,
        district=district,
        rule=rule.slug,
        severity=severity,
        state=FIRING,
        onset_ns=onset_ns - ahead_ns,
        noticed_ns=noticed_ns,
        last_ns=finding.at_ns,
        last_applied=(_mark(finding),),
        levels=(severity,),
        by_hand=finding.by_hand,
        ahead_ns=ahead_ns,
        inhibited_by=held_by(rule.slug, severity, onset_ns - ahead_ns, causes),
        evidence=evidence,
        codes=dict(rule.codes),
        summary=render(rule.sentence, rule.name, evidence),
    )
    return changed(alert, FIRED, noticed_ns)


def _refire(last: Alert, finding: Finding, rule: Rule, noticed_ns: int, causes: Iterable[Alert]) -> Change:
    if last.shelved_until_ns is not None and last.shelved_until_ns <= noticed_ns:
        last = replace(last, shelved_until_ns=None)
    alert = replace(_holding(last, finding, rule), state=FIRING, cleared_ns=None, closed_ns=None, count=last.count + 1)
    shelved = alert.shelved_until_ns is not None
    onset_ns = finding.onset_ns - finding.onset_ahead_ns
    held = SHELVED if shelved else held_by(rule.slug, alert.severity, onset_ns, causes)
    return changed(replace(alert, inhibited_by=held), REFIRED, noticed_ns)


def _on_again(last: Alert, finding: Finding, rule: Rule, noticed_ns: int) -> Change:
    if _is_press_again(last, finding, rule):
        pressed = replace(_with_level(last, finding), count=last.count + 1, pressed_ns=finding.at_ns)
        return changed(pressed, PRESSED, noticed_ns)
    if finding.by_hand and SEVERITIES[finding.severity] == last.severity:
        return Change(_grown(_with_level(last, finding), finding, rule), None)
    alert = _holding(last, finding, rule)
    if alert.severity == last.severity:
        return Change(alert, None)
    return changed(alert, RAISED, noticed_ns)


def _is_press_again(last: Alert, finding: Finding, rule: Rule) -> bool:
    """Return whether somebody presses again what was let go: an instant that the lift reports, of an alert that clears
    by hand, `fold_s` after the onset or after the last such press."""
    is_new = finding.by_hand and finding.is_reported and SEVERITIES[finding.severity] not in last.levels
    since_ns = last.onset_ns + last.ahead_ns if last.pressed_ns is None else last.pressed_ns
    return is_new and finding.at_ns - since_ns >= round(rule.fold_s * 1e9)


def _holding(last: Alert, finding: Finding, rule: Rule) -> Alert:
    """Return the alert with the finding's level held, as severe as the worst level it ever had."""
    severity = SEVERITIES[finding.severity]
    alert = _with_level(last, finding)
    if finding.severity < SEVERITIES.index(last.severity):
        return alert
    evidence = _known(finding.evidence)
    alert = replace(alert, evidence=evidence, summary=render(rule.sentence, rule.name, evidence))
    if severity == last.severity:
        return alert
    alert = replace(alert, severity=severity, acknowledged=False, acknowledgements=())
    return replace(alert, shelved_until_ns=None, inhibited_by=None) if severity == "critical" else alert


def _with_level(last: Alert, finding: Finding) -> Alert:
    """Return the alert with the finding's level held."""
    severity = SEVERITIES[finding.severity]
    others = tuple(level for level in last.levels if level != severity)
    return replace(_noted(last, finding), levels=(*others, severity), by_hand=last.by_hand or finding.by_hand)


def _off(last: Alert | None, finding: Finding, noticed_ns: int) -> Change | None:
    if last is None or last.state != FIRING or SEVERITIES[finding.severity] not in last.levels:
        return None
    left = tuple(level for level in last.levels if level != SEVERITIES[finding.severity])
    alert = replace(_noted(last, finding), levels=left)
    if left or last.by_hand:
        return Change(alert, None)
    alert = replace(alert, state=CLEARED, cleared_ns=finding.at_ns - finding.ahead_ns)
    if last.acknowledged:
        alert = replace(alert, state=CLOSED, closed_ns=noticed_ns)
    return changed(alert, CLEARED, noticed_ns)


def _more(last: Alert | None, finding: Finding, rule: Rule) -> Change | None:
    """Update the evidence of an open level; the alert's state does not change, so there is no transition."""
    if last is None or last.state != FIRING or SEVERITIES[finding.severity] != last.severity:
        return None
    return Change(_grown(_noted(last, finding), finding, rule), None)


def _grown(alert: Alert, finding: Finding, rule: Rule) -> Alert:
    """Return the alert with the greater of its own and the finding's peak."""
    peak = next(level.peak for level in rule.levels if level.severity == finding.severity)
    found = _known(finding.evidence).get(peak)
    if found is None or found <= alert.evidence.get(peak, -math.inf):
        return alert
    evidence = {**alert.evidence, peak: found}
    return replace(alert, evidence=evidence, summary=render(rule.sentence, rule.name, evidence))


def _known(evidence: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(value), EVIDENCE_DECIMALS) for name, value in evidence.items() if math.isfinite(value)}
