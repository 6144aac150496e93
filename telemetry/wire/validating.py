"""The validating path: checks a message field by field, and accepts or refuses the message with a reason and a remedy.

The path accepts all forms that the fast path does not: single numbers where an array of one is meant, nulls, fields
left out, a status. Both paths parse a message that both accept to the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telemetry.streams import EVENTS, MACHINE, MEASURED
from telemetry.wire.field_checks import (
    EVENT_CODES,
    boot_text,
    check_clock,
    event_codes,
    instant_ms,
    interval_ms,
    offsets_in_order,
    readings,
    required,
    sequence_number,
)
from telemetry.wire.parsed import (
    DT_MAX_MS,
    EVENT_CHANNELS,
    NAN,
    SAMPLED_CHANNELS,
    Invalid,
    Parsed,
    StreamPart,
)
from telemetry.wire.status_fields import status_beside, status_codes


def message(reader: Any, document: Any, stream: str, arrived_ns: int) -> Parsed:
    """Return a message of one measured stream, parsed, or refuse it."""
    body = fields(reader, document, "the payload")
    t_ms = instant_ms(body, "t", arrived_ns)
    part = _part(reader, body, stream, "", t_ms or 0.0, None)
    parts = _in_time([part], t_ms, arrived_ns)
    return sequence_number(body), boot_text(body), t_ms, parts, status_beside(body, None, None)


def bundle(reader: Any, document: Any, arrived_ns: int) -> Parsed:
    """Return a bundle, parsed, or refuse it."""
    body = fields(reader, document, "the bundle")
    inner = {
        stream: fields(reader, body[stream], stream)
        for stream in body
        if stream in (*MEASURED, "status") and body[stream] is not None
    }
    own_ms = {stream: instant_ms(each, f"{stream}.t", arrived_ns) for stream, each in inner.items()}
    t_ms = instant_ms(body, "t", arrived_ns)
    if t_ms is None:
        t_ms = min((each for each in own_ms.values() if each is not None), default=None)
    dt_ms, status_body = interval_ms(body, "dt"), inner.pop("status", None)
    parts = []
    for stream in body:
        if stream in inner:
            begin_ms = own_ms[stream] if own_ms[stream] is not None else t_ms
            parts.append(_part(reader, inner[stream], stream, f"{stream}.", begin_ms or 0.0, dt_ms))
        elif stream == MACHINE:
            parts += _machine(reader, body[stream], t_ms, dt_ms, arrived_ns)
    parts = _in_time(parts, t_ms, arrived_ns)
    return sequence_number(body), boot_text(body), t_ms, parts, status_beside(body, status_body, own_ms.get("status"))


def _machine(reader: Any, source: Any, t_ms: float | None, dt_ms: float | None, arrived_ns: int) -> list[StreamPart]:
    """Return the readings of the machine's accelerometer; anything else of that name is an unknown field, ignored."""
    try:
        body = fields(reader, source, MACHINE)
        own_ms = instant_ms(body, "t", arrived_ns)
        if t_ms is None:
            return [_part(reader, body, MACHINE, "", 0.0, dt_ms)]
        part = _part(reader, body, MACHINE, "", t_ms if own_ms is None else own_ms, dt_ms)
        return _in_time([part], t_ms, arrived_ns)
    except Invalid:
        return []


def status(reader: Any, document: Any, arrived_ns: int) -> Parsed:
    """Return a status, parsed, or refuse it."""
    body = fields(reader, document, "the payload")
    return sequence_number(body), boot_text(body), instant_ms(body, "t", arrived_ns), [], (NAN, *status_codes(body, ""))


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
        raw, count = readings(required(body, channel, path), path + channel)
        arrays.append(raw)
        counts.append(count)
    if len(set(counts)) != 1:
        names = ", ".join(path + name for name in SAMPLED_CHANNELS[stream])
        raise Invalid("unequal-lengths", f"{names}: hold {counts} readings; send equally many")
    own_dt_ms = interval_ms(body, f"{path}dt")
    dt_ms = dt_ms if own_dt_ms is None else own_dt_ms
    if dt_ms is None and counts[0] > 1:
        raise Invalid("missing-field", f"{path}dt: say the milliseconds between the {counts[0]} samples")
    return stream, t_ms, 0.0 if dt_ms is None else dt_ms, counts[0], *arrays


def _events(body: Mapping[Any, Any], stream: str, path: str, t_ms: float) -> StreamPart:
    if stream == "door":
        required(body, "state", path)
    codes = EVENT_CODES[stream]
    present = [name for name in EVENT_CHANNELS[stream] if body.get(name) is not None]
    channels = {name: event_codes(body[name], path + name, codes) for name in present}
    if not channels:
        raise Invalid("missing-field", f"{path}presence: say presence, curtain or both")
    counts = {len(values) for values in channels.values()}
    if len(counts) != 1:
        raise Invalid("unequal-lengths", f"{path}presence, {path}curtain: send one of each for every event")
    (count,) = counts
    offsets = None if body.get("at") is None else offsets_in_order(body["at"], f"{path}at", count)
    silent = [NAN] * count
    return stream, t_ms, offsets, count, *(channels.get(name, silent) for name in EVENT_CHANNELS[stream])


def _in_time(parts: list[StreamPart], t_ms: float | None, arrived_ns: int) -> list[StreamPart]:
    """Return the streams of a message with `t_ms`; without, moved so that their latest reading is at the arrival."""
    last_ms = [_last_ms(part) for part in parts]
    if t_ms is None:
        if max(last_ms, default=0.0) > DT_MAX_MS:
            raise Invalid("missing-field", "t: is required in a message that spans more than a day")
        begin_ms = arrived_ns / 1e6 - max(last_ms, default=0.0)
        return [(stream, begin_ms, *others) for stream, _, *others in parts]
    for (stream, _, _, count, *_), each_ms in zip(parts, last_ms, strict=True):
        check_clock(each_ms, f"t of the last of {count} in {stream}" if count > 1 else "t", arrived_ns)
    return parts


def _last_ms(part: StreamPart) -> float:
    """Return the time of the latest reading of a stream."""
    stream, t_ms, clock, count, *_ = part
    if not count or clock is None:
        return t_ms  # type: ignore[no-any-return]
    return t_ms + ((count - 1) * clock if stream in SAMPLED_CHANNELS else clock[-1])  # type: ignore[no-any-return]
