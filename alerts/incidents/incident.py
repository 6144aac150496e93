"""An incident (contract, section 3), an entry of its story, and a change of an incident.

All are values, as alerts are. Instants are int64 UTC nanoseconds of the server's clock.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from alerts.incidents.rescue import Rescue
from registry.actor import Actor

SUSPECTED, CONFIRMED, NOTIFIED, ACKNOWLEDGED = "suspected", "confirmed", "notified", "acknowledged"
DISPATCHED, ON_SITE, RELEASED, CLOSED = "dispatched", "on-site", "released", "closed"
STAGES = (SUSPECTED, CONFIRMED, NOTIFIED, ACKNOWLEDGED, DISPATCHED, ON_SITE, RELEASED, CLOSED)
RESCUE_STAGES = (DISPATCHED, ON_SITE, RELEASED)
"""Stages of incidents in which somebody may be inside."""
OPEN = "open"
REASONS = ("released", "repaired", "false-alarm", "duplicate", "test", "other")
NOBODY_INSIDE = ("released", "false-alarm", "test")
"""Reasons of closing which say that nobody is inside any more."""
ID_BYTES = 10

OPENED, FOLDED, RAISED, REOPENED = "opened", "folded", "raised", "reopened"
CALLED, ASSIGNED, COMMENTED, UNDONE = "called", "assigned", "commented", "undone"
REPORTED, PHOTOGRAPHED, ANSWERED = "reported", "photographed", "answered"
CALLED_OUT, ACCEPTED, DECLINED, NO_ANSWER = "called-out", "accepted", "declined", "no-answer"
ARRIVED, OVERDUE, LEVEL, RELEASE_SEEN = "arrived", "overdue", "level", "release-seen"
MERGED, SPLIT, LINKED = "merged", "split", "linked"
UNREACHED = "unreached"
RETRACTED = "retracted"
PRESSED_AGAIN = "pressed"
LIFT_DELETED, NOT_RESPONSIBLE = "lift-deleted", "not-responsible"
"""Kinds of entries; the entry of a stage has the stage's name."""
TO_LIFT = (ARRIVED, RETRACTED)
"""Entries that name a lift in `to`."""


