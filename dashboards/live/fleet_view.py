"""The fleet view: an immutable snapshot of the fleet that joins live state, registry and open alerts.

The view holds columns over all lifts: counting, filtering and sorting ten thousand lifts costs a few array
operations. A row becomes a dict only when a response contains the lift. Every change of the fleet makes a new view.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.alert import Alert
from dashboards.live.blind import UNWATCHED, blind_document
from dashboards.live.fleet_health import FleetHealth, fleet_health
from dashboards.live.lift_incidents import LiftIncident, incident_document
from dashboards.live.maintenance import window_document
from registry import catalogue
from registry.car_floor import between_floors, floor_label
from registry.facts import LiftFacts
from registry.lift_facts import search_text
from registry.scope import LiftScope
from store.live import NEVER, LiveTable
from store.records.repository import HealthRecord, Registered, WindowRecord
from telemetry import instant
from telemetry.streams import DOOR_STATES, INSPECTION, MODES, NEVER_SEEN, OFFLINE, OUT_OF_SERVICE, POWERS, SUSPECT

STATES = (
    "critical", "never-seen", "blind", "offline", "suspect", "major", "minor", "trend", "inspection", "out-of-service",
    "normal",
)  # fmt: skip
SEVERITIES = tuple(reversed(catalogue.SEVERITIES))
DIRECTIONS = {1.0: "up", -1.0: "down", 0.0: "none"}
MASKS_KEPT = 200
"""The number of scopes whose rows an index keeps: an index of 100 000 lifts holds 20 MB at most for them."""
NO_INSTANT = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class LiftIndex:
    """The lifts of the fleet, from registry and live table, in the order of their ids.

    `live_row` is the lift's row in the live table, -1 where it has none; `search_text` is the text that `q` searches;
    `masks` keeps the results of `inside`.
    """

    lift_id: list[str]
    row_of: dict[str, int]
    facts: list[LiftFacts | None]
    district: NDArray[np.str_]
    firm: NDArray[np.object_]
    name: NDArray[np.str_]
    search_text: list[str]
    registered: NDArray[np.bool_]
    live_row: NDArray[np.intp]
    masks: dict[LiftScope, NDArray[np.bool_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lift_id)

    def zone_of(self, lift_id: str) -> str | None:
        """Return the time zone of a lift, None where the lift or its zone is not registered."""
        facts = self.facts[self.row_of[lift_id]] if lift_id in self.row_of else None
        return facts.timezone if facts else None

    def inside(self, lifts: LiftScope) -> NDArray[np.bool_]:
        """Return which rows are lifts in the scope."""
        mask = self.masks.get(lifts)
        if mask is None:
            rows = zip(self.district.tolist(), self.facts, strict=True)
            mask = np.fromiter((lifts.has(*row) for row in rows), dtype=np.bool_, count=len(self))
            if len(self.masks) < MASKS_KEPT:
                self.masks[lifts] = mask
        return mask

    def has(self, lift_id: str, lifts: LiftScope) -> bool:
        """Return whether a lift is in the index and in the scope."""
        row = self.row_of.get(lift_id)
        return row is not None and lifts.has(str(self.district[row]), self.facts[row])


def lift_index(registry: Collection[Registered], live: LiveTable) -> LiftIndex:
    """Return the union of the lifts in the registry and in the live table."""
    known = {each.facts.lift_id: each.facts for each in registry if each.registered}
    district_of = dict(zip(live.lift_id.tolist(), live.district.tolist(), strict=True))
    district_of |= {each.facts.lift_id: each.facts.district for each in registry}
    rows = {lift_id: row for row, lift_id in enumerate(live.lift_id.tolist())}
    ids = sorted(district_of)
    facts = [known.get(lift_id) for lift_id in ids]
    live_row = np.array([rows.get(lift_id, -1) for lift_id in ids], dtype=np.intp)
    return LiftIndex(
        lift_id=ids,
        row_of={lift_id: row for row, lift_id in enumerate(ids)},
        facts=facts,
        district=np.array([district_of[lift_id] for lift_id in ids], dtype=np.str_),
        firm=np.array([each.maintenance_firm if each else None for each in facts], dtype=object),
        name=np.array([(each and each.name) or "" for each in facts], dtype=np.str_),
        search_text=[search_text(lift_id, each) for lift_id, each in zip(ids, facts, strict=True)],
        registered=np.array([each is not None for each in facts], dtype=np.bool_),
        live_row=live_row,
    )


@dataclass(frozen=True, slots=True)
class FleetView:
    """The fleet at `as_of_ns`. Columns are in the order of the lift index.

    `state` is an index into `STATES`; `since_ns` is the begin of that state, `NO_INSTANT` where unknown.
    `blind` is the reason why messages of a lift are not judged, "" for all others; `blind_since_ns` is its begin.
    `counts` is (n, 4), open alerts by `SEVERITIES`; `windows` is the latest maintenance window of each lift;
    `incidents` is the worst open incident of a lift that people reported, or in which somebody may be inside.
    """

    as_of_ns: int
    lift_index: LiftIndex
    live: LiveTable
    alerts: Mapping[str, Sequence[Alert]]
    last_seen_ns: NDArray[np.int64]
    counts: NDArray[np.int64]
    state: NDArray[np.int8]
    since_ns: NDArray[np.int64]
    blind: NDArray[np.str_]
    blind_since_ns: NDArray[np.int64]
    windows: Mapping[str, WindowRecord]
    health: FleetHealth
    incidents: Mapping[str, LiftIncident]

    def item(self, row: int, reader: LiftScope) -> dict[str, Any]:
        """Return one lift as an item of the list, with the note of its maintenance where the scope reads it."""
        index, known, at = self.lift_index, self.lift_index.facts[row], int(self.lift_index.live_row[row])
        since_ns, last_seen_ns = int(self.since_ns[row]), int(self.last_seen_ns[row])
        critical, major, minor, trend = self.counts[row].tolist()
        return {
            "lift_id": index.lift_id[row],
            "district": str(index.district[row]) or None,
            "name": known.name if known else None,
            "registered": known is not None,
            "state": STATES[self.state[row]],
            "last_seen": None if last_seen_ns == NEVER else instant.text(last_seen_ns),
            **(NO_READINGS if at < 0 else _latest(self.live, at, known)),
            "open_alerts": {"critical": critical, "major": major, "minor": minor, "trend": trend},
            "worst_rule": worst_rule(self.alerts.get(index.lift_id[row], ())),
            "incident": incident_document(self.incidents.get(index.lift_id[row])),
            **self.health.item(row, index.lift_id[row]),
            "address": known.address if known else None,
            "lat": known.lat if known else None,
            "lon": known.lon if known else None,
            "timezone": known.timezone if known else None,
            "maintenance_firm": known.maintenance_firm if known else None,
            "since": None if since_ns == NO_INSTANT else instant.text(since_ns),
            "blind": blind_document(str(self.blind[row]), int(self.blind_since_ns[row]) or None),
            "maintenance": window_document(self.windows.get(index.lift_id[row]), reader),
        }


NO_READINGS: dict[str, Any] = dict.fromkeys(
    ("position_m", "floor", "between", "direction", "speed_mps", "door", "presence", "mode", "power", "last_trip")
)


def _latest(live: LiveTable, at: int, known: LiftFacts | None) -> dict[str, Any]:
    """Return the latest readings of a lift."""
    landing, presence, last_trip_ns = int(live.landing[at]), float(live.presence[at]), int(live.last_trip_ns[at])
    return {
        "position_m": number(live.position_m[at]),
        "floor": floor_label(known, landing),
        "between": list(between_floors(known, float(live.position_m[at])) or ()) or None,
        "direction": DIRECTIONS.get(float(live.direction[at])),
        "speed_mps": number(live.speed_mps[at]),
        "door": _named(DOOR_STATES, live.door[at]),
        "presence": None if presence != presence else presence > 0,
        "mode": _named(MODES, live.mode[at]),
        "power": _named(POWERS, live.power[at]),
        "last_trip": None if last_trip_ns == NEVER else instant.text(last_trip_ns),
    }


def worst_rule(open_alerts: Sequence[Alert]) -> str | None:
    """Return the rule of the most severe open alert, of several the one that began first; None without alerts."""
    worst = min(open_alerts, key=lambda alert: (SEVERITIES.index(alert.severity), alert.onset_ns), default=None)
    return worst.rule if worst else None


def number(value: float, digits: int = 3) -> float | None:
    """Return a reading rounded to `digits` decimals; None where unknown."""
    return round(float(value), digits) if np.isfinite(value) else None


def _named(names: Sequence[str], code: float) -> str | None:
    return names[int(code)] if 0 <= code < len(names) else None


def fleet_view(
    as_of_ns: int,
    index: LiftIndex,
    live: LiveTable,
    alerts: Mapping[str, Sequence[Alert]],
    windows: Mapping[str, WindowRecord] | None = None,
    unwatched: NDArray[np.bool_] | None = None,
    healths: Mapping[str, HealthRecord] | None = None,
    incidents: Mapping[str, LiftIncident] | None = None,
) -> FleetView:
    """Return the view that joins the lift index, the live table, the open alerts and incidents, and the maintenance
    windows.

    `unwatched` marks the rows of the live table whose monitor does not run: their lifts are blind.
    """
    counts, onset_ns = _open(index, alerts)
    has = counts > 0
    for lift_id, incident in (incidents or {}).items():
        if (at := index.row_of.get(lift_id)) is not None:
            column = SEVERITIES.index(incident.severity)
            has[at, column], onset_ns[at, column] = True, min(onset_ns[at, column], incident.opened_ns)
    is_live = index.live_row >= 0
    link, mode = np.full(len(index), NEVER_SEEN), np.full(len(index), np.nan)
    last_seen_ns = np.full(len(index), NEVER, dtype=np.int64)
    link[is_live], mode[is_live] = live.link[index.live_row[is_live]], live.mode[index.live_row[is_live]]
    last_seen_ns[is_live] = live.last_seen_ns[index.live_row[is_live]]
    blind, blind_since_ns = np.full(len(index), "", dtype=live.blind.dtype), np.zeros(len(index), dtype=np.int64)
    blind[is_live], blind_since_ns[is_live] = (
        live.blind[index.live_row[is_live]],
        live.blind_since_ns[index.live_row[is_live]],
    )
    if unwatched is not None and unwatched.any():
        lost = is_live & unwatched[index.live_row]
        blind = np.where(lost, UNWATCHED, blind)
        blind_since_ns[lost] = last_seen_ns[lost]
    state = _state(has, link, mode, blind != "")
    since_ns = _since(state, onset_ns, last_seen_ns)
    is_blind = (state == STATES.index("blind")) & (blind_since_ns != NEVER)
    since_ns[is_blind] = blind_since_ns[is_blind]
    is_judged = (blind == "") & (link != OFFLINE) & (link != NEVER_SEEN)
    health = fleet_health(index.lift_id, healths or {}, is_judged, counts[:, :2])
    return FleetView(
        as_of_ns,
        index,
        live,
        alerts,
        last_seen_ns,
        counts,
        state,
        since_ns,
        blind,
        blind_since_ns,
        windows or {},
        health,
        incidents or {},
    )


def _open(index: LiftIndex, alerts: Mapping[str, Sequence[Alert]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of open alerts by lift and severity, and the earliest onset of each."""
    counts = np.zeros((len(index), len(SEVERITIES)), dtype=np.int64)
    onset_ns = np.full((len(index), len(SEVERITIES)), NO_INSTANT, dtype=np.int64)
    for lift_id, open_here in alerts.items():
        if lift_id not in index.row_of:
            continue
        row = index.row_of[lift_id]
        for alert in open_here:
            column = SEVERITIES.index(alert.severity)
            counts[row, column] += 1
            onset_ns[row, column] = min(onset_ns[row, column], alert.onset_ns)
    return counts, onset_ns


def _state(
    has: NDArray[np.bool_], link: NDArray[Any], mode: NDArray[np.float64], blind: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Return for each lift the first of `STATES` that holds; `has` are the `SEVERITIES` of its alerts and incident."""
    holds = np.column_stack(
        [
            has[:, 0],
            link == NEVER_SEEN,
            blind,
            link == OFFLINE,
            link == SUSPECT,
            *has[:, 1:].T,
            mode == INSPECTION,
            mode == OUT_OF_SERVICE,
            np.ones(len(has), dtype=np.bool_),
        ]
    )
    return np.argmax(holds, axis=1).astype(np.int8)


def _since(state: NDArray[np.int8], onset_ns: NDArray[np.int64], last_seen_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return since when each lift is in its state, `NO_INSTANT` where unknown."""
    since_ns = np.full(len(state), NO_INSTANT, dtype=np.int64)
    for column, severity in enumerate(SEVERITIES):
        here = state == STATES.index(severity)
        since_ns[here] = onset_ns[here, column]
    silent = np.isin(state, [STATES.index(name) for name in ("offline", "suspect")]) & (last_seen_ns != NEVER)
    since_ns[silent] = last_seen_ns[silent]
    return since_ns
