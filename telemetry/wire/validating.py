"""The validating path: checks a message field by field, and accepts or refuses the message with a reason and a remedy.

The path accepts all forms that the fast path does not: single numbers where an array of one is meant, nulls, fields
left out, a status. Both paths parse a message that both accept to the same values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from cbor2 import CBORTag

from telemetry.streams import EVENTS, MACHINE, MEASURED, MODES, POWERS
from telemetry.wire.parsed import (
    BITS,
    BOOT_LIMIT_CHARS,
    CLOCK_AHEAD_LIMIT_MS,
    DOOR_CODES,
    DT_MAX_MS,
    DT_MIN_MS,
    EARLIEST_MS,
    EVENT_CHANNELS,
    NAN,
    NO_SEQ,
    READING_LIMIT,
    SAMPLED_CHANNELS,
    SEQ_END,
    Invalid,
    Parsed,
    RawArray,
    StreamPart,
    join,
    numbers,
    typed,
)

_EVENT_CODES: Mapping[str, Mapping[Any, float]] = {"door": DOOR_CODES, "infrared": BITS}
_POWER_CODES = {name: float(code) for code, name in enumerate(POWERS)}
_MODE_CODES = {name: float(code) for code, name in enumerate(MODES)}
YEAR_MS = 365.25 * 86_400_000.0


def message(reader: Any, document: Any, stream: str, arrived_ns: int) -> Parsed:
    """Return a message of one measured stream, parsed, or refuse it."""
    body = fields(reader, document, "the payload")
    t_ms = _time(body, "t", arrived_ns)
    part = _part(reader, body, stream, "", t_ms or 0.0, None)
    return _seq(body), _boot(body), t_ms, _in_time([part], t_ms, arrived_ns), None


def bundle(reader: Any, document: Any, arrived_ns: int) -> Parsed:
    """Return a bundle, parsed, or refuse it."""
    body = fields(reader, document, "the bundle")
    inner = {
        stream: fields(reader, body[stream], stream)
        for stream in body
        if stream in (*MEASURED, "status") and body[stream] is not None
    }
    own_ms = {stream: _time(each, f"{stream}.t", arrived_ns) for stream, each in inner.items()}
    t_ms = _time(body, "t", arrived_ns)
    if t_ms is None:
        t_ms = min((each for each in own_ms.values() if each is not None), default=None)
    dt_ms, status_body = _dt(body, "dt"), inner.pop("status", None)
    parts = []
    for stream in body:
        if stream in inner:
            begin_ms = own_ms[stream] if own_ms[stream] is not None else t_ms
            parts.append(_part(reader, inner[stream], stream, f"{stream}.", begin_ms or 0.0, dt_ms))
        elif stream == MACHINE:
            parts += _machine(reader, body[stream], t_ms, dt_ms, arrived_ns)
    parts = _in_time(parts, t_ms, arrived_ns)
    return _seq(body), _boot(body), t_ms, parts, _status_of_bundle(body, status_body, own_ms.get("status"))


def _machine(reader: Any, source: Any, t_ms: float | None, dt_ms: float | None, arrived_ns: int) -> list[StreamPart]:
    """Return the readings of the machine's accelerometer; anything else of that name is an unknown field, ignored."""
    try:
        body = fields(reader, source, MACHINE)
        own_ms = _time(body, "t", arrived_ns)
        if t_ms is None:
            return [_part(reader, body, MACHINE, "", 0.0, dt_ms)]
        part = _part(reader, body, MACHINE, "", t_ms if own_ms is None else own_ms, dt_ms)
        return _in_time([part], t_ms, arrived_ns)
    except Invalid:
        return []


def status(reader: Any, document: Any, arrived_ns: int) -> Parsed:
    """Return a status, parsed, or refuse it."""
    body = fields(reader, document, "the payload")
    return _seq(body), _boot(body), _time(body, "t", arrived_ns), [], (NAN, *_status_codes(body, ""))


def _status_of_bundle(
    body: Mapping[Any, Any], inner: Mapping[Any, Any] | None, own_ms: float | None
) -> tuple[float, ...] | None:
    """Return the status in a bundle, its fields beside the streams included; None where the bundle has neither.

    Beside the streams a value that the contract does not have is refused for `alarm`; any other field is unknown then.
    """
    beside = [name for name in _STATUS_CODES if name in body and (name == "alarm" or _is_in_contract(body, name))]
    if inner is None and not beside:
        return None
    codes = _status_codes({name: body[name] for name in beside}, "")
    if inner is not None:
        pairs = zip(_status_codes(inner, "status."), codes, strict=True)
        codes = tuple(other if math.isnan(own) else own for own, other in pairs)
    return (NAN if own_ms is None else own_ms, *codes)


def _is_in_contract(body: Mapping[Any, Any], name: str) -> bool:
    try:
        _STATUS_CODES[name](body[name], name)
        return True
    except Invalid:
        return False


def _status_codes(body: Mapping[Any, Any], path: str) -> tuple[float, ...]:
    return tuple(code(body.get(name), path + name) for name, code in _STATUS_CODES.items())


