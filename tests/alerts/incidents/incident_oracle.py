"""The life of the incidents of one lift as a plain loop over sets, written from the contract instead of the table.

Everything is counted anew from all alerts that an incident ever had. Without merging and splitting.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from alerts.alert import Change
from alerts.incidents.kinds import kind_of
from registry.catalogue import SEVERITIES
from registry.incident_kinds import INCIDENT_KINDS

SECONDS_10, DAY = 10 * 1_000_000_000, 24 * 3600 * 1_000_000_000
INSIDE = {"entrapment", "alarm-call"}
RESCUE = ["dispatched", "on-site", "released"]
CALLED = {"entrapment": "critical", "unsafe": "critical", "out-of-order": "major", "nuisance": "minor"}


@dataclass
class PlainIncident:
    """One incident of the plain loop."""

    seen: list[tuple[str, str]] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    stages: set[str] = field(default_factory=set)
    signed: list[str] = field(default_factory=list)
    inside: bool = False
    seen_out: bool = False
    by_hand: bool = False
    closed_ns: int | None = None
    closed_by: str | None = None
    reason: str | None = None
    owner: str | None = None

    @property
    def kind(self) -> str:
        return min((kind for kind, _ in self.seen), key=INCIDENT_KINDS.index)

    @property
    def severity(self) -> str:
        return max((severity for _, severity in self.seen), key=SEVERITIES.index)

    @property
    def unclosed(self) -> int:
        return sum(state != "closed" for state in self.states.values())

    def see(self, kind: str, severity: str) -> None:
        """Take in what an alert or a call says."""
        before = (self.kind, self.severity) if self.seen else None
        self.seen.append((kind, severity))
        anew = kind in INSIDE and (self.seen_out or not self.inside)
        if anew:
            self.stages -= {*RESCUE, "confirmed"} if "released" in self.stages else {*RESCUE}
        if kind in INSIDE:
            self.inside, self.seen_out = True, False
        if anew or (self.kind, self.severity) != before:
            self.untake()

    def untake(self) -> None:
        self.stages.discard("acknowledged")
        self.signed = []

    def take_up(self, name: str) -> None:
        self.stages.add("acknowledged")
        self.signed.append(name)

    def open_again(self, by_person: bool = False) -> None:
        if self.closed_by is not None:
            self.untake()
        if not by_person and self.reason in ("released", "false-alarm", "test"):
            self.inside = self.seen_out = False
        self.closed_ns = self.closed_by = self.reason = None

    def outside(self) -> tuple[object, ...]:
        """Return what people see of the incident."""
        is_open = self.closed_ns is None
        stages = self.stages | (set() if is_open else {"closed"})
        return (
            self.kind, self.severity, self.unclosed, stages, tuple(self.signed), self.inside, self.by_hand,
            self.closed_by, self.reason, self.owner,
        )  # fmt: skip


class PlainIncidents:
    """The incidents of a lift, oldest first."""

    def __init__(self) -> None:
        self.incidents: list[PlainIncident] = []

    def opened(self) -> PlainIncident | None:
        return next((one for one in self.incidents if one.closed_ns is None), None)

    def alert(self, change: Change) -> None:
        """Apply a change of an alert."""
        alert, moved = change.alert, change.transition
        if moved is None:
            return
        says = (kind_of(alert.rule, alert.severity), alert.severity)
        own = next((one for one in self.incidents if alert.id in one.states), None)
        again = moved.kind in ("refired", "raised")
        if own is not None and own.closed_ns is not None and again and self.opened() is not None:
            del own.states[alert.id]
            own = None
        if own is None:
            if alert.state == "firing":
                own = self.opened() or self._new("suspected")
                own.states[alert.id] = alert.state
                own.see(*says)
            return
        before, was = own.unclosed, own.states[alert.id]
        own.states[alert.id] = alert.state
        if again and alert.state == "firing":
            if own.closed_ns is not None:
                own.open_again()
            own.see(*says)
            return
        if own.closed_ns is not None:
            return
        ended = was == "firing" and alert.state != "firing" and moved.by is None
        own.seen_out = own.seen_out or (ended and says[0] == "entrapment" and own.inside)
        if moved.kind == "acknowledged" and alert.severity == own.severity and "acknowledged" not in own.stages:
            own.take_up(str(moved.by))
        if own.unclosed < before and own.unclosed == 0 and not own.by_hand:
            if (own.inside and not own.seen_out) or (own.severity == "critical" and moved.kind == "resolved"):
                own.by_hand = True
            else:
                own.closed_ns = moved.at_ns

    def call(self, kind: str, now_ns: int) -> None:
        own = self.opened() or self._new("suspected")
        if kind in INSIDE and own.inside and not own.stages & {"dispatched", "on-site"}:
            own.untake()
        own.see(kind, CALLED[kind])
        own.by_hand = True
        own.stages.add("confirmed")

    def person(self, place: int, kind: str, value: str | None, now_ns: int, holding: bool) -> str | None:
        """Apply a person's action; return "refused" where the contract refuses it. `holding`: a condition holds that
        clears by itself."""
        own = self.incidents[place]
        is_open = own.closed_ns is None
        if kind == "ack" and "ann" not in own.signed:
            if not is_open:
                return "refused"
            own.take_up("ann")
        if kind == "assign" and own.owner != value:
            if not is_open:
                return "refused"
            own.owner = value
        if kind == "stage" and value is not None and value not in own.stages:
            return self._stage(own, value, is_open)
        if kind == "close" and is_open:
            if value is None and own.severity == "critical":
                return "refused"
            if own.inside and value not in ("released", "false-alarm", "test"):
                return "refused"
            if holding:
                return "refused"
            own.closed_ns, own.closed_by, own.reason = now_ns, "ann", value
        if kind == "reopen" and own.closed_ns is not None:
            if now_ns >= own.closed_ns + DAY or self.opened() is not None:
                return "refused"
            if own.closed_by is not None and now_ns < own.closed_ns + SECONDS_10:
                own.closed_ns = own.closed_by = own.reason = None
                own.by_hand = own.by_hand or own.unclosed == 0
            else:
                own.open_again(by_person=True)
                own.untake()
                own.by_hand = True
        return None

    def _stage(self, own: PlainIncident, stage: str, is_open: bool) -> str | None:
        if not is_open:
            return "refused"
        if stage in RESCUE and (own.kind not in INSIDE or own.stages & set(RESCUE[RESCUE.index(stage) + 1 :])):
            return "refused"
        own.stages.add(stage)
        own.by_hand = own.by_hand or own.kind in INSIDE
        if stage == "released":
            own.inside = own.seen_out = False
        return None

    def _new(self, *stages: str) -> PlainIncident:
        self.incidents.append(PlainIncident(stages=set(stages)))
        return self.incidents[-1]
