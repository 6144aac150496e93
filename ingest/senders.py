"""Authorised senders: a lift on its own topics, and the gateway of its facts and devices, whatever the broker allows.

lift/v1/{district}/GW7/gateway  {"lifts": {"A": .., "B": .., "C": ..}}
                                            │         │         └─ not among the lifts of the device GW7: refused
                                            │         └─ gateway_id is GW9: refused as `not-its-lift`
                                            └─ gateway_id is GW7, or none: accepted

lift/v1/{district}/A/…  accepted, but where the device of A is revoked and no other device sends for A: refused
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from store.records.lifts import Registered
from telemetry.batch import Messages, Refusal
from telemetry.streams import Entry, claimed_lift_id

NOT_ITS_LIFT = "not-its-lift"
GATEWAY_ENDING = "/gateway"
Accepts = Callable[[str, str], bool]
"""Whether messages of a lift (the first argument) are accepted from a sender, the gateway or lift of a topic."""


def accepts_every_sender(lift_id: str, sender: str) -> bool:
    """Return True: the check without a registry."""
    return True


class Senders:
    """The registered lifts of every partition, each with the gateway that it names, and the lifts of each device."""

    def __init__(self) -> None:
        self._gateway_of: Mapping[str, str | None] = {}
        self._gateways: Set[str | None] = frozenset()
        self.lifts_of: Mapping[str, Set[str]] = {}
        self._lifts_with_device: Set[str] = frozenset()
        self.revoked: Set[str] = frozenset()
        """The lifts whose own device is revoked and for which no device sends: nobody may publish on their topics."""

    def load(self, changed: Iterable[Registered], deleted: Iterable[str] = ()) -> None:
        """Apply changes of the registry."""
        gateway_of = dict(self._gateway_of)
        for lift_id in deleted:
            gateway_of.pop(lift_id, None)
        gateway_of |= {each.facts.lift_id: each.facts.gateway_id for each in changed if each.registered}
        self._gateway_of, self._gateways = gateway_of, frozenset(gateway_of.values())  # at once: other threads read it

    def load_devices(self, lifts_of: Mapping[str, Set[str]]) -> None:
        """Replace the devices by these, each with its lifts; a revoked one has none."""
        self.lifts_of, self._lifts_with_device = lifts_of, frozenset().union(*lifts_of.values())
        self.revoked = {sender for sender, own in lifts_of.items() if not own} - self._lifts_with_device

    def knows(self, sender: str) -> bool:
        """Return whether a sender is a registered lift, the gateway of one, or a device."""
        return sender in self._gateway_of or sender in self._gateways or sender in self.lifts_of

    def accepts(self, lift_id: str, sender: str) -> bool:
        """Return whether a message for a lift is accepted from `sender`.

        A lift sends for itself unless its device is revoked, and its gateway for it. A device sends for its own lifts
        alone, and no other sender for a lift with a device. Of lifts without a device and without a gateway in their
        facts, any sender is accepted that is not a registered lift: the password of one lift's terminal must not be
        valid for another lift.
        """
        if sender == lift_id:
            return lift_id not in self.revoked
        gateway_id, own = self._gateway_of.get(lift_id), self.lifts_of.get(sender)
        if own is not None:
            return lift_id in own and gateway_id in (None, sender)
        if gateway_id is not None:
            return sender == gateway_id
        return lift_id not in self._lifts_with_device and sender not in self._gateway_of


def attributed(refusals: Iterable[Refusal], senders: Senders) -> list[Refusal]:
    """Return the refusals, each with the sender whose share of the dead letters is used.

    That is a registered lift for its own messages, its gateway's among them, and otherwise the sender.
    """
    return [_attributed(refusal, senders) for refusal in refusals]


def _attributed(refusal: Refusal, senders: Senders) -> Refusal:
    sender, lift_id = claimed_lift_id(refusal.topic), refusal.lift_id
    is_its_own = lift_id in ("", sender) or senders.accepts(lift_id, sender)
    share = lift_id if is_its_own and senders.knows(lift_id) else sender or refusal.topic
    reason = refusal.reason if is_its_own else NOT_ITS_LIFT
    return replace(refusal, reason=reason, share=share, known=senders.knows(share))


def gateways(entries: Sequence[Entry]) -> dict[int, str]:
    """Return the gateway of each gateway message, by the message's position."""
    return {e.position: claimed_lift_id(e.topic) for e in entries if e.topic.endswith(GATEWAY_ENDING)}


def foreign(
    messages: Messages, gateway_at: Mapping[int, str], accepts: Accepts, revoked: Set[str] = frozenset()
) -> NDArray[np.bool_]:
    """Return which messages came from a sender that is not accepted for their lift.

    On its own topic a lift is its own sender; only a gateway's message names other lifts. `revoked` are the lifts that
    do not send for themselves.
    """
    marked = np.zeros(len(messages.lift_id), dtype=np.bool_)
    if gateway_at or (revoked and not revoked.isdisjoint(messages.lift_id)):
        for row, (lift_id, position) in enumerate(zip(messages.lift_id, messages.position.tolist(), strict=True)):
            sender = gateway_at.get(position)
            marked[row] = lift_id in revoked if sender is None else not accepts(lift_id, sender)
    return marked