def fields(reader: Any, source: Any, where: str) -> dict[Any, Any]:
    """Return an object's fields, arrays as lists."""
    try:
        names = reader.names(source)
    except TypeError:
        raise Invalid("type", f"{where}: must be an object with the fields of the contract") from None
    return {name: reader.value(source[name]) for name in names}


def _part(reader: Any, body: Mapping[Any, Any], stream: str, path: str, t_ms: float, dt_ms: float | None) -> StreamPart:
    if stream in EVENTS:
        return _events(body, stream, path, t_ms)
    arrays, counts = [], []
    for channel in SAMPLED_CHANNELS[stream]:
        raw, count = _readings(_required(body, channel, path), path + channel)
        arrays.append(raw)
        counts.append(count)
    if len(set(counts)) != 1:
        names = ", ".join(path + name for name in SAMPLED_CHANNELS[stream])
        raise Invalid("unequal-lengths", f"{names}: hold {counts} readings; send equally many")
    own_dt_ms = _dt(body, f"{path}dt")
    dt_ms = dt_ms if own_dt_ms is None else own_dt_ms
    if dt_ms is None and counts[0] > 1:
        raise Invalid("missing-field", f"{path}dt: say the milliseconds between the {counts[0]} samples")
    return stream, t_ms, 0.0 if dt_ms is None else dt_ms, counts[0], *arrays


def _events(body: Mapping[Any, Any], stream: str, path: str, t_ms: float) -> StreamPart:
    if stream == "door":
        _required(body, "state", path)
    codes = _EVENT_CODES[stream]
    present = [name for name in EVENT_CHANNELS[stream] if body.get(name) is not None]
    channels = {name: _codes(body[name], path + name, codes) for name in present}
    if not channels:
        raise Invalid("missing-field", f"{path}presence: say presence, curtain or both")
    counts = {len(values) for values in channels.values()}
    if len(counts) != 1:
        raise Invalid("unequal-lengths", f"{path}presence, {path}curtain: send one of each for every event")
    (count,) = counts
    offsets = None if body.get("at") is None else _offsets(body["at"], f"{path}at", count)
    silent = [NAN] * count
    return stream, t_ms, offsets, count, *(channels.get(name, silent) for name in EVENT_CHANNELS[stream])


def _codes(value: Any, field: str, codes: Mapping[Any, float]) -> list[float]:
    values = []
    for item in value if type(value) is list else [value]:
        try:
            values.append(codes[item])
        except (KeyError, TypeError):
            raise Invalid("type", f"{field}: {_shown(item)} is none of {_names(codes)}") from None
    return values


def _offsets(value: Any, field: str, count: int) -> list[float]:
    raw, length = _readings(value, field, math.inf)
    if length != count:
        raise Invalid("unequal-lengths", f"{field}: {length} times for {count} events; send one for each")
    offsets_ms = join([raw])
    if length and not (offsets_ms[0] >= 0 and (np.diff(offsets_ms) >= 0).all()):
        raise Invalid("out-of-range", f"{field}: must be milliseconds after t, none earlier than the one before it")
    offsets: list[float] = offsets_ms.tolist()
    return offsets


def _readings(value: Any, field: str, limit: float = READING_LIMIT) -> tuple[RawArray, int]:
    """Return an array, or a single number, as a raw array and its length."""
    if type(value) is CBORTag:
        try:
            raw, count = typed(value)
        except (KeyError, ValueError):
            raise Invalid(
                "type", f"{field}: must be a typed array of float32, float64, int16 or int32, little-endian"
            ) from None
    else:
        items = value if type(value) is list else [value]
        raw, count = numbers([_reading(item, field) for item in items]), len(items)
    column = join([raw])
    if np.isinf(column).any():
        raise Invalid("non-finite", f"{field}: holds an infinite number; send null where there is no reading")
    if (np.abs(column) > limit).any():
        raise Invalid("out-of-range", f"{field}: holds a number beyond {limit:g}; send it in the stated unit")
    return raw, count


def _reading(item: Any, field: str) -> float:
    if item is None:
        return NAN
    if not _is_number(item):
        raise Invalid("type", f"{field}: {_shown(item)} is not a number; send numbers, and null where there is none")
    return float(item)


def _required(body: Mapping[Any, Any], name: str, path: str) -> Any:
    value = body.get(name)
    if value is None:
        raise Invalid("missing-field", f"{path}{name}: is required")
    return value


def _seq(body: Mapping[Any, Any]) -> int:
    seq = body.get("seq")
    if seq is None:
        return NO_SEQ
    if type(seq) is not int:
        raise Invalid("type", f"seq: {_shown(seq)} is not a whole number")
    if not 0 <= seq < SEQ_END:
        raise Invalid("out-of-range", "seq: must be a whole number from 0, one more with every message")
    return seq


def _boot(body: Mapping[Any, Any]) -> str:
    boot = body.get("boot")
    if boot is None:
        return "0"
    if type(boot) is not str and type(boot) is not int:
        raise Invalid("type", "boot: must be a text or a whole number that changes when the device restarts")
    if len(str(boot)) > BOOT_LIMIT_CHARS:
        raise Invalid("out-of-range", f"boot: must have at most {BOOT_LIMIT_CHARS} characters")
    return str(boot)


