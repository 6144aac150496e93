"""The usual path: a well-formed message becomes pieces without a Python object for each number.

It judges nothing: what is not exactly as expected raises one of `UNUSUAL`, and the careful path decides. What only
the numbers themselves can show is looked at once for the whole group, in `columns`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from telemetry.said import (
    BITS,
    BOOT_LIMIT_CHARS,
    CHANNELS,
    DOOR_CODES,
    DT_MAX_MS,
    DT_MIN_MS,
    NAN,
    SEQ_END,
    Part,
    Refused,
    Said,
)

UNUSUAL = (KeyError, TypeError, ValueError, AttributeError, OverflowError, Refused)
_NUMBER = frozenset((int, float))


def message(reader: Any, document: Any, stream: str) -> Said:
    """Return what a message of one measured stream said."""
    names = reader.names(document)
    seq, boot, t_ms = _head(document, names)
    return Said(seq, boot, t_ms, [_READ[stream](reader, document, names, t_ms, None)])


def bundle(reader: Any, document: Any) -> Said:
    """Return what a bundle said."""
    names = reader.names(document)
    seq, boot, t_ms = _head(document, names)
    dt_ms = document["dt"] if "dt" in names else None
    parts = []
    for name in names:
        if name in _READ:
            body = document[name]
            inner = reader.names(body)
            parts.append(_READ[name](reader, body, inner, _time(body["t"]) if "t" in inner else t_ms, dt_ms))
    return Said(seq, boot, t_ms, parts)


def gateway(reader: Any, document: Any) -> list[tuple[str, Said]]:
    """Return what each bundle of a gateway's message said."""
    reader.names(document)
    lifts = document["lifts"]
    return [(lift_id, bundle(reader, lifts[lift_id])) for lift_id in reader.names(lifts)]


def _time(t_ms: Any) -> float:
    if type(t_ms) not in _NUMBER or not t_ms >= 0:
        raise TypeError("t")
    return t_ms  # type: ignore[no-any-return]


def _head(document: Any, names: list[Any]) -> tuple[int, str, float]:
    seq = document["seq"]
    if type(seq) is not int or not 0 <= seq < SEQ_END:
        raise TypeError("seq")
    boot = document["boot"] if "boot" in names else "0"
    if type(boot) is int:
        boot = str(boot)
    if type(boot) is not str or len(boot) > BOOT_LIMIT_CHARS:
        raise TypeError("boot")
    return seq, boot, _time(document["t"])


def _sampled(stream: str) -> Callable[..., Part]:
    channels = CHANNELS[stream]

    def read(reader: Any, body: Any, names: list[Any], t_ms: float, dt_ms: Any) -> Part:
        pieces = []
        counts = set()
        for channel in channels:
            piece, count = reader.numbers(body[channel])
            pieces.append(piece)
            counts.add(count)
        (count,) = counts
        if "dt" in names:
            dt_ms = body["dt"]
        if dt_ms is None and count < 2:
            dt_ms = 0.0
        elif type(dt_ms) not in _NUMBER or not DT_MIN_MS <= dt_ms <= DT_MAX_MS:
            raise TypeError("dt")
        return Part(stream, t_ms, dt_ms, count, tuple(pieces))

    return read


def _offsets(reader: Any, body: Any, names: list[Any], count: int) -> Any:
    if "at" not in names:
        return None
    piece, length = reader.numbers(body["at"])
    if length != count:
        raise ValueError("at")
    return piece


def _door(reader: Any, body: Any, names: list[Any], t_ms: float, dt_ms: Any) -> Part:
    states = [DOOR_CODES[state] for state in _list(reader, body["state"])]
    return Part("door", t_ms, _offsets(reader, body, names, len(states)), len(states), (states,))


def _infrared(reader: Any, body: Any, names: list[Any], t_ms: float, dt_ms: Any) -> Part:
    said = [
        [BITS[bit] for bit in _list(reader, body[name])] if name in names else None for name in ("presence", "curtain")
    ]
    (count,) = {len(bits) for bits in said if bits is not None}
    channels = tuple([NAN] * count if bits is None else bits for bits in said)
    return Part("infrared", t_ms, _offsets(reader, body, names, count), count, channels)


def _list(reader: Any, source: Any) -> list[Any]:
    values = reader.values(source)
    if type(values) is not list:
        raise TypeError("not an array")
    return values


_READ: dict[Any, Callable[..., Part]] = {stream: _sampled(stream) for stream in CHANNELS} | {
    "door": _door,
    "infrared": _infrared,
}
