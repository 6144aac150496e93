"""Who may speak for a lift, whatever the broker allows: the lift on its own topic, and the gateway that its facts name.

lift/v1/{district}/GW7/gateway  {"lifts": {"A": .., "B": ..}}
                                            │         └─ gateway_id is GW9: refused as `not-its-lift`
                                            └─ gateway_id is GW7, or none: heard
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ingest.fleet import Fleet
from telemetry.batch import Messages, Refusal
from telemetry.streams import Entry, claimed_lift_id

NOT_ITS_LIFT = "not-its-lift"
GATEWAY_ENDING = "/gateway"
Hears = Callable[[str, str], bool]
"""Whether a lift (the first argument) hears a sender, which is the gateway or lift that a topic names."""


def hears_everyone(lift_id: str, sender: str) -> bool:
    """Return True: nothing is known of the lifts."""
    return True


def attributed(refusals: Iterable[Refusal], fleet: Fleet) -> list[Refusal]:
    """Return the refusals, each with the sender whose share of the dead letters it takes.

    That is a registered lift for its own messages, its gateway's among them, and else who sent it.
    """
    return [_attributed(refusal, fleet) for refusal in refusals]


def _attributed(refusal: Refusal, fleet: Fleet) -> Refusal:
    sender, lift_id = claimed_lift_id(refusal.topic), refusal.lift_id
    is_its_own = lift_id in ("", sender) or fleet.hears(lift_id, sender)
    share = lift_id if is_its_own and fleet.knows(lift_id) else sender or refusal.topic
    reason = refusal.reason if is_its_own else NOT_ITS_LIFT
    return replace(refusal, reason=reason, share=share, known=fleet.knows(share))


def foreign(messages: Messages, entries: Sequence[Entry], hears: Hears) -> NDArray[np.bool_]:
    """Return which messages came from a sender that their lift does not hear.

    On its own topic a lift speaks for itself; only a gateway's message names lifts beside its topic.
    """
    sender_at = {e.position: claimed_lift_id(e.topic) for e in entries if e.topic.endswith(GATEWAY_ENDING)}
    marked = np.zeros(len(messages.lift_id), dtype=np.bool_)
    if sender_at:
        for row, (lift_id, position) in enumerate(zip(messages.lift_id, messages.position.tolist(), strict=True)):
            sender = sender_at.get(position)
            marked[row] = sender is not None and not hears(lift_id, sender)
    return marked
