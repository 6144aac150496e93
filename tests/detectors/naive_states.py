"""The states of event streams once more, as a plain loop: what is known of them and what is in doubt."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from detectors.observe import events, gaps
from telemetry.streams import CLOSED, CLOSING, INSPECTION, OPEN, OPENING

NAN = math.nan


@dataclass
class NaiveStates:
    """What event streams reported last, and how much of it is in doubt."""

    said: dict[str, float] = field(default_factory=lambda: dict.fromkeys(events.STATES, NAN))
    doubted: set[str] = field(default_factory=set)
    door_missed: int = 0
    missed_ns: int = gaps.NEVER_NS
    ajar_ns: int = gaps.NEVER_NS

    def known(self) -> dict[str, float]:
        known = {name: NAN if name in self.doubted else value for name, value in self.said.items()}
        in_motion = self.said["door"] in (OPENING, CLOSING)
        return known | ({"door": NAN} if self.door_missed >= (1 if in_motion else 2) else {})

    def hear(self, t_ns: int, reboot: bool, read: dict[str, float]) -> None:
        if reboot:
            self.said, self.doubted, self.door_missed = dict.fromkeys(events.STATES, NAN), set(), 0
            self.missed_ns = t_ns
        if read["gap"] > 0:
            stroke_s = events.DOOR_OPENS_S if self.said["door"] == CLOSED else events.DOOR_CLOSES_S
            self.door_missed += 2 if read["gap"] >= stroke_s else 1
            self.missed_ns = t_ns
            self.doubted |= {"curtain", "alarm"}
            if self.known()["door"] != CLOSED or t_ns - self.ajar_ns < events.LINGER_NS:
                self.doubted.add("presence")
        for name in events.STATES:
            if not math.isnan(read[name]):
                self.said[name] = read[name]
                self.doubted.discard(name)
        finished = t_ns - self.missed_ns > events.STROKE_MOST_NS and self.said["door"] in (CLOSED, OPEN)
        if not math.isnan(read["door"]) or (self.door_missed == 1 and finished):
            self.door_missed = 0
        if self.known()["door"] != CLOSED:
            self.ajar_ns = t_ns

    def run(self, speed: float, offset: float, zone: float, t_ns: int) -> None:
        runs = speed > 0.8 or (speed > 0.3 and offset > zone)
        door = self.said["door"]
        unsure = math.isnan(self.known()["door"]) or door == CLOSED
        if self.door_missed and not math.isnan(door) and self.said["mode"] != INSPECTION and runs and unsure:
            self.said["door"], self.door_missed, self.ajar_ns = CLOSED, 0, t_ns
