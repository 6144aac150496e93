"""A scripted course of events of one lift, tick by tick, and its messages: bundles of ten readings or streams at 1 Hz.

Written from the contract and the catalogue of rules alone, independent of the code under test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

T0_MS = 1_514_764_800_000
"""2018: a wall clock that leaked in is seen at once."""
TICK_S = 0.1
TICKS = 10
RATED_MPS = 1.75
ACCEL_MPS2 = 0.8
STOREY_M = 3.0
TOP_M = 27.0
DOOR_MOVES_S = 2.0
FLOORS = [{"label": str(k), "height_m": STOREY_M * k} for k in range(10)]
BUNDLES, SINGLES = "bundles", "singles"
FEEDS = (BUNDLES, SINGLES)

FeedMessage = tuple[str, dict[str, Any]]


@dataclass
class Story:
    """Readings every 0.1 s and events in between; `marks` remembers when what should be found began and ended."""

    floor_m: float = 0.0
    v: list[float] = field(default_factory=list)
    z: list[float] = field(default_factory=list)
    events: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    marks: dict[str, float] = field(default_factory=dict)
    shaken: dict[int, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.door("closed").person(False).event("infrared", curtain=False)

    @property
    def now_s(self) -> float:
        return round(len(self.v) * TICK_S, 1)

    def mark(self, name: str = "onset") -> Story:
        self.marks[name] = self.now_s
        return self

    def event(self, stream: str, **fields: Any) -> Story:
        self.events.append((self.now_s, stream, fields))
        return self

    def door(self, state: str) -> Story:
        return self.event("door", state=state)

    def person(self, there: bool) -> Story:
        return self.event("infrared", presence=there)

    def stand(self, s: float) -> Story:
        for _ in range(round(s / TICK_S)):
            self._at(0.0, self.floor_m)
        return self

    def ride(self, to_m: float, at_mps: float = RATED_MPS, accel: float = ACCEL_MPS2) -> Story:
        """Ride there as a drive does: even acceleration, cruise, even deceleration."""
        way, begin_m, up = abs(to_m - self.floor_m), self.floor_m, 1.0 if to_m > self.floor_m else -1.0
        top = min(at_mps, (way * accel) ** 0.5)
        ramp_s, whole_s = top / accel, way / top + top / accel
        tick = 1
        while tick * TICK_S < whole_s:
            t, left = tick * TICK_S, whole_s - tick * TICK_S
            v = min(top, accel * t, accel * left)
            gone = accel * t * t / 2 if t < ramp_s else top * (t - ramp_s / 2)
            gone = way - accel * left * left / 2 if left < ramp_s else gone
            self._at(up * v, begin_m + up * gone)
            tick += 1
        self.floor_m = to_m
        return self.stand(TICK_S)

    def cruise(self, s: float, v_mps: float) -> Story:
        """Move on at an even speed."""
        for _ in range(round(s / TICK_S)):
            self.floor_m += v_mps * TICK_S
            self._at(v_mps, self.floor_m)
        return self

    def until_past(self, s: float) -> Story:
        """Move on as before until so much of a second is gone."""
        while round(self.now_s % 1.0, 1) != s:
            self.cruise(TICK_S, self.v[-1])
        return self

    def until_second(self) -> Story:
        """Stand until a second is over."""
        return self.stand((-len(self.v) % TICKS) * TICK_S)

    def speed_up(self, v_from: float, v_to: float, accel: float) -> Story:
        """Change the speed evenly."""
        steps = max(1, round(abs(v_to - v_from) / accel / TICK_S))
        for k in range(1, steps + 1):
            v = v_from + (v_to - v_from) * k / steps
            self.floor_m += (v + v_from + (v_to - v_from) * (k - 1) / steps) / 2 * TICK_S
            self._at(v, self.floor_m)
        return self

    def opens(self, dwell_s: float = 4.0) -> Story:
        return self.door("opening").stand(DOOR_MOVES_S).door("open").stand(dwell_s)

    def closes(self) -> Story:
        return self.door("closing").stand(DOOR_MOVES_S).door("closed").stand(1.0)

    def boards(self) -> Story:
        """Let a person in through the light curtain."""
        entered = self.opens(1.0).event("infrared", curtain=True).person(True).stand(0.5)
        return entered.event("infrared", curtain=False).stand(1.0).closes()

    def trip(self, to_m: float, **how: float) -> Story:
        """Serve a landing: ride, open, close."""
        return self.ride(to_m, **how).stand(0.5).opens().closes()

    def wait(self, s: float) -> Story:
        """Let time pass in silence."""
        self.v += [float("nan")] * round(s / TICK_S)
        self.z += [float("nan")] * round(s / TICK_S)
        return self

    def shake(self, mps2: float) -> Story:
        """Shake the car in the second that begins now (a whole second): 100 samples of vertical vibration."""
        self.shaken[len(self.v) // TICKS] = [0.0] * 20 + [mps2] * 10 + [-mps2] * 5 + [0.0] * 65
        return self

    def _at(self, v: float, z: float) -> None:
        self.v.append(round(v, 4))
        self.z.append(round(z, 4))

    def messages(self, feed: str, boot: str | None = "1") -> Iterator[FeedMessage]:
        """Yield (stream, payload) in the order of sending."""
        spare = -len(self.v) % TICKS
        self.stand(spare * TICK_S)
        seq = 0
        for second in range(len(self.v) // TICKS):
            for stream, body in (self._bundled if feed == BUNDLES else self._single)(second):
                head = {"seq": seq} | ({"boot": boot} if boot is not None else {})
                yield stream, head | body
                seq += 1

    def _events(self, second: int) -> list[tuple[float, str, dict[str, Any]]]:
        return [event for event in self.events if second <= event[0] < second + 1]

    def _bundled(self, second: int) -> Iterator[FeedMessage]:
        body: dict[str, Any] = {"t": T0_MS + 1000 * second}
        events = self._events(second)
        for at_s, stream, fields in events:
            if stream == "status":
                yield stream, {"t": T0_MS + round(1000 * at_s), **fields}
                continue
            inner = body.setdefault(stream, {"at": []})
            inner["at"].append(round(1000 * (at_s - second)))
            names = ("presence", "curtain") if stream == "infrared" else ("state",)
            for name in names:
                inner.setdefault(name, []).append(fields.get(name))
        cut = slice(TICKS * second, TICKS * (second + 1))
        v, z = self.v[cut], self.z[cut]
        if any(reading == reading for reading in v):
            body["speed"] = {"dt": 100, "v": [_null(x) for x in v]}
            body["displacement"] = {"dt": 100, "z": [_null(x) for x in z]}
        if second in self.shaken:
            up = self.shaken[second]
            body["vibration"] = {"dt": 10, "x": [0.0] * len(up), "y": [0.0] * len(up), "z": up}
        if len(body) > 1:
            yield "bundle", body

    def _single(self, second: int) -> Iterator[FeedMessage]:
        t, tick = T0_MS + 1000 * second, TICKS * second
        if self.v[tick] == self.v[tick]:
            yield "speed", {"t": t, "v": self.v[tick]}
            yield "displacement", {"t": t, "z": _null(self.z[tick])}
        if second in self.shaken:
            up = self.shaken[second]
            yield "vibration", {"t": t, "dt": 10, "x": [0.0] * len(up), "y": [0.0] * len(up), "z": up}
        for at_s, stream, fields in self._events(second):
            yield stream, {"t": T0_MS + round(1000 * at_s), **fields}


def _null(reading: float) -> float | None:
    return reading if reading == reading else None
