"""The calls of a policy in time: call 0 is the first, and each has its offset from the beginning and its step.

delay │ step 1: 0 1 2 │ step 2: 3 4 │ step 3: 5 │ from step `repeat_from`: 6 7 8 │ …
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from alerts.escalation.policy import EscalationPolicy

S_NS = 1_000_000_000


class Timeline:
    """The calls of one policy; `steps` of the policy are not empty."""

    def __init__(self, policy: EscalationPolicy) -> None:
        calls = [(number, step.every_s) for number, step in enumerate(policy.steps) for _ in range(step.times)]
        repeated = [call for call in calls if call[0] >= policy.repeat_from - 1]
        self._steps, self._offsets_s, self._length_s = _columns(calls)
        self._again, self._again_s, self._round_s = _columns(repeated)
        self._delay_s, self._rounds = policy.delay_s, policy.rounds

    @property
    def first_round(self) -> int:
        """The number of calls before the first repetition."""
        return len(self._steps)

    def latest(self, elapsed_ns: int) -> int:
        """Return the number of the latest call that is due after a time, -1 before the first."""
        elapsed_s = elapsed_ns // S_NS - self._delay_s
        if elapsed_s < 0:
            return -1
        if elapsed_s < self._length_s or self._rounds == 1:
            return bisect_right(self._offsets_s, elapsed_s) - 1
        rounds, rest_s = divmod(elapsed_s - self._length_s, self._round_s)
        if self._rounds is not None and rounds >= self._rounds - 1:
            return len(self._steps) + (self._rounds - 1) * len(self._again) - 1
        return len(self._steps) + rounds * len(self._again) + bisect_right(self._again_s, rest_s) - 1

    def due_ns(self, call: int) -> int | None:
        """Return the offset of a call, None where the policy has no such call."""
        if call < len(self._steps):
            return (self._delay_s + self._offsets_s[call]) * S_NS
        rounds, rest = divmod(call - len(self._steps), len(self._again))
        if self._rounds is not None and rounds >= self._rounds - 1:
            return None
        return (self._delay_s + self._length_s + rounds * self._round_s + self._again_s[rest]) * S_NS

    def steps_between(self, after: int, upto: int) -> list[int]:
        """Return the steps of the calls after one until another, each once, in their order."""
        first_round = range(after + 1, min(upto + 1, len(self._steps)))
        last_round = range(max(after + 1, len(self._steps), upto - len(self._again) + 1), upto + 1)
        return list(dict.fromkeys(self.step_of(call) for call in (*first_round, *last_round)))

    def step_of(self, call: int) -> int:
        """Return the step of a call, 0 for the first."""
        if call < len(self._steps):
            return self._steps[call]
        return self._again[(call - len(self._steps)) % len(self._again)]


def _columns(calls: Sequence[tuple[int, int]]) -> tuple[list[int], list[int], int]:
    """Return the steps and the offsets of calls, and the time that all of them take."""
    ends_s = list(accumulate(every_s for _, every_s in calls))
    return [step for step, _ in calls], [0, *ends_s[:-1]], ends_s[-1]
