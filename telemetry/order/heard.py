"""A group of messages as the sequencer reads it: one row a message going in, one verdict a message coming out."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.batch import F64, I32, I64, Decoded, Waveforms
from telemetry.order.rows import Rows

BOOTS_REMEMBERED = 65_536
NO_BOOT = 0
_UNBUNDLED = ("speed", "displacement")
_JUDGED = {
    "speed": ("v_mps",),
    "displacement": ("z_m",),
    "door": ("door",),
    "infrared": ("presence", "curtain"),
    "status": ("online", "alarm", "mode", "power"),
}


@lru_cache(BOOTS_REMEMBERED)
def boot_number(boot: str) -> int:
    """Return a boot as a number that an array holds; `NO_BOOT` for a device that says none."""
    return NO_BOOT if boot == "0" else int.from_bytes(blake2b(boot.encode(), digest_size=8).digest(), signed=True)


class Heard:
    """What was heard (the columns of `Messages` that matter, times in ns), and what became of it.

    `horizon_ns`  up to where a bundle speaks for all its streams: its last sample, so that an event said to come later
                  waits in line with the next bundle; where it has no samples, its end
    `identity`    what a repeat has in common with what it repeats: lift, boot, seq and t as one number
    `rows`        how many readings it brings
    Verdicts: `taken`, `repeated`; `before_ns` (what is not later than this comes too late), `placed_ns` (where a status
    without a time of its own stands), `gap` (numbers missing before it), `overflow`; `restarted`, and `forget_ns` (from
    where on nothing that was known before holds: its device restarted or set its clock back; -1: it does).
    """

    def __init__(self, decoded: Decoded, lift: I32) -> None:
        messages = decoded.messages
        n = len(lift)
        self.decoded, self.lift, self.seq = decoded, lift, messages.seq
        self.t_ns, self.end_ns, self.arrived_ns = messages.t_ns, messages.t_end_ns, messages.arrived_ns
        self.complete, self.timed = messages.complete, messages.timed
        self.boot: I64 = np.fromiter(map(boot_number, messages.boot), dtype=np.int64, count=n)
        self.identity = _mix(_mix(_mix(self.boot) ^ self.seq) ^ self.t_ns)
        self.horizon_ns = _horizon(decoded)
        self.rows: I64 = np.zeros(n, dtype=np.int64)
        for samples in decoded.samples.values():
            self.rows += np.bincount(samples.message, minlength=n)
        self.taken = np.zeros(n, dtype=np.bool_)
        self.repeated = np.zeros(n, dtype=np.bool_)
        self.late = np.zeros(n, dtype=np.bool_)
        self.overflow = np.zeros(n, dtype=np.bool_)
        self.before_ns = np.zeros(n, dtype=np.int64)
        self.placed_ns = messages.t_ns.copy()
        self.restarted = np.zeros(n, dtype=np.bool_)
        self.forget_ns = np.full(n, -1, dtype=np.int64)
        self.gap = np.zeros(n, dtype=np.int64)

    def in_time(self) -> list[Rows]:
        """Return the rows of messages that were taken, by stream; mark those that come too late, and leave them out."""
        pieces = []
        for stream, names in _JUDGED.items():
            samples = self.decoded.samples[stream]
            channels = {name: samples.channels[name] for name in names}
            t_ns = samples.t_ns
            if stream == "status":
                channels["stale"] = _stale(self.decoded, samples.message)
                t_ns = np.where(self.timed[samples.message], t_ns, self.placed_ns[samples.message])
            pieces.append(self._in_time(samples.message, t_ns, channels))
        anew = np.flatnonzero(self.forget_ns >= 0)
        pieces.append(Rows(self.lift[anew], self.forget_ns[anew], {"reboot": np.ones(len(anew))}))
        missed = np.flatnonzero((self.gap > 0) & (self.t_ns > self.before_ns))
        pieces.append(Rows(self.lift[missed], self.t_ns[missed], {"gap": np.ones(len(missed))}))
        return pieces

    def _in_time(self, message: I32, t_ns: I64, channels: dict[str, F64]) -> Rows:
        taken = self.taken[message]
        late = taken & (t_ns <= self.before_ns[message])
        self.late[message[late]] = True
        return Rows(self.lift[message], t_ns, channels).where(taken & ~late)

    def waveforms(self) -> Waveforms | None:
        """Return the vibration of the messages that were taken, `message` being the lift."""
        heard = self.decoded.waveforms
        taken = self.taken[heard.message]
        if not taken.any():
            return None
        lift = self.lift[heard.message]
        if taken.all():
            return Waveforms(lift, heard.t_ns, heard.dt_ns, heard.first, heard.xyz)
        length = np.diff(heard.first)
        first = np.r_[0, np.cumsum(length[taken])]
        return Waveforms(
            lift[taken], heard.t_ns[taken], heard.dt_ns[taken], first, heard.xyz[:, np.repeat(taken, length)]
        )


def _horizon(decoded: Decoded) -> I64:
    messages = decoded.messages
    horizon_ns = np.full(len(messages.t_ns), -1, dtype=np.int64)
    for stream in _UNBUNDLED:
        samples = decoded.samples[stream]
        last = np.flatnonzero(np.diff(samples.message, append=-1))
        np.maximum.at(horizon_ns, samples.message[last], samples.t_ns[last])
    return np.where(horizon_ns < 0, messages.t_end_ns, horizon_ns)


def _stale(decoded: Decoded, message: I32) -> F64:
    return np.where(decoded.messages.retained_stale[message], 1.0, np.nan)


def _mix(number: NDArray[Any]) -> I64:
    """Return numbers scattered over 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = number.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))).astype(np.int64)
