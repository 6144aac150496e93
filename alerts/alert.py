"""An alert (contract, section 3), and a transition of an alert.

Both are values: the book makes new ones, the records keep them. Instants are int64 UTC nanoseconds, None where
nothing happened yet.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

FIRING, CLEARED, CLOSED = "firing", "cleared", "closed"
STATES = (FIRING, CLEARED, CLOSED)
ID_BYTES = 10


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `last_ns` is the lift's time of the last finding that was applied to it and `last_applied` identifies
    the findings at that instant: an earlier one, or the same one again, is a repeat and changes nothing, so that
    reading the journal again is harmless. `levels`: the severities whose condition holds now. `by_hand`: stays firing
    until resolved. `acknowledgements`: who acknowledged it at its severity, each with the note. `transitions`: how many
    it had. `ahead_ns`: how far the lift's time, which never goes back, was ahead of its clock at the onset, or,
    where a later report came before this one, how far it was ahead of the onset when this one came.
    `thresholds_changed_ns`: when a threshold of the lift was last changed, where that is recent. `pressed_ns`: the
    lift's time of the last press after the onset that became a transition."""

    id: str
    lift_id: str
    district: str
    rule: str
    severity: str
    state: str
    onset_ns: int
    noticed_ns: int
    last_ns: int
    last_applied: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    by_hand: bool = False
    ahead_ns: int = 0
    cleared_ns: int | None = None
    closed_ns: int | None = None
    closed_by: str | None = None
    count: int = 1
    acknowledged: bool = False
    acknowledgements: tuple[tuple[str, str | None], ...] = ()
    assigned_to: str | None = None
    shelved_until_ns: int | None = None
    inhibited_by: str | None = None
    evidence: Mapping[str, float] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, str] = field(default_factory=dict)
    transitions: int = 0
    thresholds_changed_ns: int | None = None
    pressed_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of an alert: its kind, its time (the monitor's clock), its author (None: the monitor itself) and, of an
    assignment, the assignee (None: nobody). Organisations but the author's read the note where it is `shared`."""

    alert_id: str
    kind: str
    at_ns: int
    by: str | None = None
    note: str | None = None
    to: str | None = None
    organisation: str | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """The alert as it is now, and the transition of this change (None: store the alert, publish nothing)."""

    alert: Alert
    transition: Transition | None


def alert_id(lift_id: str, rule: str, onset_ns: int) -> str:
    """Return the id of an alert: the same lift, rule and onset give the same id in every replay."""
    digest = hashlib.blake2b(f"{lift_id}\n{rule}\n{onset_ns}".encode(), digest_size=ID_BYTES).digest()
    return base64.b32encode(digest).decode().lower()


def changed(alert: Alert, kind: str, at_ns: int, by: str | None = None, **more: Any) -> Change:
    """Return the alert with one transition more, and that transition; `more` are the transition's other fields."""
    return Change(replace(alert, transitions=alert.transitions + 1), Transition(alert.id, kind, at_ns, by, **more))
