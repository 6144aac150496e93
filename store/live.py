"""The latest state of every lift as one small blob of columns.

The monitor writes the blob about once a second into the records, the dashboards read it: one row instead of one for
each lift. Losing the blob loses one second.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

NEVER = 0


@dataclass(frozen=True, slots=True)
class LiveTable:
    """Columns over n lifts. NaN is unknown; `last_seen_ns` is by arrival, `NEVER` where no message arrived.

    `district` is the topic's (for a registered lift the registry's takes precedence). `landing` is the index of the
    nearest landing, -1 unknown. `direction` is 1 up, -1 down, 0 none. Codes are those of `telemetry.streams`.
    `last_trip_ns` is the end of the last trip by the lift's own clock, `NEVER` where there is none. `link` is 0 online,
    1 suspect, 2 offline, 3 never seen. `blind` is why messages of a lift are not judged, "" where they are;
    `blind_since_ns` is the first arrival that was not judged. The counts are those of the sequence of messages;
    `steps` is how often the lift's clock was set back.
    """

    lift_id: NDArray[np.str_]
    district: NDArray[np.str_]
    last_seen_ns: NDArray[np.int64]
    link: NDArray[np.int8]
    blind: NDArray[np.str_]
    blind_since_ns: NDArray[np.int64]
    position_m: NDArray[np.float64]
    landing: NDArray[np.int32]
    direction: NDArray[np.float64]
    speed_mps: NDArray[np.float64]
    door: NDArray[np.float64]
    presence: NDArray[np.float64]
    mode: NDArray[np.float64]
    power: NDArray[np.float64]
    last_trip_ns: NDArray[np.int64]
    received: NDArray[np.int64]
    gaps: NDArray[np.int64]  # -1: unknown, without `seq`
    repeats: NDArray[np.int64]
    late: NDArray[np.int64]
    steps: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lift_id)

    def encode(self) -> bytes:
        """Return the columns as bytes."""
        out = io.BytesIO()
        np.savez(out, allow_pickle=False, **{f.name: getattr(self, f.name) for f in fields(self)})
        return out.getvalue()


def decode_live(blob: bytes) -> LiveTable:
    """Return the table in the bytes of `encode`; raise ValueError for other bytes."""
    with np.load(io.BytesIO(blob), allow_pickle=False) as columns:
        names = [f.name for f in fields(LiveTable)]
        missing = [name for name in names if name not in columns]
        if missing:
            raise ValueError(f"the live table lacks {', '.join(missing)}: monitor and dashboards differ in version")
        return LiveTable(**{name: columns[name] for name in names})
