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
alerts of one lift and rule begin one after the other. A finding that was applied before (`last_ns`, `last_applied`)
is not applied again: reading the journal twice is harmless. Missing data makes no finding, so it clears nothing.

A rule that clears by hand fires until a person resolves its alert, whatever its levels do meanwhile. That its condition
ends, comes again or goes on (such a level opens again every few seconds, see `detectors.trigger`) changes nothing but
the greatest value of its peak. A condition that holds when its alert is resolved is found again, and fires a new alert.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from alerts.alert import CLEARED, CLOSED, FIRING, Alert, Change, Transition
from alerts.inhibition import SHELVED, held_by
from alerts.sentence import render
from detectors.rule import Finding, Rule
from registry.catalogue import SEVERITIES

SHELVE_LIMIT_NS = 8 * 3600 * 1_000_000_000
ID_BYTES = 10
EVIDENCE_DECIMALS = 4

FIRED, RAISED, REFIRED, RELEASED, UNSHELVED = "fired", "raised", "refired", "released", "unshelved"
ACKNOWLEDGED, ASSIGNED, COMMENTED, RESOLVED = "acknowledged", "assigned", "commented", "resolved"

Done = tuple[Alert, str] | None
"""What an answer makes of an alert, and the kind of that transition; None where it was done already."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A finding with its lift, its rule, and when the monitor found it."""

    lift_id: str
    district: str
    finding: Finding
    rule: Rule
    noticed_ns: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person does to an alert: ack, assign (`to`), comment (`note`), resolve, shelve (`until_ns`), unshelve."""

    kind: str
    by: str
    note: str | None = None
    to: str | None = None
    until_ns: int | None = None


class Refused(Exception):
    """An answer that the alert's state does not allow: `reason` is a slug, the text says why and what to do."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def alert_id(lift_id: str, rule: str, onset_ns: int) -> str:
    """Return the name of an alert: the same lift, rule and onset give the same name in every replay."""
    digest = hashlib.blake2b(f"{lift_id}\n{rule}\n{onset_ns}".encode(), digest_size=ID_BYTES).digest()
    return base64.b32encode(digest).decode().lower()


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
    """Release an open alert that was held back by a cause that is over."""
    if alert.state != FIRING or alert.inhibited_by in (None, SHELVED):
        return None
    held = held_by(alert.rule, alert.severity, alert.onset_ns, causes)
    if held == alert.inhibited_by:
        return None
    return _change(replace(alert, inhibited_by=held), RELEASED, now_ns)


def on_time(alert: Alert, causes: Iterable[Alert], now_ns: int) -> Change | None:
    """End a shelving whose time ran out."""
    if alert.state == CLOSED or alert.shelved_until_ns is None or alert.shelved_until_ns > now_ns:
        return None
    return _change(_unshelved(alert, causes), UNSHELVED, now_ns)


def on_answer(alert: Alert, answer: Answer, now_ns: int, causes: Iterable[Alert] = ()) -> Change | None:
    """Apply a person's answer; return None where it was applied already. Raises `Refused` where its state forbids it.

    `causes` are the lift's open alerts: what is shelved no more may be held back by one of them.
    """
    changed = _ANSWERS[answer.kind](alert, answer, now_ns, causes)
    if changed is None:
        return None
    done, kind = changed
    return _change(done, kind, now_ns, answer.by, answer.note, answer.to)


def _repeats(last: Alert, finding: Finding) -> bool:
    if finding.at_ns == last.last_ns:
        return _mark(finding) in last.last_applied
    return finding.at_ns < last.last_ns


def _mark(finding: Finding) -> str:
    return f"{finding.kind} {SEVERITIES[finding.severity]}"


def _noted(alert: Alert, finding: Finding) -> Alert:
    """Remember that `finding` was applied."""
    earlier = alert.last_applied if finding.at_ns == alert.last_ns else ()
    return replace(alert, last_ns=finding.at_ns, last_applied=(*earlier, _mark(finding)))


def _folds(last: Alert, finding: Finding, rule: Rule) -> bool:
    if last.cleared_ns is None or last.closed_by is not None:
        return False
    return finding.onset_ns - last.cleared_ns <= round(rule.fold_s * 1e9)


def _fire(
    last: Alert | None,
    finding: Finding,
    rule: Rule,
    lift_id: str,
    district: str,
    noticed_ns: int,
    causes: Iterable[Alert],
) -> Change:
    onset_ns = finding.onset_ns
    if last is not None and onset_ns <= last.onset_ns:  # resolved while its condition still holds: it begins anew
        onset_ns = max(finding.at_ns, last.onset_ns + 1)
    severity = SEVERITIES[finding.severity]
    evidence = _known(finding.evidence)
    alert = Alert(
        id=alert_id(lift_id, rule.slug, onset_ns),
        lift_id=lift_id,
        district=district,
        rule=rule.slug,
        severity=severity,
        state=FIRING,
        onset_ns=onset_ns,
        noticed_ns=noticed_ns,
        last_ns=finding.at_ns,
        last_applied=(_mark(finding),),
        levels=(severity,),
        by_hand=finding.by_hand,
        inhibited_by=held_by(rule.slug, severity, onset_ns, causes),
        evidence=evidence,
        codes=dict(rule.codes),
        summary=render(rule.sentence, rule.name, evidence),
    )
    return _change(alert, FIRED, noticed_ns)


