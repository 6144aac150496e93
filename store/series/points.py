"""Turns decoded messages into the columns that are stored (contract, section 5).

The waveform itself is not stored: vibration becomes its features over each second of UTC. A second that two blocks
share makes two rows, so that neither overwrites the other: the part that begins inside the second has the time at
which it begins, the other the whole second, and each holds the features of its own samples.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from store.series.timeseries import AXES, SECOND_NS, FloatArray, Points
from telemetry.arrays import F64, I32, I64
from telemetry.batch import Decoded, Waveforms
from telemetry.streams import FIELDS

UNSTORED = "heartbeat_s"
"""The channel of `status` that is not stored: the contract has no field for it."""
# Instants of one sampling grid that are nearer than this, in samples, are the same sample.
SAMPLE_TOLERANCE = 1e-6


def points(
    decoded: Decoded,
    districts: Mapping[str, str] | None = None,
    oldest_ns: int | None = None,
    left_out: NDArray[np.bool_] | None = None,
) -> list[Points]:
    """Return the rows to store, one `Points` for each measurement that has any.

    `districts` maps lifts to the registry's district, which replaces the topic's. Rows before `oldest_ns`, the
    retention's limit, are left out, and so are the messages that `left_out` marks.
    """
    lift_ids = decoded.messages.lift_id
    by_topic = decoded.messages.district
    districts_of = (
        [districts.get(lift, place) for lift, place in zip(lift_ids, by_topic, strict=True)] if districts else by_topic
    )
    measurements = []
    for stream, samples in decoded.samples.items():
        fields: dict[str, FloatArray] = {
            FIELDS.get(name, name): column for name, column in samples.channels.items() if name != UNSTORED
        }
        measurements.append(Points(stream, samples.message, lift_ids, districts_of, samples.t_ns, fields))
    message, t_ns, features = vibration_features(decoded.waveforms)
    measurements.append(Points("vibration", message, lift_ids, districts_of, t_ns, features))
    return [rows for rows in (_filtered(rows, oldest_ns, left_out) for rows in measurements) if len(rows)]


def vibration_features(blocks: Waveforms) -> tuple[I32, I64, dict[str, FloatArray]]:
    """Reduce vibration blocks to rms, least, greatest and mean acceleration over each UTC second they touch.

    Returns
    -------
    message : (rows,) the block's row in `Messages`
    t_ns : (rows,) the later of the second's and the block's beginning
    features : `rms_a`, `min_a`, `max_a`, `mean_a` for each axis a, (rows,) float32, m/s²; NaN: no reading
    """
    # The only sample of a block needs no interval, and a block may then have none.
    dt_ns = np.where(np.diff(blocks.first) > 1, blocks.dt_ns, 0.0)
    block, start = _cut_at_seconds(blocks, dt_ns)
    if not len(start):
        return blocks.message[:0], blocks.t_ns[:0], {}
    k = start - blocks.first[block]
    begins_ns = blocks.t_ns[block] + np.ceil(k * dt_ns[block] - SAMPLE_TOLERANCE).astype(np.int64)
    t_ns = np.maximum(begins_ns // SECOND_NS * SECOND_NS, blocks.t_ns[block])
    least, greatest, mean, rms = _reduce_parts(blocks.xyz, start)
    features: dict[str, FloatArray] = {}
    for row, axis in enumerate(AXES):
        features |= {f"rms_{axis}": rms[row], f"min_{axis}": least[row], f"max_{axis}": greatest[row]}
        features[f"mean_{axis}"] = mean[row]
    return blocks.message[block], t_ns, features


def _cut_at_seconds(blocks: Waveforms, dt_ns: F64) -> tuple[NDArray[np.intp], I64]:
    """Return, for each part of a block inside one UTC second, its block and its first sample (a column of `xyz`)."""
    samples = np.diff(blocks.first)
    offset_ns = blocks.t_ns % SECOND_NS
    last = np.maximum(samples - 1, 0)
    seconds = ((offset_ns + last * dt_ns) // SECOND_NS).astype(np.int64) + 1
    parts = np.where(samples == 0, 0, np.minimum(seconds, samples))
    block = np.repeat(np.arange(len(samples)), parts)
    part = np.arange(len(block)) - np.repeat(np.cumsum(parts) - parts, parts)
    with np.errstate(divide="ignore", invalid="ignore"):
        into = np.ceil((part * SECOND_NS - offset_ns[block]) / dt_ns[block] - SAMPLE_TOLERANCE)
    # Sampled more slowly than once a second, each sample is a part.
    into = np.where(seconds[block] > samples[block], part, np.where(part == 0, 0, into)).astype(np.int64)
    start = blocks.first[block] + into
    keep = np.r_[start[1:] > start[:-1], True] if len(start) else np.zeros(0, dtype=np.bool_)
    return block[keep], start[keep]


def _reduce_parts(xyz: FloatArray, start: I64) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return least, greatest, mean and rms, each (3, parts) float32, of the columns from each start to the next."""
    count = np.diff(np.r_[start, xyz.shape[1]])
    with np.errstate(over="ignore", invalid="ignore"):
        if (count == count[0]).all() and not np.isnan(xyz.sum()):
            parts = xyz.reshape(3, len(start), int(count[0]))
            rms = np.sqrt(np.einsum("apk,apk->ap", parts, parts) / count[0])
            return parts.min(2), parts.max(2), parts.mean(2), rms
        unread = np.isnan(xyz)
        read = np.add.reduceat(~unread, start, axis=1, dtype=np.int64)
        known = np.where(unread, np.float32(0), xyz)
        mean = np.add.reduceat(known, start, axis=1, dtype=np.float64) / read
        rms = np.sqrt(np.add.reduceat(known * known, start, axis=1, dtype=np.float64) / read)
        least, greatest = np.fmin.reduceat(xyz, start, axis=1), np.fmax.reduceat(xyz, start, axis=1)
        return least, greatest, mean.astype(np.float32), rms.astype(np.float32)


def _filtered(rows: Points, oldest_ns: int | None, left_out: NDArray[np.bool_] | None) -> Points:
    """Leave out rows without any value, those before `oldest_ns` and those of messages that are left out."""
    has_value = np.zeros(len(rows), dtype=np.bool_)
    for column in rows.fields.values():
        has_value |= ~np.isnan(column)
    if oldest_ns is not None:
        has_value &= rows.t_ns >= oldest_ns
    if left_out is not None:
        has_value &= ~left_out[rows.lift]
    if has_value.all():
        return rows
    fields = {name: column[has_value] for name, column in rows.fields.items()}
    return Points(rows.measurement, rows.lift[has_value], rows.lift_ids, rows.districts, rows.t_ns[has_value], fields)
