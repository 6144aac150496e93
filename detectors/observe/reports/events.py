"""The last reported states of event streams, and whether they can still be true after lost messages.

    door      closed ─[ 1 s ]─ closed ───────      too short for a stroke of the door: at most one report is missing
    door      closed ─[ 20 s ]─ ? ───── opening    in doubt until the next report
    door      open ───[ 20 s ]─ ? ─ closed         or until the car is away from its landing: its door is closed there
    presence  1 ──────[ 1 s ]── ? ───── 1          in doubt where the person may have left shortly before
    presence  0 ──── door shut for a minute ──── ? nobody enters a car by a closed door: in doubt until it reads 0
    presence  1 ──── door shut for a minute, open, shut, open, shut ──── ?  and whoever was shut in leaves it

A state in doubt is NaN in the table, as one that was never reported. A device that restarted has reported nothing. Of a
device that loses messages without a trace no report stands for long (`lone_reports`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.observe.doorway import PREOPENING_MPS
from detectors.observe.gaps import GAP_NS, NEVER_NS, longest_ns
from detectors.observe.reports import lone_reports, pauses
from detectors.observe.reports.lone_reports import ALARM, CURTAIN, DOOR, LONE, PRESENCE
from telemetry.batch import UNSURE
from telemetry.compiled import compiled
from telemetry.streams import CLOSED, CLOSING, INSPECTION, OPEN, OPENING

DOOR_OPENS_S, DOOR_CLOSES_S = 1.5, 2.0
"""No door opens or closes faster: two reports of it are so far apart."""
OPENED_NS, CLOSED_NS = 8_000_000_000, 20_000_000_000
"""A door that has begun to open or to close, which is slower with people in its way, has reported the end by then."""
SHUT_IN_NS, OPENINGS = 60_000_000_000, 2
"""Whoever was shut in a standing car for so long has left it once its door has opened and closed so often."""
ENTER_NS = 60_000_000_000
"""A person in the car has been seen by the sensor by then, counted from when the door was last not closed."""
LINGER_NS = 30_000_000_000
"""A sensor may report a person for so long after the person left (25 s are usual)."""

STATES = ("door", "presence", "curtain", "mode", "power", "alarm")
FIELDS = [
    *((name, np.float64) for name in STATES),  # as reported last
    ("door_missed", np.int64),  # how many reports of the door may be missing since
    ("missed_ns", np.int64),  # when messages last went missing
    ("ajar_ns", np.int64),  # when the door was last not known to be closed
    ("away_ns", np.int64),  # when the car was last read outside its door zone, NEVER_NS once it was read inside
    ("passed", np.bool_),  # whether somebody may have passed the light curtain since a person was reported
    ("presence_doubt", np.bool_),
    ("aboard", np.bool_),  # whether a person was reported since the door was last not closed
    ("unentered", np.bool_),  # whether a person is reported who cannot have come in, or must have left
    (
        "shut_in",
        np.int64,
    ),  # how often the door must still close after opening for a person who was shut in to have left
    ("freed", np.bool_),  # whether the door has been open since it was last closed
    ("curtain_doubt", np.bool_),
    ("alarm_doubt", np.bool_),
]
START = dict.fromkeys(STATES, np.nan) | {"missed_ns": NEVER_NS, "ajar_ns": NEVER_NS, "away_ns": NEVER_NS}


@compiled
def take_in(own: Any, read: Any) -> None:
    """Update the states with a row: first the messages missing before the row, then its reports."""
    if read.reboot == 1.0:
        _forget(own, read.t_ns)
        pauses.forget(own)
    missing_s = np.fmax(read.gap, pauses.hole_s(own, read))
    if missing_s > 0.0:
        _miss(own, read.t_ns, missing_s)
    _take_in_reports(own, read)
    if own["door_missed"] == 1:
        _end_stroke(own, read.t_ns - own["missed_ns"])
    if lone_reports.may_lack(own, read.t_ns):
        _wear(own, read.t_ns)
    elif own["door"] in (OPENING, CLOSING) and lone_reports.may_lack_one(own):
        _wear_door(own, read.t_ns)
    if door(own) != CLOSED:
        own["ajar_ns"], own["aboard"] = read.t_ns, False
    own["aboard"] = own["aboard"] or presence(own) == 1.0
    _note_shut_in(own, read.t_ns)


@compiled
def _take_in_reports(own: Any, read: Any) -> None:
    """Update the states with the reports of a row."""
    t_ns = read.t_ns
    _take_in_unsure(own, read)
    if read.door < UNSURE:
        lone_reports.note(own, DOOR, t_ns, read.door == own["door"])
        own["door"], own["door_missed"] = read.door, 0
    if read.curtain < UNSURE:
        lone_reports.note(own, CURTAIN, t_ns, read.curtain == own["curtain"])
        own["curtain"], own["curtain_doubt"] = read.curtain, False
    if read.presence < UNSURE:
        own["unentered"] = read.presence == 1.0 and (own["unentered"] or _appears(own, t_ns))
        lone_reports.note(own, PRESENCE, t_ns, read.presence == own["presence"])
        own["presence"], own["presence_doubt"], own["passed"] = read.presence, False, False
    if not (np.isnan(read.door) and np.isnan(read.curtain) and np.isnan(read.presence)):
        own["alone"] = read.unnumbered == LONE
    if curtain(own) == 1.0 or (np.isnan(curtain(own)) and door(own) != CLOSED):
        own["passed"] = True
    if not np.isnan(read.mode):
        own["mode"] = read.mode
    if not np.isnan(read.power):
        own["power"] = read.power
    if not np.isnan(read.alarm):
        lone_reports.note(own, ALARM, t_ns, read.alarm == own["alarm"])
        own["alarm"], own["alarm_doubt"] = read.alarm, False


@compiled
def _take_in_unsure(own: Any, read: Any) -> None:
    """Put in doubt a state that another one replaces at some instant from a row on."""
    if read.door >= UNSURE and read.door - UNSURE != door(own):
        own["door"] = np.nan
    if read.curtain >= UNSURE and read.curtain - UNSURE != curtain(own):
        own["curtain_doubt"] = True
    if read.presence >= UNSURE and read.presence - UNSURE != presence(own):
        own["presence_doubt"] = True


@compiled
def rule_out_open_door(own: Any, t_ns: int, v_mps: float, speed_mps: float, offset_m: float, zone_m: float) -> None:
    """Conclude that a door in doubt is closed where the car runs, by two readings, or is read outside its door zone.

    A car that levels in may open its door already, up to a speed; in inspection it may run with an open door.
    """
    if not np.isnan(offset_m):
        own["away_ns"] = t_ns if abs(offset_m) > zone_m else NEVER_NS
    moves = lone_reports.moves_since(own, t_ns, v_mps)
    if moves and (lone_reports.may_lack(own, t_ns) or (own["door"] == CLOSING and lone_reports.may_lack_one(own))):
        own["door_missed"] = 2
    if own["door_missed"] == 0 or np.isnan(own["door"]) or own["mode"] == INSPECTION:
        return
    away = speed_mps > PREOPENING_MPS or abs(offset_m) > zone_m
    if away and (np.isnan(door(own)) or own["door"] == CLOSED):
        own["door"], own["door_missed"], own["ajar_ns"] = CLOSED, 0, t_ns
        lone_reports.note(own, DOOR, t_ns, False)


@compiled
def door(own: Any) -> float:
    """Return the state of the door, NaN where it is unknown or in doubt."""
    missing = 1 if own["door"] == CLOSING else 2
    return np.nan if own["door_missed"] >= missing else float(own["door"])


@compiled
def is_shut(own: Any, t_ns: int) -> float:
    """Return 1 where the car stands still with its door closed, 0 where not, NaN where that is unknown."""
    if np.isnan(door(own)) or own["doubt"] or t_ns - own["motion_ns"] > longest_ns(own["interval_ns"]):
        return np.nan
    return 1.0 if own["still_ns"] > 0 and door(own) == CLOSED else 0.0


@compiled
def presence(own: Any) -> float:
    """Return whether a person is in the car, NaN where that is unknown or in doubt."""
    return np.nan if own["presence_doubt"] or own["unentered"] else float(own["presence"])


@compiled
def _appears(own: Any, t_ns: int) -> bool:
    """Return whether a person who is reported now was not in the car when its door closed, a minute ago or longer.

    That is not known of a lift whose reports may be missing without a trace.
    """
    was_empty = own["presence"] == 0.0 and not own["presence_doubt"] and not own["aboard"] and not own["alone"]
    shut_ns = max(own["ajar_ns"], own["missed_ns"])
    return bool(was_empty and door(own) == CLOSED and own["ajar_ns"] != NEVER_NS and t_ns - shut_ns > ENTER_NS)


@compiled
def _note_shut_in(own: Any, t_ns: int) -> None:
    """Note a person who is shut in a standing car, and how often the door has been open and closed again since."""
    state = door(own)
    if presence(own) != 1.0:
        own["shut_in"] = 0
    elif state == OPEN:
        own["freed"] = True
    elif state == CLOSED:
        if own["freed"] and own["shut_in"] > 0:
            own["shut_in"] -= 1
            own["unentered"] = own["shut_in"] == 0
        elif own["shut_in"] == 0 and own["still_ns"] >= SHUT_IN_NS and t_ns - own["ajar_ns"] >= SHUT_IN_NS:
            own["shut_in"] = OPENINGS
        own["freed"] = False


@compiled
def curtain(own: Any) -> float:
    """Return whether the light curtain is blocked, NaN where that is unknown or in doubt."""
    return np.nan if own["curtain_doubt"] else float(own["curtain"])


@compiled
def alarm(own: Any) -> float:
    """Return whether the alarm button is pressed, NaN where that is unknown or in doubt."""
    return np.nan if own["alarm_doubt"] else float(own["alarm"])


@compiled
def _miss(own: Any, t_ns: int, missing_s: float) -> None:
    """Put in doubt the states that the messages missing from `t_ns` on may have changed."""
    own["missed_ns"] = t_ns
    own["curtain_doubt"] = own["alarm_doubt"] = True
    if t_ns - own["away_ns"] <= GAP_NS and missing_s < DOOR_OPENS_S and door(own) == CLOSED:
        return  # between landings no door opens and nobody leaves
    own["door_missed"] += 2 if missing_s >= (DOOR_OPENS_S if own["door"] == CLOSED else DOOR_CLOSES_S) else 1
    if door(own) != CLOSED or (own["passed"] and t_ns - own["ajar_ns"] < LINGER_NS):
        own["presence_doubt"] = True


@compiled
def _wear(own: Any, t_ns: int) -> None:
    """Put in doubt the states of which a later report may be missing; nobody leaves by a closed door."""
    _wear_door(own, t_ns)
    if door(own) != CLOSED and lone_reports.is_worn(own, PRESENCE, t_ns):
        own["presence_doubt"] = True
    if lone_reports.is_worn(own, CURTAIN, t_ns):
        own["curtain_doubt"] = True
    if lone_reports.is_worn(own, ALARM, t_ns):
        own["alarm_doubt"] = True


@compiled
def _wear_door(own: Any, t_ns: int) -> None:
    if lone_reports.is_worn(own, DOOR, t_ns):
        own["door_missed"] = 2


@compiled
def _end_stroke(own: Any, since_ns: int) -> None:
    """Resolve a door in doubt by the time since its report may be missing: unchanged, or opening has ended."""
    if (own["door"] == CLOSED and since_ns > OPENED_NS) or (own["door"] == OPEN and since_ns > CLOSED_NS):
        own["door_missed"] = 0
    elif own["door"] == OPENING and since_ns > OPENED_NS:
        own["door_missed"] = 2


@compiled
def _forget(own: Any, t_ns: int) -> None:
    """Reset the states that the device reported before it was away."""
    own["missed_ns"] = t_ns
    own["door"] = own["presence"] = own["curtain"] = own["mode"] = own["power"] = own["alarm"] = np.nan
    own["door_missed"] = 0
    own["presence_doubt"] = own["curtain_doubt"] = own["alarm_doubt"] = False
    own["aboard"] = own["unentered"] = own["freed"] = False
    own["shut_in"] = 0
