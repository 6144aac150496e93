"""The fields of a status: alone, in a bundle, or beside the streams."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from telemetry.streams import MODES, POWERS
from telemetry.wire.field_checks import is_number, shown
from telemetry.wire.parsed import BITS, DT_MAX_MS, NAN, Invalid

_POWER_CODES = {name: float(code) for code, name in enumerate(POWERS)}
_MODE_CODES = {name: float(code) for code, name in enumerate(MODES)}


def status_beside(
    body: Mapping[Any, Any], inner: Mapping[Any, Any] | None, own_ms: float | None
) -> tuple[float, ...] | None:
    """Return the status in a message, its fields beside the streams included; None where the message has neither.

    Beside the streams a value that the contract does not have is refused for `alarm`; any other field is unknown then.
    """
    beside = [name for name in _STATUS_CODES if name in body and (name == "alarm" or _is_in_contract(body, name))]
    if inner is None and not beside:
        return None
    codes = status_codes({name: body[name] for name in beside}, "")
    if inner is not None:
        pairs = zip(status_codes(inner, "status."), codes, strict=True)
        codes = tuple(other if math.isnan(own) else own for own, other in pairs)
    return (NAN if own_ms is None else own_ms, *codes)


def _is_in_contract(body: Mapping[Any, Any], name: str) -> bool:
    try:
        _STATUS_CODES[name](body[name], name)
        return True
    except Invalid:
        return False


def status_codes(body: Mapping[Any, Any], path: str) -> tuple[float, ...]:
    """Return the codes of the fields of a status, NaN where a field is left out; `path` is where they are."""
    return tuple(code(body.get(name), path + name) for name, code in _STATUS_CODES.items())


def _code(codes: Mapping[Any, float], remedy: str) -> Callable[[Any, str], float]:
    """Return the reader of a status field with these codes."""

    def read(value: Any, field: str) -> float:
        try:
            return NAN if value is None else codes[value]
        except (KeyError, TypeError):
            raise Invalid("type", f"{field}: {shown(value)} is not known; send {remedy}") from None

    return read


def _heartbeat_s(value: Any, field: str) -> float:
    if value is None:
        return NAN
    if not (is_number(value) and 0 < value <= DT_MAX_MS / 1e3):
        raise Invalid("out-of-range", f"{field}: must be a number of seconds above 0 and at most 86400")
    return float(value)


_STATUS_CODES: Mapping[str, Callable[[Any, str], float]] = {
    "online": _code(BITS, "true or false"),
    "alarm": _code(BITS, "true or false"),
    "mode": _code(_MODE_CODES, "one of " + ", ".join(MODES)),
    "power": _code(_POWER_CODES, "one of " + ", ".join(POWERS)),
    "heartbeat_s": _heartbeat_s,
}