def _refire(last: Alert, finding: Finding, rule: Rule, noticed_ns: int, causes: Iterable[Alert]) -> Change:
    if last.shelved_until_ns is not None and last.shelved_until_ns <= noticed_ns:
        last = replace(last, shelved_until_ns=None)
    alert = replace(_holding(last, finding, rule), state=FIRING, cleared_ns=None, closed_ns=None, count=last.count + 1)
    shelved = alert.shelved_until_ns is not None
    held = SHELVED if shelved else held_by(rule.slug, alert.severity, finding.onset_ns, causes)
    return _change(replace(alert, inhibited_by=held), REFIRED, noticed_ns)


def _on_again(last: Alert, finding: Finding, rule: Rule, noticed_ns: int) -> Change:
    if finding.by_hand and SEVERITIES[finding.severity] == last.severity:
        return Change(_grown(_with_level(last, finding), finding, rule), None)
    alert = _holding(last, finding, rule)
    if alert.severity == last.severity:
        return Change(alert, None)
    return _change(alert, RAISED, noticed_ns)


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
    alert = replace(alert, state=CLEARED, cleared_ns=finding.at_ns)
    if last.acknowledged:
        alert = replace(alert, state=CLOSED, closed_ns=noticed_ns)
    return _change(alert, CLEARED, noticed_ns)


def _more(last: Alert | None, finding: Finding, rule: Rule) -> Change | None:
    """Take in what an open level found since; nothing of the alert's life has changed, so there is nothing to tell."""
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


def _unshelved(alert: Alert, causes: Iterable[Alert]) -> Alert:
    held = held_by(alert.rule, alert.severity, alert.onset_ns, causes)
    return replace(alert, shelved_until_ns=None, inhibited_by=held)


def _change(
    alert: Alert, kind: str, at_ns: int, by: str | None = None, note: str | None = None, to: str | None = None
) -> Change:
    """Return the alert with one transition more, and that transition."""
    return Change(replace(alert, transitions=alert.transitions + 1), Transition(alert.id, kind, at_ns, by, note, to))


def _ack(alert: Alert, answer: Answer, now_ns: int, causes: Iterable[Alert]) -> Done:
    signed = (answer.by, answer.note)
    if signed in alert.acknowledgements:
        return None
    if not alert.acknowledged:
        _refuse_closed(alert, "acknowledge")
    alert = replace(alert, acknowledged=True, acknowledgements=(*alert.acknowledgements, signed))
    return (replace(alert, state=CLOSED, closed_ns=now_ns) if alert.state == CLEARED else alert), ACKNOWLEDGED


def _assign(alert: Alert, answer: Answer, now_ns: int, causes: Iterable[Alert]) -> Done:
    if alert.assigned_to == answer.to:
        return None
    _refuse_closed(alert, "assign")
    return replace(alert, assigned_to=answer.to), ASSIGNED


def _comment(alert: Alert, answer: Answer, now_ns: int, causes: Iterable[Alert]) -> Done:
    return alert, COMMENTED


def _resolve(alert: Alert, answer: Answer, now_ns: int, causes: Iterable[Alert]) -> Done:
    if alert.state == CLOSED:
        return None
    if alert.state == FIRING and not alert.by_hand:
        raise Refused("condition-holds", "Its condition still holds: it can be resolved once it has cleared.")
    return replace(alert, state=CLOSED, closed_ns=now_ns, closed_by=answer.by, levels=()), RESOLVED


def _shelve(alert: Alert, answer: Answer, now_ns: int, causes: Iterable[Alert]) -> Done:
    until_ns = answer.until_ns
    assert until_ns is not None, "shelving needs `until_ns`"
    if alert.shelved_until_ns == until_ns:
        return None
    _refuse_closed(alert, "shelve")
    if alert.severity == "critical":
        raise Refused("critical", "A critical alert is never shelved.")
    if not now_ns < until_ns <= now_ns + SHELVE_LIMIT_NS:
        raise Refused("until", "`until` must lie in the future and at most 8 hours ahead.")
    return replace(alert, shelved_until_ns=until_ns, inhibited_by=SHELVED), SHELVED


def _unshelve(alert: Alert, answer: Answer, now_ns: int, causes: Iterable[Alert]) -> Done:
    if alert.shelved_until_ns is None:
        return None
    _refuse_closed(alert, "unshelve")
    return _unshelved(alert, causes), UNSHELVED


def _refuse_closed(alert: Alert, verb: str) -> None:
    if alert.state == CLOSED:
        raise Refused("closed", f"The alert is closed: there is nothing left to {verb}; a comment can still be added.")


_ANSWERS = {
    "ack": _ack,
    "assign": _assign,
    "comment": _comment,
    "resolve": _resolve,
    "shelve": _shelve,
    "unshelve": _unshelve,
}
ANSWERS = tuple(_ANSWERS)
