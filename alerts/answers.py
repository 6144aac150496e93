"""The actions of people on an alert, as in the table of `alerts.book`. Pure.

Repeating an action changes nothing (None), except comments: each is added. An action that the alert's state does not
allow is refused with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from alerts.alert import CLEARED, CLOSED, FIRING, Alert, Change, changed
from alerts.inhibition import SHELVED, UNSHELVED, unshelved
from registry.actor import Actor

SHELVE_LIMIT_NS = 8 * 3600 * 1_000_000_000
ACKNOWLEDGED, ASSIGNED, COMMENTED, RESOLVED = "acknowledged", "assigned", "commented", "resolved"

Done = tuple[Alert, str] | None
"""The alert after an answer, and the kind of that transition; None where the answer changes nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's action on an alert: ack, assign (`to`), comment (`note`), resolve, shelve (`until_ns`), unshelve.

    Other organisations read the note where it is `shared`. `is_unjudged`: the alert's rule is judged no more, so that
    no reading clears it.
    """

    kind: str
    by: Actor
    note: str | None = None
    to: str | None = None
    until_ns: int | None = None
    shared: bool = False
    is_unjudged: bool = False


class Refused(Exception):
    """An action that the alert's state does not allow: `reason` is a slug, the text has the cause and the remedy."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def on_answer(alert: Alert, answer: Answer, now_ns: int, causes: Iterable[Alert] = ()) -> Change | None:
    """Apply a person's action; return None where it was applied already. Raises `Refused` where its state forbids it.

    `causes` are the lift's open alerts: an unshelved alert may be inhibited by one of them.
    """
    done = _ANSWERS[answer.kind](alert, answer, now_ns, causes)
    if done is None:
        return None
    answered, kind = done
    by = answer.by
    return changed(
        answered, kind, now_ns, by.name,
        note=answer.note, to=answer.to, organisation=by.organisation, shared=answer.shared,
    )  # fmt: skip


def _ack(alert: Alert, answer: Answer, now_ns: int, causes: Iterable[Alert]) -> Done:
    signed = (answer.by.name, answer.note)
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
    if alert.state == FIRING and not (alert.by_hand or answer.is_unjudged):
        raise Refused("condition-holds", "Its condition still holds: it can be resolved once it has cleared.")
    return replace(alert, state=CLOSED, closed_ns=now_ns, closed_by=answer.by.name, levels=()), RESOLVED


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
    return unshelved(alert, causes), UNSHELVED


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
