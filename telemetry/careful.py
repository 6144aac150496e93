"""The other path: judges a message field by field, and either takes it or refuses it with a reason and a remedy.

It takes what the quick path leaves: single numbers where an array of one is meant, nulls, fields left out, a status.
What both take, they take alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from cbor2 import CBORTag
from numpy.typing import NDArray

from telemetry.said import (
    BITS,
    BOOT_LIMIT_CHARS,
    CHANNELS,
    CLOCK_AHEAD_LIMIT_MS,
    DOOR_CODES,
    DOUBLES,
    DT_MAX_MS,
    DT_MIN_MS,
    NAN,
    READING_LIMIT,
    SEQ_END,
    TYPED_ARRAYS,
    Part,
    Piece,
    Refused,
    Said,
    doubles,
    typed_count,
)
from telemetry.streams import EVENTS, MEASURED, MODES, POWERS

_EVENT_CHANNELS = {"door": ("state",), "infrared": ("presence", "curtain")}
_EVENT_CODES: Mapping[str, Mapping[Any, float]] = {"door": DOOR_CODES, "infrared": BITS}
_POWER_CODES = {name: float(code) for code, name in enumerate(POWERS)}
_MODE_CODES = {name: float(code) for code, name in enumerate(MODES)}


def message(reader: Any, document: Any, stream: str, arrived_ns: int) -> Said:
    """Return what a message of one measured stream said, or refuse it."""
    body = fields(reader, document, "the payload")
    seq, boot, t_ms = _seq(body), _boot(body), _time(body, "t")
    part = _part(reader, body, stream, "", t_ms, None)
    return Said(seq, boot, t_ms, [_not_ahead(part, arrived_ns)])


def bundle(reader: Any, document: Any, arrived_ns: int) -> Said:
    """Return what a bundle said, or refuse it."""
    body = fields(reader, document, "the bundle")
    seq, boot, t_ms = _seq(body), _boot(body), _time(body, "t")
    _check_ahead(t_ms, "t", arrived_ns)
    dt_ms = _dt(body, "dt")
    parts = []
    for stream in body:
        if stream in MEASURED and body[stream] is not None:
            inner = fields(reader, body[stream], stream)
            inner_t_ms = t_ms if inner.get("t") is None else _time(inner, f"{stream}.t")
            parts.append(_not_ahead(_part(reader, inner, stream, f"{stream}.", inner_t_ms, dt_ms), arrived_ns))
    return Said(seq, boot, t_ms, parts)


def status(reader: Any, document: Any, arrived_ns: int) -> Said:
    """Return what a status said, or refuse it. A last will may leave out `seq` and `t`."""
    body = fields(reader, document, "the payload")
    t_ms = None if body.get("t") is None else _time(body, "t")
    if t_ms is not None:
        _check_ahead(t_ms, "t", arrived_ns)
    seq = -1 if body.get("seq") is None else _seq(body)
    heartbeat_s = body.get("heartbeat_s")
    if heartbeat_s is not None and not (_is_number(heartbeat_s) and 0 < heartbeat_s <= DT_MAX_MS / 1e3):
        raise Refused("out-of-range", "heartbeat_s: must be a number of seconds above 0 and at most 86400")
    said = (
        _code(body, "online", BITS, "true or false"),
        _code(body, "alarm", BITS, "true or false"),
        _code(body, "mode", _MODE_CODES, "one of " + ", ".join(MODES)),
        _code(body, "power", _POWER_CODES, "one of " + ", ".join(POWERS)),
        NAN if heartbeat_s is None else float(heartbeat_s),
    )
    return Said(seq, _boot(body), t_ms, [], said)


def fields(reader: Any, source: Any, where: str) -> dict[Any, Any]:
    """Return an object's fields, arrays as lists."""
    try:
        names = reader.names(source)
    except TypeError:
        raise Refused("type", f"{where}: must be an object with the fields of the contract") from None
    return {name: reader.values(source[name]) for name in names}


