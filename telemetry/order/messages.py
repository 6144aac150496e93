"""A group of messages in the form for the recurrence: a record for each message, and the rows of each stream."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64, I32, I64
from telemetry.batch import CHANNELS, Decoded, Samples
from telemetry.order.records import MESSAGE, NO_BOOT, NOT_SAMPLED, SAMPLED_STREAMS

BOOTS_REMEMBERED = 65_536
JUDGED = {
    "speed": ("v_mps",),
    "displacement": ("z_m",),
    "door": ("door",),
    "infrared": ("presence", "curtain"),
    "status": ("online", "alarm", "mode", "power", "stale"),
}
PLACES = {name: np.array([CHANNELS.index(channel) for channel in channels]) for name, channels in JUDGED.items()}
STATUS = list(JUDGED).index("status")
ALARM, POWER = (JUDGED["status"].index(name) for name in ("alarm", "power"))
SAMPLED = 2
"""How many of these streams, the first ones, are sampled: a bundle holds all its streams up to their last sample,
so that an event after that sample waits for the next bundle."""

KINDS = (*SAMPLED_STREAMS, "door", "infrared", "status")

StreamColumns = tuple[I64, I64, F64, I64]
"""Where the rows of each message begin, their instants, their values (channels, rows), and which channels these are."""


def message_records(decoded: Decoded, lift: I32) -> NDArray[Any]:
    """Return one record for each message; `lift` is the index of its lift."""
    messages = decoded.messages
    made = np.zeros(len(lift), dtype=MESSAGE)
    boot: I64 = np.fromiter(map(boot_number, messages.boot), dtype=np.int64, count=len(lift))
    made["lift"], made["boot"], made["seq"] = lift, boot, messages.seq
    made["t_ns"], made["end_ns"], made["arrived_ns"] = messages.t_ns, messages.t_end_ns, messages.arrived_ns
    made["position"] = messages.position
    made["complete"], made["timed"] = messages.complete, messages.timed
    kind = _kinds(decoded)
    made["sampled"] = np.where(kind < len(SAMPLED_STREAMS), kind, NOT_SAMPLED)
    made["status"] = kind == KINDS.index("status")
    made["identity"] = _mix(_mix(_mix(boot) ^ messages.seq) ^ messages.t_ns) ^ np.where(messages.seq < 0, kind, 0)
    return made


def _kinds(decoded: Decoded) -> I64:
    """Return for each message its place in `KINDS`, `NOT_SAMPLED` where it holds nothing."""
    made = np.full(len(decoded.messages.seq), NOT_SAMPLED, dtype=np.int64)
    vibration = {"waveforms": decoded.waveforms.message, "machine": decoded.machine.message}
    for number, name in sorted(enumerate(KINDS[1:], start=1), reverse=True):  # a status may be beside readings
        made[vibration[name] if name in vibration else decoded.samples[name].message] = number
    made[decoded.messages.complete] = 0
    return made


def streams(decoded: Decoded) -> tuple[StreamColumns, ...]:
    """Return the rows of the streams that are judged, in columns of the same types."""
    every = np.arange(len(decoded.messages.seq) + 1, dtype=np.int32)
    made = []
    for name, channels in JUDGED.items():
        samples = decoded.samples[name]
        values = np.array([_column(decoded, samples, channel) for channel in channels])
        made.append((np.searchsorted(samples.message, every), np.array(samples.t_ns), values, PLACES[name]))
    return tuple(made)


def _column(decoded: Decoded, samples: Samples, channel: str) -> F64:
    if channel == "stale":
        return np.where(decoded.messages.retained_stale[samples.message], 1.0, np.nan)
    return samples.channels[channel]


@lru_cache(BOOTS_REMEMBERED)
def boot_number(boot: str) -> int:
    """Return a boot as a number that an array holds; `NO_BOOT` for a device without one."""
    return NO_BOOT if boot == "0" else int.from_bytes(blake2b(boot.encode(), digest_size=8).digest(), signed=True)


def _mix(number: NDArray[Any]) -> I64:
    """Return numbers scattered over 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = number.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))).astype(np.int64)
