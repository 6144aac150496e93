"""The numbers of a lift's messages: which message continues the sequence, restarts, and how much is missing.

`message["gap"]` is the count of missing numbers before a message; `recurrence.process` adds it to the lift's `gaps`.
"""

from __future__ import annotations

from telemetry.compiled import compiled
from telemetry.order.held import Struct
from telemetry.order.placing import ALIGN_NS
from telemetry.order.records import NO_BOOT

JUMP = 86_400
"""A seq that is further ahead, by more than a day of messages, is that of a restarted device, and no gap."""


@compiled
def follow(own: Struct, message: Struct) -> bool:
    """Follow the sequence; return whether the message continues it, record a restart and the count of missing numbers.

    seq   5 6 7 9        gap of 1 before 9, marked at the instant after everything received before 9
    seq   5 6 0 1        restarted before 0, where its t is later (with `boot`, where the boot is another one; with an
                         earlier t, not the one before either)
    seq   5 6 50 7       50 does not count, where its t was ahead of the monitor's clock and the t of 7 is not
    seq   5 6 9e9 7      restarted before 9e9, more than `JUMP` ahead; 7 goes on from 6, where its t is later
    """
    boot, seq, t_ns = message["boot"], message["seq"], message["t_ns"]
    first = own["seq"] < 0
    if boot == own["boot"] and t_ns > own["t_ns"] and 0 <= own["jumped_from"] < seq < own["seq"]:
        own["seq"], own["jumped_from"] = own["jumped_from"], -1
    onward = not first and boot == own["boot"] and seq > own["seq"]
    jumped = onward and seq - own["seq"] > JUMP
    if boot == own["boot"]:
        restarted = jumped or (boot == NO_BOOT and seq < own["seq"] and t_ns > own["t_ns"])
    else:
        restarted = not first and (t_ns > own["t_ns"] or boot != own["boot_before"])
    known_ns = message["arrived_ns"] + ALIGN_NS
    overrules = own["t_ns"] > known_ns >= t_ns
    if onward and not jumped:
        message["gap"] = seq - own["seq"] - 1
    message["restarted"] = restarted
    if restarted:
        own["jumped_from"] = own["seq"] if jumped else -1
    if not (first or onward or restarted or overrules):
        return False
    if boot != own["boot"]:
        own["boot_before"] = own["boot"]
    own["boot"], own["seq"] = boot, seq
    own["t_ns"] = t_ns if restarted or overrules else max(t_ns, own["t_ns"])
    return True


@compiled
def follow_untimed(own: Struct, message: Struct) -> None:
    """Follow the numbers of a message without a time, which is never history; a last will may be numbered before."""
    boot, seq, first = message["boot"], message["seq"], own["seq"] < 0
    onward = boot == own["boot"] and seq > own["seq"]
    if not (first or onward) and message["status"]:
        return
    is_near = onward and seq - own["seq"] <= JUMP
    if not first and is_near:
        message["gap"] = seq - own["seq"] - 1
    message["restarted"] = not first and not is_near
    own["boot"], own["seq"] = boot, seq


@compiled
def follow_unnumbered(own: Struct, message: Struct) -> None:
    """Follow the boot of a message without a number, of a lift that numbers none, and note a restart.

    A message that leaves `boot` out does not count, nor does a last will, which may be of the boot before.
    """
    boot, t_ns, is_later = message["boot"], message["t_ns"], message["t_ns"] > own["t_ns"]
    if own["seq"] >= 0 or boot == NO_BOOT or (message["status"] and not (message["timed"] and is_later)):
        return
    if boot != own["boot"]:
        message["restarted"] = own["boot"] != NO_BOOT and (is_later or boot != own["boot_before"])
        if own["boot"] != NO_BOOT and not message["restarted"]:
            return
        own["boot_before"], own["boot"] = own["boot"], boot
    own["t_ns"] = t_ns if message["restarted"] else max(t_ns, own["t_ns"])


@compiled
def missing_s(own: Struct, message: Struct, since_ns: int) -> float:
    """Return the longest duration of the missing messages, at most their share of the interval."""
    until_ns = (message["t_ns"] if message["complete"] else message["end_ns"]) + message["ahead_ns"]
    missing_ns = until_ns - max(own["end_ns"], own["status_ns"])
    if since_ns > 0:
        missing_ns = min(missing_ns, int(since_ns * (message["gap"] / (message["gap"] + 1))))
    return float(max(missing_ns, 1) / 1e9)
