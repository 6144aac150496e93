"""From columns back to messages: the objects of the contract with the readings of a decoded group. The counterpart of
`decode`: decoding the messages again gives the same columns.

A gateway's inner bundles become bundles of their own. A message without a time has that of its arrival, unless it is a
status. A retained status that was old is written without its alarm: it
set the state then, and must raise nothing now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64, I64
from telemetry.batch import Decoded
from telemetry.streams import DOOR_STATES, FIELDS, MACHINE, MODES, POWERS, topic
from telemetry.wire.columns import instants

MS = 1_000_000
PLACES_LIMIT = 10_000
CHOICES = {"mode": MODES, "power": POWERS}
STALE_LEFT_OUT = "alarm"
GRIDS_REMEMBERED = 1024
_ZERO = np.zeros(1)

Fields = dict[str, Any]


class EncodedMessage(NamedTuple):
    """A message: its row in the group, its topic, and its object."""

    row: int
    topic: str
    body: Fields
    retained: bool


def reencoded(decoded: Decoded, shift_ns: int = 0) -> Iterator[EncodedMessage]:
    """Yield the messages of a group in their order, all times shifted by `shift_ns` (whole milliseconds)."""
    messages, streams = decoded.messages, forms(decoded).tolist()
    encoder = _Encoder(decoded, shift_ns)
    heads = zip(messages.seq.tolist(), messages.boot, messages.t_ns.tolist(), messages.timed.tolist(), strict=True)
    for row, (seq, boot, t_ns, timed) in enumerate(heads):
        head: Fields = {} if seq < 0 else {"seq": seq}
        head |= {} if boot == "0" else {"boot": boot}
        stream = streams[row]
        head |= {"t": (t_ns + shift_ns) / MS} if timed or stream != "status" else {}
        body = encoder.bundle(row) if stream == "bundle" else encoder.alone(row, stream)
        where = topic(messages.district[row], messages.lift_id[row], stream)
        yield EncodedMessage(row, where, head | body, stream == "status")


class _Encoder:
    """The streams of each message of a group as objects of the contract."""

    def __init__(self, decoded: Decoded, shift_ns: int) -> None:
        self._decoded, self._shift_ns = decoded, shift_ns
        every = np.arange(len(decoded.messages.seq) + 1)
        self._first = {name: np.searchsorted(samples.message, every) for name, samples in decoded.samples.items()}
        self._waves = {"vibration": (decoded.waveforms, "xyz"), MACHINE: (decoded.machine, "a")}
        for name, (waves, _) in self._waves.items():
            self._first[name] = np.searchsorted(waves.message, every)

    def bundle(self, row: int) -> Fields:
        """Return the streams of a bundle, each with a time of its own."""
        body = {stream: part for stream in self._first if (part := self._stream(row, stream, None))}
        silent_ns = self._end_ns(row)
        if silent_ns is not None:  # the bundle covers the time up to there, without a reading
            infrared = body.setdefault("infrared", {"t": silent_ns / MS, "at": [], "presence": []})
            infrared["at"] = [*infrared["at"], silent_ns / MS - infrared["t"]]
            for name in ("presence", "curtain"):
                if name in infrared:
                    infrared[name] = [*infrared[name], None]
        return body

    def alone(self, row: int, stream: str) -> Fields:
        """Return the body of a message of one stream; its times count from the message's own."""
        origin_ns = int(self._decoded.messages.t_ns[row])
        body = self._stream(row, stream, origin_ns) or {"v": []}
        return body if stream == "status" else self._stream(row, "status", origin_ns) | body

    def _end_ns(self, row: int) -> int | None:
        """Return the time up to which a bundle reaches, where that is beyond its last reading."""
        ends = [int(self._decoded.messages.t_ns[row])]
        for stream, first in self._first.items():
            if stream in self._waves:
                ends += [self._wave_end_ns(stream, block) for block in range(first[row], first[row + 1])]
            elif first[row + 1] > first[row]:
                ends.append(int(self._decoded.samples[stream].t_ns[first[row + 1] - 1]))
        end_ns = int(self._decoded.messages.t_end_ns[row])
        return end_ns + self._shift_ns if end_ns > max(ends) else None

    def _wave_end_ns(self, stream: str, block: int) -> int:
        waves, _ = self._waves[stream]
        length = int(waves.first[block + 1] - waves.first[block])
        begins_ms = np.array([waves.t_ns[block] / MS])
        return int(instants(begins_ms, (length - 1) * waves.dt_ns[block] / MS if length > 1 else 0.0)[0])

    def _stream(self, row: int, stream: str, origin_ns: int | None) -> Fields:
        begin, end = self._first[stream][row : row + 2]
        if begin == end:
            return {}
        if stream in self._waves:
            return self._wave(stream, begin, origin_ns)
        samples = self._decoded.samples[stream]
        t_ns = samples.t_ns[begin:end]
        columns = {name: column[begin:end] for name, column in samples.channels.items()}
        own = {} if origin_ns is not None else {"t": (int(t_ns[0]) + self._shift_ns) / MS}
        if stream == "status":
            return own | _status(columns, bool(self._decoded.messages.retained_stale[row]))
        origin_ns = int(t_ns[0]) if origin_ns is None else origin_ns
        if stream in ("speed", "displacement"):
            return own | _sampled(t_ns, origin_ns, columns)
        return own | {"at": ((t_ns - origin_ns) / MS).tolist()} | _events(columns)

    def _wave(self, stream: str, block: int, origin_ns: int | None) -> Fields:
        waves, axes = self._waves[stream]
        xyz = waves.xyz[:, waves.first[block] : waves.first[block + 1]]
        body = {} if origin_ns is not None else {"t": (int(waves.t_ns[block]) + self._shift_ns) / MS}
        body |= {} if np.isnan(waves.dt_ns[block]) else {"dt": _quotient(float(waves.dt_ns[block]), MS)}
        return body | dict(zip(axes, xyz, strict=True))


