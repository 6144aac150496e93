"""The states of event streams once more, as a plain loop: what is known of them and what is in doubt."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from detectors.observe import gaps
from detectors.observe.reports import events
from telemetry.streams import CLOSED, CLOSING, INSPECTION, OPEN, OPENING

NAN = math.nan


@dataclass
class NaiveStates:
    """What event streams reported last, and how much of it is in doubt."""

    reported: dict[str, float] = field(default_factory=lambda: dict.fromkeys(events.STATES, NAN))
    doubted: set[str] = field(default_factory=set)
    door_missed: int = 0
    missed_ns: int = gaps.NEVER_NS
    ajar_ns: int = gaps.NEVER_NS
    passed: bool = False
    away_ns: int = gaps.NEVER_NS
    aboard: bool = False
    unentered: bool = False
    closings: int | None = None
    opened: bool = False

    def known(self) -> dict[str, float]:
        known = {name: NAN if name in self.doubted else value for name, value in self.reported.items()}
        known |= {"presence": NAN} if self.unentered else {}
        return known | ({"door": NAN} if self.door_missed >= (1 if self.reported["door"] == CLOSING else 2) else {})

    def update(self, t_ns: int, reboot: bool, read: dict[str, float], still_ns: int) -> None:
        if reboot:
            self.reported, self.doubted, self.door_missed = dict.fromkeys(events.STATES, NAN), set(), 0
            self.missed_ns = t_ns
            self.aboard = self.unentered = self.opened = False
            self.closings = None
        between = t_ns - self.away_ns <= gaps.GAP_NS and read["gap"] < events.DOOR_OPENS_S
        if read["gap"] > 0 and between and self.known()["door"] == CLOSED:
            self.missed_ns = t_ns
            self.doubted |= {"curtain", "alarm"}
        elif read["gap"] > 0:
            stroke_s = events.DOOR_OPENS_S if self.reported["door"] == CLOSED else events.DOOR_CLOSES_S
            self.door_missed += 2 if read["gap"] >= stroke_s else 1
            self.missed_ns = t_ns
            self.doubted |= {"curtain", "alarm"}
            left = self.passed and t_ns - self.ajar_ns < events.LINGER_NS
            if self.known()["door"] != CLOSED or left:
                self.doubted.add("presence")
        if not math.isnan(read["presence"]):
            was_empty = self.reported["presence"] == 0 and "presence" not in self.doubted and not self.aboard
            door_now = read["door"] if not math.isnan(read["door"]) else self.known()["door"]
            long_shut = self.ajar_ns != gaps.NEVER_NS and t_ns - max(self.ajar_ns, self.missed_ns) > 60_000_000_000
            appears = was_empty and door_now == CLOSED and long_shut
            self.unentered = read["presence"] == 1 and (self.unentered or appears)
        for name in events.STATES:
            if not math.isnan(read[name]):
                self.reported[name] = read[name]
                self.doubted.discard(name)
        if not math.isnan(read["door"]):
            self.door_missed = 0
        known = self.known()
        passed = known["curtain"] == 1 or (math.isnan(known["curtain"]) and known["door"] != CLOSED)
        self.passed = (self.passed and math.isnan(read["presence"])) or passed
        since_s = (t_ns - self.missed_ns) / 1e9
        over = self.door_missed == 1 and since_s > {CLOSED: 8.0, OPEN: 20.0}.get(self.reported["door"], math.inf)
        if over:
            self.door_missed = 0
        elif self.door_missed == 1 and self.reported["door"] == OPENING and since_s > 8.0:
            self.door_missed = 2
        if self.known()["door"] != CLOSED:
            self.ajar_ns, self.aboard = t_ns, False
        self.aboard = self.aboard or self.known()["presence"] == 1
        self._leave(self.known(), min(still_ns, t_ns - self.ajar_ns))

    def _leave(self, known: dict[str, float], shut_ns: int) -> None:
        """Doubt a person who was shut in for a minute, and is still there after the door was open and closed twice."""
        if known["presence"] != 1:
            self.closings = None
            return
        if known["door"] == OPEN:
            self.opened = True
        if known["door"] != CLOSED:
            return
        if self.closings is not None and self.opened:
            self.closings += 1
            if self.closings == 2:
                self.unentered, self.closings = True, None
        elif self.closings is None and shut_ns >= 60_000_000_000:
            self.closings = 0
        self.opened = False

    def rule_out_open_door(self, speed: float, offset: float, zone: float, t_ns: int) -> None:
        if not math.isnan(offset):
            self.away_ns = t_ns if offset > zone else gaps.NEVER_NS
        away = speed > 0.8 or offset > zone
        door = self.reported["door"]
        unsure = math.isnan(self.known()["door"]) or door == CLOSED
        if self.door_missed and not math.isnan(door) and self.reported["mode"] != INSPECTION and away and unsure:
            self.reported["door"], self.door_missed, self.ajar_ns = CLOSED, 0, t_ns
