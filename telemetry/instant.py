"""RFC 3339 timestamps: text outside, int64 UTC nanoseconds inside.

Written with milliseconds and `Z`; read with any offset. A time outside the range of 64 bits is moved to its
nearest end.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_NS = 0
LATEST_NS = 9_214_646_400_000_000_000  # 2262-01-01
NS_PER_S = 1_000_000_000
DAY_NS = 24 * 3600 * NS_PER_S
RFC3339 = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:)(\d{2})(?:\.(\d{1,12}))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
EXAMPLE = "2026-11-22T08:15:02.300Z"


def parse(text: str) -> int:
    """Return the instant of RFC 3339 `text` in nanoseconds; raise ValueError for any other text."""
    match = RFC3339.fullmatch(text)
    if not match:
        raise ValueError(f"not a time with a zone; write it as {EXAMPLE}")
    day, clock, second, fraction, zone = match.groups()
    if zone.upper() != "Z" and int(zone[1:3]) > 23:
        raise ValueError("the offset from UTC is more than a day")
    leap = second == "60"
    moment = datetime.fromisoformat(f"{day}T{clock}{'59' if leap else second}+00:00")
    whole_s = (moment - _EPOCH) // timedelta(seconds=1) + leap
    ns = (whole_s - _offset_s(zone)) * NS_PER_S + int((fraction or "0").ljust(9, "0")[:9])
    return min(max(ns, EARLIEST_NS), LATEST_NS)


def _offset_s(zone: str) -> int:
    """Return the seconds by which local time in `zone` is ahead of UTC."""
    if zone in ("Z", "z"):
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -seconds if zone[0] == "-" else seconds


def rfc3339(t_ns: int) -> str:
    """Return an instant as RFC 3339 in UTC with milliseconds."""
    at = _EPOCH + timedelta(milliseconds=t_ns // 1_000_000)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def text(ns: int | None) -> str | None:
    """Return the instant as RFC 3339 text in UTC; None for None."""
    return None if ns is None else rfc3339(ns)


def to_the_nanosecond(t_ns: int) -> str:
    """Return an instant as RFC 3339 in UTC with nine decimals."""
    return f"{np.datetime_as_string(np.datetime64(t_ns, 'ns'))}Z"


def texts(ns: NDArray[np.int64]) -> list[str]:
    """Return a column of instants as RFC 3339 texts."""
    stamps: Any = np.datetime_as_string((np.asarray(ns) // 1_000_000).astype("datetime64[ms]"))
    return [f"{stamp}Z" for stamp in stamps.tolist()]
