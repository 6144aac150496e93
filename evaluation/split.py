"""Splits lifts into a set that rules may be tuned on, and a held-out set that they are measured on.

A lift's set depends on the world's seed and its own id alone, so no choice of recording, period or fleet size moves a
lift from one set to the other.
"""

from __future__ import annotations

import hashlib

TUNING, HELD_OUT = "tuning", "held-out"
SETS = (TUNING, HELD_OUT)


def set_of(seed: int, lift_id: str) -> str:
    """Return the set of a lift: half of all are held out."""
    digest = hashlib.blake2b(f"{seed}\n{lift_id}".encode(), digest_size=1).digest()
    return SETS[digest[0] & 1]