def _sampled(t_ns: I64, origin_ns: int, columns: dict[str, F64]) -> Fields:
    """Return samples on the grid they were taken on, from the origin on; a sample without a reading is null."""
    dt_ms, places = _remembered_grid((t_ns - origin_ns).tobytes())
    body: Fields = {"dt": dt_ms} if len(places) > 1 or places[0] else {}
    for name, column in columns.items():
        on_grid = np.full(int(places[-1]) + 1, np.nan)
        on_grid[places] = column
        body[FIELDS[name]] = on_grid
    return body


@lru_cache(GRIDS_REMEMBERED)
def _remembered_grid(offset_ns: bytes) -> tuple[float, I64]:
    """Return the grid of these offsets; lifts sample on few different ones."""
    return grid(np.frombuffer(offset_ns, dtype=np.int64))


def grid(offset_ns: I64) -> tuple[float, I64]:
    """Return the interval in ms, and the place of each of these ascending offsets on the grid that begins at 0.

    Instants are whole microseconds, so an interval may have been a fraction of one: a whole rate or the mean is tried.
    Where no grid says exactly these instants, the nearest does.
    """
    steps = np.diff(np.unique(np.r_[0, offset_ns]))
    if not len(steps):
        return 1.0, np.zeros(len(offset_ns), dtype=np.int64)
    for step_ns in (int(steps.min()), int(np.gcd.reduce(steps))):
        places = np.rint(offset_ns / step_ns).astype(np.int64)
        mean_ms = float(offset_ns[-1] / max(int(places[-1]), 1) / MS)
        for dt_ms in (round(mean_ms, 3), 1000.0 / max(round(1000.0 / mean_ms), 1), mean_ms):
            if (
                places[-1] < PLACES_LIMIT
                and (instants(_ZERO, np.asarray(places * dt_ms, dtype=np.float64)) == offset_ns).all()
            ):
                return dt_ms, places
    step_ns = int(steps.min())
    # Halves are rounded up, not to even: instants a step apart keep places of their own.
    return step_ns / MS, (2 * offset_ns + step_ns) // (2 * step_ns)


def _events(columns: dict[str, F64]) -> Fields:
    filled = {name: column for name, column in columns.items() if not np.isnan(column).all()}
    choices = DOOR_STATES if "door" in columns else None
    return {
        FIELDS.get(name, name): [_code_name(code, choices) for code in column.tolist()]
        for name, column in filled.items()
    }


def _status(columns: dict[str, F64], stale: bool) -> Fields:
    body: Fields = {}
    for name, column in columns.items():
        value = float(column[-1])
        if not np.isnan(value) and not (stale and name == STALE_LEFT_OUT):
            body[name] = value if name == "heartbeat_s" else _code_name(value, CHOICES.get(name))
    return body


def _code_name(code: float, choices: Sequence[str] | None) -> str | bool | None:
    """Return the name of a code in the contract."""
    if np.isnan(code):
        return None
    return choices[int(code)] if choices else bool(code)


def _quotient(product: float, factor: float) -> float:
    """Return the number that makes `product` when it is multiplied by `factor`, where there is one."""
    near = product / factor
    candidates = (near, float(np.nextafter(near, np.inf)), float(np.nextafter(near, -np.inf)))
    return next((one for one in candidates if one * factor == product), near)


def forms(decoded: Decoded) -> NDArray[np.object_]:
    """Return the stream of each message's topic, as far as its readings show."""
    form = np.full(len(decoded.messages.seq), "speed", dtype=object)  # a message without a reading is any
    for stream, samples in reversed(decoded.samples.items()):  # the status first: it may be beside readings
        form[samples.message] = stream
    form[decoded.waveforms.message] = "vibration"
    form[decoded.machine.message] = MACHINE
    form[decoded.messages.complete] = "bundle"
    return form
