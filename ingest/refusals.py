"""Refusals made by judging: unauthorised senders, unregistered lifts without a place, failures of judging."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ingest.senders import GATEWAY_ENDING, NOT_ITS_LIFT, Senders, attributed
from telemetry.batch import Decoded, Refusal
from telemetry.streams import UNJUDGEABLE, Entry, claimed_lift_id
from telemetry.wire.decode import inner_payloads

FORGED = (
    "{sender} may not speak for {lift_id}: set the fact gateway_id of {lift_id} to {sender} if it is its gateway, and"
    " add {lift_id} to the lifts of the device {sender}; else someone uses the password of {sender} to forge readings,"
    " change it"
)
REVOKED = (
    "the device {lift_id} is revoked and no other device sends for {lift_id}: add the device again if the message is"
    " its own, and let the broker refuse whoever has no credential"
)


def refusals_of(
    decoded: Decoded,
    entries: Sequence[Entry],
    *,
    foreign: NDArray[np.bool_],
    roomless: NDArray[np.bool_],
    set_aside: Mapping[int, str],
    senders: Senders,
) -> list[Refusal]:
    """Return all refusals of a group: those of decoding, of the messages that are `foreign` or of lifts without a
    place, and of the positions that were set aside, each with the sender that it counts for."""
    refusals = [
        *decoded.refusals,
        *not_its_lift(decoded, foreign, entries),
        *without_room(decoded, roomless, entries),
        *unjudgeable(entries, set_aside),
    ]
    return attributed(refusals, senders)


def without_room(decoded: Decoded, refused: NDArray[np.bool_], entries: Sequence[Entry]) -> list[Refusal]:
    """Return the refusals of messages of unregistered lifts without a place."""
    refusals = []
    for entry, lift_ids in _lifts_of(decoded, refused, entries):
        for lift_id in lift_ids:
            why = f"{lift_id}: too many lifts that the registry does not know; register it"
            refusals.append(refusal(entry, "unregistered", why, lift_id=lift_id))
    return refusals


def not_its_lift(decoded: Decoded, foreign: NDArray[np.bool_], entries: Sequence[Entry]) -> list[Refusal]:
    """Return the refusals of bundles of unauthorised gateways, each with the bundle as its payload, and of messages of
    revoked devices."""
    refusals = []
    for entry, lift_ids in _lifts_of(decoded, foreign, entries):
        if not entry.topic.endswith(GATEWAY_ENDING):
            why = REVOKED.format(lift_id=lift_ids[0])
            refusals.append(refusal(entry, NOT_ITS_LIFT, why, lift_id=lift_ids[0]))
            continue
        for lift_id, payload in zip(lift_ids, inner_payloads(entry.payload, lift_ids), strict=True):
            why = FORGED.format(lift_id=lift_id, sender=claimed_lift_id(entry.topic))
            refusals.append(refusal(entry, NOT_ITS_LIFT, why, lift_id=lift_id, payload=payload))
    return refusals


def _lifts_of(
    decoded: Decoded, marked: NDArray[np.bool_], entries: Sequence[Entry]
) -> Iterator[tuple[Entry, list[str]]]:
    """Yield each message of which rows are marked, with the lifts of these rows."""
    rows = np.flatnonzero(marked).tolist()
    entry_at = {entry.position: entry for entry in entries} if rows else {}
    for position, some in groupby(rows, lambda row: int(decoded.messages.position[row])):
        yield entry_at[position], [decoded.messages.lift_id[row] for row in some]


def unjudgeable(entries: Sequence[Entry], reasons: Mapping[int, str], lift_id: str | None = None) -> list[Refusal]:
    """Return the refusals of messages at these positions, of one of their lifts where `lift_id` names it."""
    aside = [entry for entry in entries if entry.position in reasons]
    report = "could not be judged, by a mistake of the monitor's; please report it"
    return [refusal(entry, UNJUDGEABLE, f"{report}: {reasons[entry.position]}", lift_id=lift_id) for entry in aside]


def refusal(
    entry: Entry, reason: str, detail: str, *, lift_id: str | None = None, payload: bytes | None = None
) -> Refusal:
    """Return the refusal of a message, or of one lift's part of the message."""
    lift_id = claimed_lift_id(entry.topic) if lift_id is None else lift_id
    payload = entry.payload if payload is None else payload
    return Refusal(reason, detail, entry.topic, payload, entry.arrived_ns, entry.position, lift_id)
