"""The dead letters that judging itself makes: messages that it had no room for, or failed at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ingest.fleet import NO_ROOM
from telemetry.batch import Decoded, Refusal
from telemetry.streams import Entry


def without_room(decoded: Decoded, lift: NDArray[np.int32], entries: Sequence[Entry]) -> list[Refusal]:
    """Return the refusals of messages of unregistered lifts for which there is no room."""
    refused = np.flatnonzero(lift == NO_ROOM).tolist()
    entry_at = {entry.position: entry for entry in entries} if refused else {}
    refusals = []
    for row in refused:
        why = f"{decoded.messages.lift_id[row]}: too many lifts that the registry does not know; register it"
        refusals.append(refusal(entry_at[int(decoded.messages.position[row])], "unregistered", why))
    return refusals


def unjudgeable(entries: Sequence[Entry], reasons: Mapping[int, str]) -> list[Refusal]:
    """Return the refusals of messages at positions that were set aside."""
    aside = [entry for entry in entries if entry.position in reasons]
    report = "could not be judged, by a mistake of the monitor's; please report it"
    return [refusal(entry, "unjudgeable", f"{report}: {reasons[entry.position]}") for entry in aside]


def refusal(entry: Entry, reason: str, detail: str) -> Refusal:
    """Return the refusal of a whole message."""
    return Refusal(reason, detail, entry.topic, entry.payload, entry.arrived_ns, entry.position)