def _part(reader: Any, body: Mapping[Any, Any], stream: str, path: str, t_ms: float, dt_ms: float | None) -> Part:
    if stream in EVENTS:
        return _events(body, stream, path, t_ms)
    pieces, counts = [], []
    for channel in CHANNELS[stream]:
        piece, count = _readings(_required(body, channel, path), path + channel)
        pieces.append(piece)
        counts.append(count)
    if len(set(counts)) != 1:
        raise Refused("unequal-lengths", f"{path}{', '.join(CHANNELS[stream])}: hold {counts}; send equal numbers")
    own_dt_ms = _dt(body, f"{path}dt")
    dt_ms = dt_ms if own_dt_ms is None else own_dt_ms
    if dt_ms is None and counts[0] > 1:
        raise Refused("missing-field", f"{path}dt: say the milliseconds between the {counts[0]} samples")
    return Part(stream, t_ms, 0.0 if dt_ms is None else dt_ms, counts[0], tuple(pieces))


def _events(body: Mapping[Any, Any], stream: str, path: str, t_ms: float) -> Part:
    if stream == "door":
        _required(body, "state", path)
    codes = _EVENT_CODES[stream]
    present = [name for name in _EVENT_CHANNELS[stream] if body.get(name) is not None]
    said = {name: _codes(body[name], path + name, codes) for name in present}
    if not said:
        raise Refused("missing-field", f"{path}presence: say presence, curtain or both")
    counts = {len(values) for values in said.values()}
    if len(counts) != 1:
        raise Refused("unequal-lengths", f"{path}presence, {path}curtain: send one of each for every event")
    (count,) = counts
    offsets = None if body.get("at") is None else _offsets(body["at"], f"{path}at", count)
    silent = [NAN] * count
    return Part(stream, t_ms, offsets, count, tuple(said.get(name, silent) for name in _EVENT_CHANNELS[stream]))


def _codes(value: Any, field: str, codes: Mapping[Any, float]) -> list[float]:
    said = []
    for item in value if type(value) is list else [value]:
        try:
            said.append(codes[item])
        except (KeyError, TypeError):
            raise Refused("type", f"{field}: {_shown(item)} is none of {_names(codes)}") from None
    return said


def _offsets(value: Any, field: str, count: int) -> Piece:
    piece, length = _readings(value, field)
    if length != count:
        raise Refused("unequal-lengths", f"{field}: {length} times for {count} events; send one for each")
    offsets_ms = _numbers(piece)
    if length and not (offsets_ms[0] >= 0 and (np.diff(offsets_ms) >= 0).all()):
        raise Refused("out-of-range", f"{field}: must be milliseconds after t, none earlier than the one before it")
    return piece


def _readings(value: Any, field: str) -> tuple[Piece, int]:
    """Return an array, or a single number, as a piece and its length."""
    if type(value) is CBORTag:
        try:
            piece, count = value, typed_count(value)
        except (KeyError, ValueError):
            raise Refused(
                "type", f"{field}: must be a typed array of float32, float64, int16 or int32, little-endian"
            ) from None
    else:
        items = value if type(value) is list else [value]
        piece, count = doubles([_reading(item, field) for item in items]), len(items)
    numbers = _numbers(piece)
    if np.isinf(numbers).any():
        raise Refused("non-finite", f"{field}: holds an infinite number; send null, or NaN in a typed array")
    if (np.abs(numbers) > READING_LIMIT).any():
        raise Refused("out-of-range", f"{field}: holds a number beyond {READING_LIMIT:g}; send it in the stated unit")
    return piece, count


def _reading(item: Any, field: str) -> float:
    if item is None:
        return NAN
    if not _is_number(item):
        raise Refused("type", f"{field}: {_shown(item)} is not a number; send numbers, and null where there is none")
    if item != item:
        raise Refused("non-finite", f"{field}: holds NaN; send null, or NaN in a typed array")
    return float(item)


