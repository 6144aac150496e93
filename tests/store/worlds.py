"""Rows that the tests of the stores write."""

from __future__ import annotations

import numpy as np

from store.series.timeseries import MEASUREMENTS, SECOND_NS, Points

START_NS = 1_000_000_020 * SECOND_NS  # a whole minute in September 2001


def rows(measurement: str, lift_id: str | list[str], t_s: object, start_ns: int = START_NS, **fields: object) -> Points:
    """Return rows of one measurement, times in seconds after `start_ns`; of several lifts, one each in turn."""
    t_ns = start_ns + np.round(np.asarray(t_s, dtype=np.float64) * 1e9).astype(np.int64)
    lift_ids = [lift_id] if isinstance(lift_id, str) else lift_id
    columns = {name: np.broadcast_to(np.asarray(value, dtype=np.float64), t_ns.shape) for name, value in fields.items()}
    assert set(columns) <= set(MEASUREMENTS[measurement])
    lift = (np.arange(len(t_ns)) % len(lift_ids)).astype(np.int32)
    return Points(measurement, lift, lift_ids, ["north"] * len(lift_ids), t_ns, columns)
