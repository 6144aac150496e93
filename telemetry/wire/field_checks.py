"""The checks of single fields: each returns the value of a field, or refuses the message with a reason and a remedy."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from types import NoneType
from typing import Any

import numpy as np
from cbor2 import CBORTag

from telemetry.wire.parsed import (
    BITS,
    BOOT_LIMIT_CHARS,
    CLOCK_AHEAD_LIMIT_MS,
    DOOR_CODES,
    DT_MAX_MS,
    DT_MIN_MS,
    EARLIEST_MS,
    NAN,
    NO_SEQ,
    READING_LIMIT,
    SEQ_END,
    Invalid,
    RawArray,
    join,
    typed,
)

YEAR_MS = 365.25 * 86_400_000.0
READING_TYPES = {int, float, NoneType}
EVENT_CODES: Mapping[str, Mapping[Any, float]] = {"door": DOOR_CODES, "infrared": BITS}


def required(body: Mapping[Any, Any], name: str, path: str) -> Any:
    """Return the value of a field that must be there."""
    value = body.get(name)
    if value is None:
        raise Invalid("missing-field", f"{path}{name}: is required")
    return value


def sequence_number(body: Mapping[Any, Any]) -> int:
    """Return the `seq`, `NO_SEQ` where it is left out."""
    seq = body.get("seq")
    if seq is None:
        return NO_SEQ
    if type(seq) is not int:
        raise Invalid("type", f"seq: {shown(seq)} is not a whole number")
    if not 0 <= seq < SEQ_END:
        raise Invalid("out-of-range", "seq: must be a whole number from 0, one more with every message")
    return seq


def boot_text(body: Mapping[Any, Any]) -> str:
    """Return the `boot` as text, "0" where it is left out."""
    boot = body.get("boot")
    if boot is None:
        return "0"
    if type(boot) is not str and type(boot) is not int:
        raise Invalid("type", "boot: must be a text or a whole number that changes when the device restarts")
    if len(str(boot)) > BOOT_LIMIT_CHARS:
        raise Invalid("out-of-range", f"boot: must have at most {BOOT_LIMIT_CHARS} characters")
    return str(boot)


def instant_ms(body: Mapping[Any, Any], field: str, arrived_ns: int) -> float | None:
    """Return the `t`, None where it is left out; `field` is its path in the message."""
    t_ms = body.get("t")
    if t_ms is None:
        return None
    if not is_number(t_ms):
        raise Invalid("type", f"{field}: must be a number, milliseconds since 1970-01-01 UTC")
    if not math.isfinite(t_ms):
        raise Invalid("non-finite", f"{field}: must be a finite number of milliseconds")
    if t_ms < 0:
        raise Invalid("out-of-range", f"{field}: lies before 1970; send milliseconds since 1970-01-01 UTC")
    check_clock(t_ms, field, arrived_ns)
    return t_ms  # type: ignore[no-any-return]


def check_clock(t_ms: float, field: str, arrived_ns: int) -> None:
    """Refuse a time that cannot be a time of a device whose message arrived then."""
    arrived_ms = arrived_ns / 1e6
    if t_ms < EARLIEST_MS <= arrived_ms:
        raise Invalid("clock-behind", f"{field}: lies before 2015; {_clock_remedy(t_ms, arrived_ms)}")
    if t_ms > arrived_ms + CLOCK_AHEAD_LIMIT_MS:
        remedy, limit_s = _clock_remedy(t_ms, arrived_ms), CLOCK_AHEAD_LIMIT_MS / 1e3
        raise Invalid("clock-ahead", f"{field}: more than {limit_s:g} s ahead of the monitor; {remedy}")


def _clock_remedy(t_ms: float, arrived_ms: float) -> str:
    for unit, per_ms in (("seconds", 1e-3), ("microseconds", 1e3), ("nanoseconds", 1e6)):
        if EARLIEST_MS <= t_ms / per_ms <= arrived_ms + YEAR_MS:
            return f"the number looks like {unit}: send milliseconds since 1970-01-01 UTC"
    return "set the device's clock (milliseconds since 1970-01-01 UTC are meant)"


def interval_ms(body: Mapping[Any, Any], field: str) -> float | None:
    """Return the `dt`, None where it is left out; `field` is its path in the message."""
    dt_ms = body.get("dt")
    if dt_ms is None:
        return None
    if not is_number(dt_ms):
        raise Invalid("type", f"{field}: must be a number of milliseconds")
    if not DT_MIN_MS <= dt_ms <= DT_MAX_MS:
        raise Invalid("out-of-range", f"{field}: must be from {DT_MIN_MS:g} to {DT_MAX_MS:g} milliseconds")
    return dt_ms  # type: ignore[no-any-return]


def readings(value: Any, field: str, limit: float = READING_LIMIT) -> tuple[RawArray, int]:
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
        raw, count = _plain(items, field), len(items)
    column = join([raw])
    if np.isinf(column).any():
        raise Invalid("non-finite", f"{field}: holds an infinite number; send null where there is no reading")
    if (np.abs(column) > limit).any():
        raise Invalid("out-of-range", f"{field}: holds a number beyond {limit:g}; send it in the stated unit")
    return raw, count


def _plain(items: list[Any], field: str) -> RawArray:
    """Return plain numbers, and null where there is none, as a raw array."""
    kinds = set(map(type, items))
    if not kinds <= READING_TYPES:
        wrong = next(item for item in items if type(item) not in READING_TYPES)
        raise Invalid("type", f"{field}: {shown(wrong)} is not a number; send numbers, and null where there is none")
    return array("d", [NAN if item is None else item for item in items] if NoneType in kinds else items)


def event_codes(value: Any, field: str, codes: Mapping[Any, float]) -> list[float]:
    """Return the codes of the states of an event stream."""
    values = []
    for item in value if type(value) is list else [value]:
        try:
            values.append(codes[item])
        except (KeyError, TypeError):
            raise Invalid("type", f"{field}: {shown(item)} is none of {_names(codes)}") from None
    return values


def offsets_in_order(value: Any, field: str, count: int) -> list[float]:
    """Return the `at` of `count` events."""
    raw, length = readings(value, field, math.inf)
    if length != count:
        raise Invalid("unequal-lengths", f"{field}: {length} times for {count} events; send one for each")
    offsets_ms = join([raw])
    if length and not (offsets_ms[0] >= 0 and (np.diff(offsets_ms) >= 0).all()):
        raise Invalid("out-of-range", f"{field}: must be milliseconds after t, none earlier than the one before it")
    offsets: list[float] = offsets_ms.tolist()
    return offsets


def is_number(value: Any) -> bool:
    """Return whether a value is a number: true and false are none."""
    return type(value) is int or type(value) is float


def shown(value: Any) -> str:
    """Return a short text of a received value."""
    if value is None or type(value) is bool:
        return str(value)
    if type(value) is str:
        return repr(value[:40])
    return f"a value of type {type(value).__name__}"


def _names(codes: Mapping[Any, float]) -> str:
    return "true, false, null" if codes is BITS else ", ".join(codes)