def _time(body: Mapping[Any, Any], field: str, arrived_ns: int) -> float | None:
    t_ms = body.get("t")
    if t_ms is None:
        return None
    if not _is_number(t_ms):
        raise Invalid("type", f"{field}: must be a number, milliseconds since 1970-01-01 UTC")
    if not math.isfinite(t_ms):
        raise Invalid("non-finite", f"{field}: must be a finite number of milliseconds")
    if t_ms < 0:
        raise Invalid("out-of-range", f"{field}: lies before 1970; send milliseconds since 1970-01-01 UTC")
    _check_clock(t_ms, field, arrived_ns)
    return t_ms  # type: ignore[no-any-return]


def _check_clock(t_ms: float, field: str, arrived_ns: int) -> None:
    """Refuse a time that cannot be a time of a device whose message arrived then."""
    arrived_ms = arrived_ns / 1e6
    if t_ms < EARLIEST_MS <= arrived_ms:
        raise Invalid("clock-behind", f"{field}: lies before 2015; {_clock_remedy(t_ms, arrived_ms)}")
    if t_ms > arrived_ms + CLOCK_AHEAD_LIMIT_MS:
        ahead = f"more than {CLOCK_AHEAD_LIMIT_MS / 1e3:g} s ahead of the monitor"
        raise Invalid("clock-ahead", f"{field}: {ahead}; {_clock_remedy(t_ms, arrived_ms)}")


def _clock_remedy(t_ms: float, arrived_ms: float) -> str:
    for unit, per_ms in (("seconds", 1e-3), ("microseconds", 1e3), ("nanoseconds", 1e6)):
        if EARLIEST_MS <= t_ms / per_ms <= arrived_ms + YEAR_MS:
            return f"the number looks like {unit}: send milliseconds since 1970-01-01 UTC"
    return "set the device's clock (milliseconds since 1970-01-01 UTC are meant)"


def _dt(body: Mapping[Any, Any], field: str) -> float | None:
    dt_ms = body.get("dt")
    if dt_ms is None:
        return None
    if not _is_number(dt_ms):
        raise Invalid("type", f"{field}: must be a number of milliseconds")
    if not DT_MIN_MS <= dt_ms <= DT_MAX_MS:
        raise Invalid("out-of-range", f"{field}: must be from {DT_MIN_MS:g} to {DT_MAX_MS:g} milliseconds")
    return dt_ms  # type: ignore[no-any-return]


def _code(codes: Mapping[Any, float], remedy: str) -> Callable[[Any, str], float]:
    """Return the reader of a status field with these codes."""

    def read(value: Any, field: str) -> float:
        try:
            return NAN if value is None else codes[value]
        except (KeyError, TypeError):
            raise Invalid("type", f"{field}: {_shown(value)} is not known; send {remedy}") from None

    return read


def _heartbeat_s(value: Any, field: str) -> float:
    if value is None:
        return NAN
    if not (_is_number(value) and 0 < value <= DT_MAX_MS / 1e3):
        raise Invalid("out-of-range", f"{field}: must be a number of seconds above 0 and at most 86400")
    return float(value)


_STATUS_CODES: Mapping[str, Callable[[Any, str], float]] = {
    "online": _code(BITS, "true or false"),
    "alarm": _code(BITS, "true or false"),
    "mode": _code(_MODE_CODES, "one of " + ", ".join(MODES)),
    "power": _code(_POWER_CODES, "one of " + ", ".join(POWERS)),
    "heartbeat_s": _heartbeat_s,
}


def _in_time(parts: list[StreamPart], t_ms: float | None, arrived_ns: int) -> list[StreamPart]:
    """Return the streams of a message with `t_ms`; without, moved so that their latest reading is at the arrival."""
    last_ms = [_last_ms(part) for part in parts]
    if t_ms is None:
        if max(last_ms, default=0.0) > DT_MAX_MS:
            raise Invalid("missing-field", "t: is required in a message that spans more than a day")
        begin_ms = arrived_ns / 1e6 - max(last_ms, default=0.0)
        return [(stream, begin_ms, *others) for stream, _, *others in parts]
    for (stream, _, _, count, *_), each_ms in zip(parts, last_ms, strict=True):
        _check_clock(each_ms, f"t of the last of {count} in {stream}" if count > 1 else "t", arrived_ns)
    return parts


def _last_ms(part: StreamPart) -> float:
    """Return the time of the latest reading of a stream."""
    stream, t_ms, clock, count, *_ = part
    if not count or clock is None:
        return t_ms  # type: ignore[no-any-return]
    return t_ms + ((count - 1) * clock if stream in SAMPLED_CHANNELS else clock[-1])  # type: ignore[no-any-return]


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _shown(value: Any) -> str:
    """Return a short text of a received value."""
    if value is None or type(value) is bool:
        return str(value)
    if type(value) is str:
        return repr(value[:40])
    return f"a value of type {type(value).__name__}"


def _names(codes: Mapping[Any, float]) -> str:
    return "true, false, null" if codes is BITS else ", ".join(codes)