@dataclass(frozen=True, slots=True)
class IncidentLift:
    """A lift of an incident, with the number of its alerts in the incident that are not closed.

    `holds_people`: an alert or a call says that somebody may be inside, and nobody has reported the release since.
    `release_seen`: telemetry has seen the end of its entrapment, and nothing has said since that somebody is inside.
    Later alerts of the lift join the incident where it `folds`: one open incident of each lift does.
    `stages` has the time of each stage of the rescue that a person entered for this lift alone. `proven` is the place
    whose label those who arrived scanned last. `called` is the most urgent kind that calls and reports of it named.
    `acknowledged`: somebody who may act on the lift has taken the incident up.
    `thresholds_changed_ns`: when a threshold of the lift was last changed, where that is recent.
    """

    lift_id: str
    district: str
    unclosed: int = 0
    holds_people: bool = False
    folds: bool = True
    thresholds_changed_ns: int | None = None
    release_seen: bool = False
    stages: Mapping[str, int] = field(default_factory=dict)
    proven: str | None = None
    called: str | None = None
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. `stages` has the time of each stage it has reached, and `lifts` begins with the lift under which
    the incident is announced. `severity` and `kind` are the highest and the most urgent of its alerts.

    `active_ns` is the time of the last entry by a person that shows that somebody looks after it: no call, and no
    comment of another organisation than those of the people who acknowledged it (`acknowledged_for`). With `by_hand`
    only a person closes the incident. `building` is the building whose loss of power it is. `called` is the kind that a
    telephone call or a report of the public page named. `reason` is that of a person's closing. `entries` is the number
    of its entries so far.

    `summary` is the sentence of its most urgent alert in each language, empty without an alert.

    It has a `rescue` from when somebody may be inside. It is `unconfirmed` where its kind rests on a report of the
    public page alone. `unanswered` is the number of such reports that the desk has not answered.

    `risen_ns` is when it last became more urgent or was reopened, None where it never did since its opening.
    """

    id: str
    kind: str
    severity: str
    opened_ns: int
    active_ns: int
    lifts: tuple[IncidentLift, ...]
    stages: Mapping[str, int] = field(default_factory=dict)
    owner: str | None = None
    acknowledged_by: tuple[str, ...] = ()
    by_hand: bool = False
    called: str | None = None
    building: str | None = None
    closed_by: str | None = None
    closed_for: str | None = None
    reason: str | None = None
    merged_into: str | None = None
    links: tuple[str, ...] = ()
    entries: int = 0
    unconfirmed: bool = False
    unanswered: int = 0
    rescue: Rescue | None = None
    summary: Mapping[str, str] = field(default_factory=dict)
    risen_ns: int | None = None
    acknowledged_for: tuple[str | None, ...] = ()

    @property
    def lift_id(self) -> str:
        """The lift under which the incident is announced."""
        return self.lifts[0].lift_id

    @property
    def district(self) -> str:
        """The district of that lift."""
        return self.lifts[0].district

    @property
    def stage(self) -> str:
        """The last stage that it has reached, in the order of `STAGES`."""
        return max(self.stages, key=STAGES.index)

    @property
    def is_open(self) -> bool:
        """Whether it is not closed."""
        return CLOSED not in self.stages

    @property
    def state(self) -> str:
        """`open` or `closed`."""
        return OPEN if self.is_open else CLOSED

    @property
    def acknowledged_ns(self) -> int | None:
        """When somebody took it up; None where nobody has, or where it became more urgent since."""
        return self.stages.get(ACKNOWLEDGED)

    @property
    def closed_ns(self) -> int | None:
        """When it was closed; None while it is open."""
        return self.stages.get(CLOSED)

    @property
    def unclosed(self) -> int:
        """The number of its alerts that are not closed."""
        return sum(lift.unclosed for lift in self.lifts)

    @property
    def may_hold_people(self) -> bool:
        """Whether somebody may be inside one of its lifts."""
        return any(lift.holds_people for lift in self.lifts)

    def acknowledged_for_lifts(self, lifts: Iterable[IncidentLift]) -> int | None:
        """Return since when those of some of its lifts that hold people, or all of them, are taken up; None where not.

        Where an organisation has taken up its own lifts alone, the time is that of the last entry.
        """
        if not any(lift.acknowledged for lift in self.lifts):
            return self.acknowledged_ns
        some = list(lifts)
        concerned = [lift for lift in some if lift.holds_people] or some
        is_taken_up = all(lift.acknowledged for lift in concerned)
        return (self.acknowledged_ns or self.active_ns) if is_taken_up else None

    def lift(self, lift_id: str) -> IncidentLift | None:
        """Return one of its lifts, None where the lift is not in it."""
        return next((lift for lift in self.lifts if lift.lift_id == lift_id), None)

    def folds(self, lift_id: str) -> bool:
        """Return whether a new alert of the lift joins it."""
        lift = self.lift(lift_id)
        return self.is_open and lift is not None and lift.folds


@dataclass(frozen=True, slots=True)
class StoryEntry:
    """An entry in the story of an incident: its kind, its time, its author (None: the monitor).

    `about` is the alert that joined or was raised, the other incident, the reported kind, the reason of the closing or
    of `unreached`, the call-out, the timer, the level or the stage taken back; `to` is the assignee, who was called
    out, or the lift whose code was scanned or whose stage was taken back. Organisations but the author's read the note
    where it is `shared`.
    """

    incident_id: str
    kind: str
    at_ns: int
    by: str | None = None
    about: str | None = None
    note: str | None = None
    to: str | None = None
    organisation: str | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """The incident as it is now, and the entry of this change (None: store the incident, publish nothing)."""

    incident: Incident
    entry: StoryEntry | None


def incident_id(lift_id: str, first: str) -> str:
    """Return the id of an incident: the same lift and first alert give the same id in every replay."""
    digest = hashlib.blake2b(f"incident\n{lift_id}\n{first}".encode(), digest_size=ID_BYTES).digest()
    return base64.b32encode(digest).decode().lower()


def entered(incident: Incident, kind: str, at_ns: int, by: Actor | None = None, **more: Any) -> IncidentChange:
    """Return the incident with one entry more, and that entry; `more` are the entry's other fields.

    The rescue begins with the entry from which on somebody may be inside.
    """
    active_ns = (
        max(incident.active_ns, at_ns) if by is not None and _looks_after(incident, kind, by) else incident.active_ns
    )
    if by is not None:
        more = {"by": by.name, "organisation": by.organisation} | more
    entry = StoryEntry(incident.id, kind, at_ns, **more)
    if incident.may_hold_people and incident.rescue is None:
        incident = replace(incident, rescue=Rescue(at_ns))
    return IncidentChange(replace(incident, active_ns=active_ns, entries=incident.entries + 1), entry)


def _looks_after(incident: Incident, kind: str, by: Actor) -> bool:
    """Return whether an entry of this kind shows that its author looks after the incident."""
    if kind == COMMENTED and incident.acknowledged_for:
        return by.organisation in incident.acknowledged_for
    return kind != CALLED


def with_lift(incident: Incident, lift: IncidentLift) -> Incident:
    """Return the incident with this lift, in place of what it had for the lift or after its other lifts."""
    if incident.lift(lift.lift_id) is None:
        return replace(incident, lifts=(*incident.lifts, lift))
    return replace(incident, lifts=tuple(lift if each.lift_id == lift.lift_id else each for each in incident.lifts))


def folding_only(incident: Incident, folds: Callable[[str], bool]) -> Incident:
    """Return the incident into which alerts of no other lifts fold than of those for which `folds` is true."""
    lifts = (replace(lift, folds=lift.folds and folds(lift.lift_id)) for lift in incident.lifts)
    return replace(incident, lifts=tuple(lifts))


def with_building(change: IncidentChange, building: str) -> IncidentChange:
    """Return the change with the building whose loss of power the incident is, where it has none yet."""
    incident = change.incident
    return replace(change, incident=replace(incident, building=incident.building or building))


def reached(incident: Incident, stage: str, at_ns: int) -> Incident:
    """Return the incident with the time of a stage."""
    return replace(incident, stages={**incident.stages, stage: at_ns})


def without(incident: Incident, *stages: str) -> Incident:
    """Return the incident without the times of these stages."""
    return replace(incident, stages={stage: at for stage, at in incident.stages.items() if stage not in stages})
