"""Exports stored readings as messages: the store does not keep messages, so each second becomes a synthetic bundle.

The state of an event stream before the window is repeated at its beginning. Waveforms are not stored: there are none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from store.recordings.format import CHANNELS
from store.series.timeseries import EVENT_STREAMS, HOUR_NS, SECOND_NS, Readings, TimeSeries
from telemetry.arrays import F64, I64
from telemetry.batch import Decoded, Messages, Samples
from telemetry.groups import joined, picked
from telemetry.streams import FIELDS
from telemetry.wire.columns import NO_MESSAGES

SOURCE = "store, a synthetic bundle for each lift and second"
BOOT = "store"


def export_readings(
    series: TimeSeries, districts: Mapping[str, str], from_ns: int, to_ns: int, window_ns: int = HOUR_NS
) -> Iterator[Decoded]:
    """Yield the readings of these lifts (districts by lift id) as messages, window by window, in the order of time."""
    seq = dict.fromkeys(districts, 0)
    for begin_ns in range(from_ns, to_ns, window_ns):
        end_ns = min(begin_ns + window_ns, to_ns)
        groups = []
        for lift_id, district in districts.items():
            samples = {
                stream: _stored_samples(series, lift_id, stream, begin_ns, end_ns, before=begin_ns == from_ns)
                for stream in CHANNELS
            }
            groups.append(as_bundles(lift_id, district, seq[lift_id], samples))
            seq[lift_id] += len(groups[-1].messages.seq)
        together = joined(groups or [NO_MESSAGES])
        yield picked(together, np.argsort(together.messages.arrived_ns, kind="stable"))


def as_bundles(lift_id: str, district: str, seq: int, streams: Mapping[str, Samples]) -> Decoded:
    """Return one lift's readings as messages: in each second one for every status, then one bundle."""
    status_ns = streams["status"].t_ns
    seconds = [samples.t_ns // SECOND_NS for stream, samples in streams.items() if stream != "status"]
    bundle = np.unique(np.concatenate(seconds))
    second = np.r_[status_ns // SECOND_NS, bundle]
    n, complete = len(second), np.arange(len(second)) >= len(status_ns)
    order = np.lexsort((complete, second))
    number = np.empty(n, dtype=np.int32)
    number[order] = np.arange(n, dtype=np.int32)
    t_ns = np.r_[status_ns, bundle * SECOND_NS][order]
    samples, end_ns = {}, t_ns.copy()
    for stream, one in streams.items():
        row = (
            np.arange(len(status_ns))
            if stream == "status"
            else len(status_ns) + np.searchsorted(bundle, one.t_ns // SECOND_NS)
        )
        samples[stream] = Samples(number[row], one.t_ns, one.channels)
        np.maximum.at(end_ns, number[row], one.t_ns)
    no = np.zeros(n, dtype=np.bool_)
    arrived_ns = (second[order] + 1) * SECOND_NS
    messages = Messages(
        [lift_id] * n, [district] * n, [BOOT] * n, seq + np.arange(n), t_ns, end_ns, arrived_ns,
        np.zeros(n, dtype=np.int64), complete[order], no, ~no,
    )  # fmt: skip
    return Decoded(messages, samples, NO_MESSAGES.waveforms, [])


def _stored_samples(series: TimeSeries, lift_id: str, stream: str, from_ns: int, to_ns: int, before: bool) -> Samples:
    """Return the stored readings of one stream; where `before`, the state at the beginning comes first."""
    parts = [series.readings(lift_id, stream, from_ns, to_ns)]
    if before and stream in EVENT_STREAMS:
        state = series.events(lift_id, stream, from_ns, from_ns)
        parts.insert(0, Readings(np.full(len(state), from_ns), state.channels))
    t_ns: I64 = np.concatenate([part.t_ns for part in parts])
    channels = {name: _channel(parts, FIELDS.get(name, name)) for name in CHANNELS[stream]}
    return Samples(np.zeros(len(t_ns), dtype=np.int32), t_ns, channels)


def _channel(parts: Sequence[Readings], name: str) -> F64:
    missing = [np.full(len(part), np.nan) for part in parts]
    found = [part.channels.get(name, none) for part, none in zip(parts, missing, strict=True)]
    return np.concatenate(found).astype(np.float64)
