"""The fast path: a well-formed message becomes raw arrays without a Python object for each number.

It refuses nothing: a message that is not exactly as expected raises one of `UNUSUAL`, and the validating path decides.
The values of the numbers are checked once for the whole group, in `columns`.

A duplicate field shows in the number of fields, which then exceeds the number of fields found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from telemetry.wire.parsed import (
    BITS,
    BOOT_LIMIT_CHARS,
    DOOR_CODES,
    DT_MAX_MS,
    DT_MIN_MS,
    NAN,
    NO_SEQ,
    SAMPLED_CHANNELS,
    SEQ_END,
    STATUS_FIELDS,
    Invalid,
    Parsed,
    StreamPart,
)

UNUSUAL = (KeyError, TypeError, ValueError, AttributeError, OverflowError, Invalid)
_NUMBER = frozenset((int, float))
_STATUS = STATUS_FIELDS | {"status"}


def message(reader: Any, document: Any, stream: str) -> Parsed:
    """Return a message of one measured stream, parsed."""
    names = reader.names(document)
    if not STATUS_FIELDS.isdisjoint(names):
        raise KeyError("a field of a status")
    seq, boot, t_ms = _head(document, names)
    own = len(names) - ("boot" in names) - ("seq" in names) - 1
    return seq, boot, t_ms, [_READ[stream](reader, document, own, t_ms, None)], None


def bundle(reader: Any, document: Any) -> Parsed:
    """Return a bundle, parsed."""
    names = reader.names(document)
    if not _STATUS.isdisjoint(names):
        raise KeyError("a status")
    seq, boot, t_ms = _head(document, names)
    dt_ms = _dt(document["dt"]) if "dt" in names else None
    parts = []
    for name in names:
        if name in _READ:
            body = document[name]
            parts.append(_READ[name](reader, body, len(body), t_ms, dt_ms))
    return seq, boot, t_ms, parts, None


def gateway(reader: Any, document: Any) -> list[tuple[str, Parsed]]:
    """Return each bundle of a gateway's message, parsed, with its lift id."""
    reader.names(document)
    lifts = document["lifts"]
    return [(lift_id, bundle(reader, lifts[lift_id])) for lift_id in reader.names(lifts)]


def _head(document: Any, names: list[Any]) -> tuple[int, str, float]:
    seq = NO_SEQ
    if "seq" in names:
        seq = document["seq"]
        if type(seq) is not int or not 0 <= seq < SEQ_END:
            raise TypeError("seq")
    boot = document["boot"] if "boot" in names else "0"
    if type(boot) is int:
        boot = str(boot)
    if type(boot) is not str or len(boot) > BOOT_LIMIT_CHARS:
        raise TypeError("boot")
    return seq, boot, _time(document["t"])


def _time(t_ms: Any) -> float:
    if type(t_ms) not in _NUMBER or not t_ms >= 0:
        raise TypeError("t")
    return t_ms  # type: ignore[no-any-return]


def _dt(dt_ms: Any) -> float:
    if type(dt_ms) not in _NUMBER or not DT_MIN_MS <= dt_ms <= DT_MAX_MS:
        raise TypeError("dt")
    return dt_ms  # type: ignore[no-any-return]


def _scalar(stream: str) -> Callable[..., StreamPart]:
    """Return the reader of a sampled stream with one channel: of a body with `size` fields of its own, in a bundle (or
    message) with `t` and perhaps `dt`."""
    (name,) = SAMPLED_CHANNELS[stream]

    def read(reader: Any, body: Any, size: int, t_ms: float, dt_ms: float | None) -> StreamPart:
        raw, length = reader.numbers(body[name])
        if size == 2:
            dt_ms = _dt(body["dt"])
        elif size > 2 or dt_ms is None:
            dt_ms, t_ms = _clock(body, size - 1)
        return stream, t_ms, dt_ms, length, raw

    return read


def _vibration(reader: Any, body: Any, size: int, t_ms: float, dt_ms: float | None) -> StreamPart:
    x, length = reader.numbers(body["x"])
    y, length_y = reader.numbers(body["y"])
    z, length_z = reader.numbers(body["z"])
    if not length == length_y == length_z:
        raise ValueError("lengths")
    if size == 4:
        dt_ms = _dt(body["dt"])
    elif size > 4 or dt_ms is None:
        dt_ms, t_ms = _clock(body, size - 3)
    return "vibration", t_ms, dt_ms, length, x, y, z


def _clock(body: Any, size: int) -> tuple[float, float]:
    """Return `dt` and `t`, which are the only fields beside the channels."""
    if size != 2:
        raise KeyError("dt, t")
    return _dt(body["dt"]), _time(body["t"])


def _door(reader: Any, body: Any, size: int, t_ms: float, dt_ms: float | None) -> StreamPart:
    states = [DOOR_CODES[state] for state in reader.items(body["state"])]
    length = len(states)
    if size > 2:
        raise KeyError("at")
    return "door", t_ms, _offsets(reader, body, length) if size == 2 else None, length, states


def _infrared(reader: Any, body: Any, size: int, t_ms: float, dt_ms: float | None) -> StreamPart:
    presence, curtain = _bits(reader, body, "presence"), _bits(reader, body, "curtain")
    channels = (presence is not None) + (curtain is not None)
    if presence is None or curtain is None:
        length = len(presence or curtain or ())
        presence, curtain = presence or [NAN] * length, curtain or [NAN] * length
    length = len(presence)
    if not channels or size > channels + 1 or len(curtain) != length:
        raise ValueError("lengths")
    return "infrared", t_ms, _offsets(reader, body, length) if size > channels else None, length, presence, curtain


def _bits(reader: Any, body: Any, name: str) -> list[float] | None:
    try:
        source = body[name]
    except KeyError:
        return None
    return [BITS[bit] for bit in reader.items(source)]


def _offsets(reader: Any, body: Any, length: int) -> list[Any]:
    offsets: list[Any] = reader.items(body["at"])
    if len(offsets) != length:
        raise ValueError("at")
    for offset in offsets:
        if type(offset) not in _NUMBER:
            raise TypeError("at")
    return offsets


_READ: dict[Any, Callable[..., StreamPart]] = {
    "speed": _scalar("speed"),
    "displacement": _scalar("displacement"),
    "vibration": _vibration,
    "machine": _scalar("machine"),
    "door": _door,
    "infrared": _infrared,
}
