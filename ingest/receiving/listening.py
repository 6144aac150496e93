"""The stretch of time in which every message that lifts published was received, as noted by the receiver.

    subscribed  ....[===============]...........[=======      no connection, or no space in the journal
    receiver    x x x x x     x x x x x x x x x x x x x x     a short pause does not end the stretch
    backlog                                     ~~~           what the broker kept, as long as it shrinks
    stretch         |--------------->              |--->      from `since_ns` to `until_ns`

Silence counts inside the latest stretch only, so that neither an outage, nor the backlog after it, nor a clock that is
set looks like silence, and the pace at which messages are judged does not matter.
"""

from __future__ import annotations

import math
from typing import NamedTuple

NS_PER_S = 1_000_000_000
PAUSE_LIMIT_NS = 60 * NS_PER_S
"""After a longer pause of the receiver a new stretch begins: the machine slept, or its clock was set."""
PAUSE_NS, SETTLING_NS = 3 * NS_PER_S, 5 * NS_PER_S
"""After a pause the messages that waited in the socket are received first, before the stretch goes on."""
DRAINING_NS = 60 * NS_PER_S
"""A backlog that has not shrunk for so long is none: the clocks of the lifts are behind."""


class Stretch(NamedTuple):
    """The time in which every message was received, in nanoseconds of the monitor's clock.

    What arrived up to `journalled_ns` is in the journal, whether or not more was published.
    """

    since_ns: int
    until_ns: int
    journalled_ns: int


class Listening:
    """Keeps the latest stretch. Only the receiver's thread calls `note`; any thread may read `stretch`."""

    def __init__(self) -> None:
        self.stretch = Stretch(0, 0, 0)
        self._noted_ns = self._settled_ns = self._drains_until_ns = 0
        self._least_behind_s = math.inf

    def note(self, now_ns: int, subscribed: bool, behind_s: float = 0.0, *, is_full: bool = False) -> None:
        """Note that all messages received before `now_ns` are in the journal, and whether more can be received.

        `behind_s` is how old the messages are that arrive, 0 where they are of now. With `is_full`, messages are
        received for which the journal has no space.
        """
        pause_ns, self._noted_ns = now_ns - self._noted_ns, now_ns
        is_cut = is_full or not subscribed or not 0 <= pause_ns <= PAUSE_LIMIT_NS
        is_draining = behind_s > 0.0 and now_ns <= self._drains_until_ns
        since_ns, until_ns, journalled_ns = self.stretch
        if is_cut or (is_draining and behind_s < self._least_behind_s - 1.0):
            self._least_behind_s, self._drains_until_ns = math.inf if is_cut else behind_s, now_ns + DRAINING_NS
        if is_cut or is_draining:
            since_ns = until_ns = self._settled_ns = now_ns
        elif pause_ns > PAUSE_NS and until_ns >= self._settled_ns:
            self._settled_ns = now_ns + SETTLING_NS
        elif now_ns >= self._settled_ns:
            until_ns = now_ns
        self.stretch = Stretch(since_ns, until_ns, journalled_ns if is_full else now_ns)
