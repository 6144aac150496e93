"""F16: the door does not open where the car has arrived, or begins to open and does not open.

    car    runs | stands in the zone ............        door   closed opening ...............
    door   closed ............... 10 s: failed                         15 s: failed

With a person in the car the first failure counts. An empty car may park shut: three stops in a row count. A door of
which reports are missing may have opened: that stop does not count, and the row of stops begins anew.

A stop whose position stands still, whatever the speed says, is no arrival: the two streams cannot distinguish a stuck
position from a wrong speed of a parked car, and the door zone is unknown. A person in such a car is F02's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors import hold
from detectors.observe import door_duty
from detectors.observe.gaps import NEVER_NS
from detectors.observe.row_table import RowTable
from detectors.rule import MAJOR, Level, Rule, Score
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from telemetry.compiled import compiled, copied, records
from telemetry.streams import CLOSED, OPEN, OPENING

MEMORY = np.dtype(
    [
        *hold.FIELDS,  # the time of one opening
        ("trips", np.int64),  # the completed trips at the last row
        ("opened", np.bool_),  # whether the door may have been open since the car last ran
        ("waits", np.bool_),  # whether the car has arrived and its door has been closed since
        ("manned", np.bool_),  # whether a person arrived with the car
        ("failed", np.bool_),  # whether the door has not opened in time at this stop
        ("stops", np.int64),  # the stops in a row at which it failed
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class DoorOpenFault:
    """Scores the time at rest behind a closed door after a trip, and the time of one opening, as shares of limits."""

    closed_s: float = 10.0
    opening_s: float = 15.0
    empty_stops: int = 3

    def start(self, n: int) -> Memory:
        """Return `n` lifts that wait for no door."""
        return records(n, MEMORY, last_ns=NEVER_NS)

    def step(self, state: Memory, rows: RowTable, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        """Score each row that reads a speed or a position."""
        state, since_ns = copied(state), np.empty(len(rows), dtype=np.int64)
        on, off, closed_s, opening_s, stops = np.empty((5, len(rows)))
        unread = (np.isnan(rows.v) & np.isnan(rows.z)) | np.isnan(rows.offset_m) | rows.stale
        _run(
            state, rows.lift, rows.t_ns, rows.gap_ns, unread, rows.v, rows.v_last, rows.offset_m, rows.still_s,
            rows.still_since_ns, rows.door, rows.presence, rows.mode, rows.trips,
            facts.door_zone_m, self.closed_s, self.opening_s, self.empty_stops, on, off, closed_s, opening_s, stops,
            since_ns,
        )  # fmt: skip
        evidence = {
            "closed_s": closed_s,
            "limit_s": np.full(len(rows), self.closed_s),
            "stops": stops,
            "opening_s": opening_s,
            "limit_opening_s": np.full(len(rows), self.opening_s),
        }
        return state, (Score(on, off, evidence, since_ns),)


@compiled
def _run(
    memory: Any, lift: Any, t_ns: Any, gap_ns: Any, unread: Any, v: Any, v_last: Any, offset_m: Any, still_s: Any,
    still_since_ns: Any, door: Any, presence: Any, mode: Any, trips: Any,
    zone_m: Any, limit_closed_s: float, limit_opening_s: float, empty_stops: int, on: Any, off: Any, closed_s: Any,
    opening_s: Any, stops: Any, since_ns: Any,
) -> None:  # fmt: skip
    for k in range(len(lift)):
        own = memory[lift[k]]
        now = door[k]
        person = presence[k] == 1.0
        known = not (unread[k] or np.isnan(now))
        here = door_duty.in_service(mode[k]) and door_duty.at_stop(v_last[k])
        here = here and not abs(offset_m[k]) > zone_m[lift[k]]
        opening = 1.0 if known else np.nan
        if not here or not (now == OPENING or np.isnan(now)):
            opening = 0.0
        opening_s[k] = hold.serve(own, t_ns[k], gap_ns[k], opening)
        counts = _wait(own, trips[k], now, person, here, v[k], still_s[k], limit_closed_s, empty_stops)
        closed_s[k] = still_s[k] if own["waits"] else 0.0
        stops[k] = own["stops"]
        on[k] = np.maximum((still_s[k] if counts else 0.0) / limit_closed_s, opening_s[k] / limit_opening_s)
        if not known or np.isnan(still_s[k]):
            on[k] = np.nan
        off[k] = 1.0 if now == OPEN else 0.0
        if np.isnan(now):
            off[k] = np.nan
        since_ns[k] = still_since_ns[k] if counts else own["since_ns"]


@compiled
def _wait(
    own: Any, trips: int, door: float, person: bool, here: bool, v: float, still_s: float, closed_s: float,
    empty_stops: int,
) -> bool:  # fmt: skip
    """Wait for the door from the end of a trip on; return whether the stop counts as one at which it does not open."""
    arrived = trips > own["trips"]
    own["trips"] = trips
    if door != CLOSED:
        own["opened"], own["stops"] = True, 0
    elif abs(v) > door_duty.LEVELLING_MPS:
        own["opened"] = False
    own["waits"] = here and door == CLOSED and not own["opened"] and (arrived or own["waits"])
    if arrived:
        own["manned"], own["failed"] = person, False
    if not own["waits"]:
        own["failed"] = False
    elif still_s >= closed_s and not own["failed"]:
        own["failed"] = True
        own["stops"] += 1
    return bool(own["waits"] and ((own["manned"] and person) or own["stops"] >= empty_stops))


RULE = Rule.from_catalogue(
    "door-open-fault", DoorOpenFault(), (Level(MAJOR, readings=1),), needs=("floors", "position_source")
)