def _numbers(piece: Piece) -> NDArray[Any]:
    if type(piece) is CBORTag:
        return np.frombuffer(piece.value, dtype=TYPED_ARRAYS[piece.tag])
    return np.frombuffer(piece, dtype=DOUBLES)


def _required(body: Mapping[Any, Any], name: str, path: str) -> Any:
    value = body.get(name)
    if value is None:
        raise Refused("missing-field", f"{path}{name}: is required")
    return value


def _seq(body: Mapping[Any, Any]) -> int:
    seq = _required(body, "seq", "")
    if type(seq) is not int:
        raise Refused("type", f"seq: {_shown(seq)} is not a whole number")
    if not 0 <= seq < SEQ_END:
        raise Refused("out-of-range", "seq: must be a whole number from 0, one more with every message")
    return seq


def _boot(body: Mapping[Any, Any]) -> str:
    boot = body.get("boot")
    if boot is None:
        return "0"
    if type(boot) is not str and type(boot) is not int:
        raise Refused("type", "boot: must be a text or a whole number that changes when the device restarts")
    if len(str(boot)) > BOOT_LIMIT_CHARS:
        raise Refused("out-of-range", f"boot: must have at most {BOOT_LIMIT_CHARS} characters")
    return str(boot)


def _time(body: Mapping[Any, Any], field: str) -> float:
    t_ms = _required(body, "t", field.removesuffix("t"))
    if not _is_number(t_ms):
        raise Refused("type", f"{field}: must be a number, milliseconds since 1970-01-01 UTC")
    if not math.isfinite(t_ms):
        raise Refused("non-finite", f"{field}: must be a finite number of milliseconds")
    if t_ms < 0:
        raise Refused("out-of-range", f"{field}: lies before 1970; send milliseconds since 1970-01-01 UTC")
    return t_ms  # type: ignore[no-any-return]


def _dt(body: Mapping[Any, Any], field: str) -> float | None:
    dt_ms = body.get("dt")
    if dt_ms is None:
        return None
    if not _is_number(dt_ms):
        raise Refused("type", f"{field}: must be a number of milliseconds")
    if not DT_MIN_MS <= dt_ms <= DT_MAX_MS:
        raise Refused("out-of-range", f"{field}: must be from {DT_MIN_MS:g} to {DT_MAX_MS:g} milliseconds")
    return dt_ms  # type: ignore[no-any-return]


def _code(body: Mapping[Any, Any], field: str, codes: Mapping[Any, float], remedy: str) -> float:
    try:
        return NAN if body.get(field) is None else codes[body[field]]
    except (KeyError, TypeError):
        raise Refused("type", f"{field}: {_shown(body[field])} is not known; send {remedy}") from None


def _not_ahead(part: Part, arrived_ns: int) -> Part:
    path = "" if part.length < 2 else f", {part.length} readings later"
    _check_ahead(last_ms(part), f"t of {part.stream}{path}", arrived_ns)
    return part


def last_ms(part: Part) -> float:
    """Return the time of the last reading of a part, or its own time where it is empty."""
    if not part.length or part.clock is None:
        return part.t_ms
    if part.stream in CHANNELS:
        return part.t_ms + (part.length - 1) * float(part.clock)
    return part.t_ms + float(_numbers(part.clock)[-1])


def _check_ahead(t_ms: float, field: str, arrived_ns: int) -> None:
    if t_ms > arrived_ns / 1e6 + CLOCK_AHEAD_LIMIT_MS:
        limit_s = CLOCK_AHEAD_LIMIT_MS / 1e3
        raise Refused("clock-ahead", f"{field}: more than {limit_s:g} s ahead of the monitor; set the device's clock")


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _shown(value: Any) -> str:
    """Return a short picture of a value that a stranger sent: never a long one, never a deep one."""
    if value is None or type(value) is bool:
        return str(value)
    if type(value) is str:
        return repr(value[:40])
    return f"a value of type {type(value).__name__}"


def _names(codes: Mapping[Any, float]) -> str:
    return "true, false, null" if codes is BITS else ", ".join(codes)
