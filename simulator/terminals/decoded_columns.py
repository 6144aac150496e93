"""Converts reports of terminals directly to the columns of the monitor's decoder, without encoding them.

`ColumnEncoder.decoded` equals what `telemetry.wire.decode` returns for the same bundles, each sent as soon as it is
due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.facts import LiftFacts
from simulator.physics.machine_vibration import MACHINE_HZ
from simulator.physics.sensors import SAMPLE_HZ
from simulator.terminals.terminals import DISPLACEMENT, DOOR, INFRARED, MS, NS, SPEED, VIBRATION, Reports
from simulator.world.second import Events
from telemetry.arrays import I64
from telemetry.batch import NO_MACHINE, Decoded, Messages, Samples, Waveforms
from telemetry.streams import MODES, POWERS
from telemetry.wire.columns import instants
from telemetry.wire.parsed import NAN

NO_BOOT = "0"
SAMPLE_NS = NS // SAMPLE_HZ


class ColumnEncoder:
    """Makes decoded columns of these lifts' reports; `position` counts the messages."""

    def __init__(self, facts: Sequence[LiftFacts]) -> None:
        self._id = [lift.lift_id for lift in facts]
        self._district = [lift.district for lift in facts]
        self.position = 0

    def decoded(self, reports: Reports) -> Decoded:
        """Return the columns of all messages of a second, in the order in which they are sent."""
        statuses, n = reports.statuses, len(reports.statuses)
        sent_ns = np.r_[np.array([status.sent_ns for status in statuses], dtype=np.int64), reports.sent_ns]
        order = np.argsort(sent_ns, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        bundle = place[n:]
        samples = {
            "speed": _sampled(reports, bundle, SPEED, "v_mps", reports.second.v_mps),
            "displacement": _sampled(reports, bundle, DISPLACEMENT, "z_m", reports.second.z_m),
            "door": _events(reports, bundle, DOOR, reports.second.door, ("door",)),
            "infrared": _events(reports, bundle, INFRARED, reports.second.infrared, ("presence", "curtain")),
            "status": _statuses(reports, place[:n]),
        }
        waveforms, machine = _waveforms(reports, bundle), _machine(reports, bundle)
        return Decoded(self._messages(reports, order, samples, (waveforms, machine)), samples, waveforms, [], machine)

    def _messages(
        self, reports: Reports, order: NDArray[np.intp], samples: Mapping[str, Samples], waveforms: Sequence[Waveforms]
    ) -> Messages:
        statuses = reports.statuses
        lift = np.r_[np.array([status.lift for status in statuses], dtype=np.int64), reports.lift][order]
        seq = np.r_[np.array([status.seq for status in statuses], dtype=np.int64), reports.seq][order]
        t_ns = np.r_[np.array([status.t_ns for status in statuses], dtype=np.int64), reports.t_ns][order]
        arrived_ns = np.r_[np.array([status.sent_ns for status in statuses], dtype=np.int64), reports.sent_ns][order]
        timed, end_ns = seq >= 0, t_ns.copy()
        for stream in samples.values():
            np.maximum.at(end_ns, stream.message, stream.t_ns)
        for waves in waveforms:
            last_ms = (np.diff(waves.first) - 1) * (waves.dt_ns / MS)
            end_ns[waves.message] = np.maximum(end_ns[waves.message], instants(waves.t_ns / MS, last_ms))
        rows = lift.tolist()
        self.position += len(rows)
        return Messages(
            lift_id=[self._id[row] for row in rows],
            district=[self._district[row] for row in rows],
            boot=[(reports.boot[row] or NO_BOOT) if own else NO_BOOT for row, own in zip(rows, timed, strict=True)],
            seq=seq,
            t_ns=t_ns,
            t_end_ns=end_ns,
            arrived_ns=arrived_ns,
            position=self.position - len(rows) + 1 + np.arange(len(rows)),
            complete=order >= len(statuses),
            retained_stale=np.zeros(len(rows), dtype=np.bool_),
            timed=timed,
        )


def _in_order(message: NDArray[np.intp], t_ns: I64, columns: dict[str, NDArray[Any]]) -> Samples:
    """Return samples sorted by message; those of one message keep their order."""
    order = np.argsort(message, kind="stable")
    return Samples(
        message[order].astype(np.int32),
        t_ns[order],
        {name: column[order].astype(np.float64) for name, column in columns.items()},
    )


def _sampled(
    reports: Reports, bundle: NDArray[np.intp], stream: int, name: str, values: NDArray[np.float64]
) -> Samples:
    step = SAMPLE_HZ // reports.samples
    body = (np.arange(SAMPLE_HZ) % step[:, None] == 0) & reports.streams[:, [stream]]
    body &= ~np.isnan(values[reports.lift])
    row, k = np.nonzero(body)
    return _in_order(bundle[row], reports.t_ns[row] + k * SAMPLE_NS, {name: values[reports.lift[row], k]})


def _events(reports: Reports, bundle: NDArray[np.intp], stream: int, events: Events, names: Sequence[str]) -> Samples:
    row_of = np.full(len(events.first) - 1, -1)
    row_of[reports.lift] = np.where(reports.streams[:, stream], np.arange(len(reports.lift)), -1)
    row = np.repeat(row_of, np.diff(events.first))
    present = row >= 0
    row = row[present]
    t_ns = reports.t_ns[row] + events.offset_ms[present] * MS
    return _in_order(bundle[row], t_ns, dict(zip(names, events.values[present].T, strict=True)))


def _waveforms(reports: Reports, bundle: NDArray[np.intp]) -> Waveforms:
    waves = reports.second.vibration_mps2
    rows = np.flatnonzero(reports.streams[:, VIBRATION]) if waves is not None else np.zeros(0, dtype=np.intp)
    rows = rows[np.argsort(bundle[rows])]
    xyz, rate_hz = np.zeros((3, 0), dtype=np.float32), 1
    if waves is not None:
        rate_hz = waves.shape[2]
        xyz = waves[reports.lift[rows]].transpose(1, 0, 2).reshape(3, -1)
    dt_ns, first = np.full(len(rows), NS / rate_hz), np.arange(len(rows) + 1) * rate_hz
    return Waveforms(bundle[rows].astype(np.int32), reports.t_ns[rows], dt_ns, first, xyz)


def _machine(reports: Reports, bundle: NDArray[np.intp]) -> Waveforms:
    waves = reports.second.machine_mps2
    rows = np.flatnonzero(np.isin(reports.lift, list(waves)))
    if not len(rows):
        return NO_MACHINE
    rows = rows[np.argsort(bundle[rows])]
    a = np.concatenate([waves[lift] for lift in reports.lift[rows].tolist()])[None]
    first = np.arange(len(rows) + 1) * MACHINE_HZ
    return Waveforms(bundle[rows].astype(np.int32), reports.t_ns[rows], np.full(len(rows), NS / MACHINE_HZ), first, a)


def _statuses(reports: Reports, place: NDArray[np.intp]) -> Samples:
    body = [status.body for status in reports.statuses]
    columns: dict[str, list[float]] = {
        "online": [float(one["online"]) for one in body],
        "alarm": [float(one.get("alarm", NAN)) for one in body],
        "mode": [float(MODES.index(one["mode"])) if "mode" in one else NAN for one in body],
        "power": [float(POWERS.index(one["power"])) if "power" in one else NAN for one in body],
        "heartbeat_s": [float(one.get("heartbeat_s", NAN)) for one in body],
    }
    t_ns = np.array([status.t_ns for status in reports.statuses], dtype=np.int64)
    return _in_order(place, t_ns, {name: np.array(column) for name, column in columns.items()})
