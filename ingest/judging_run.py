"""Judges the messages of groups, and the messages that wait, by the state of one run of judging.

A run begins with a snapshot, or with nothing known, and ends with the next failure: the run after it has a state, an
intake and backlogs of its own. What a run finds and refuses is collected for the next commit.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from detectors.rule import Finding, Rule
from ingest.committing import Committing
from ingest.failing.quarantine import Quarantine
from ingest.intake import Group, Intake
from ingest.refusals import unjudgeable
from ingest.senders import attributed
from ingest.state import State
from ingest.waiting.backlogs import Backlogs
from ingest.waiting.offered import DecodedGroup
from ingest.waiting.positions import NewestPositions
from telemetry.arrays import Bools
from telemetry.batch import Batch, Refusal
from telemetry.streams import Entry

log = logging.getLogger("liftwatch.judge")

NAMED = 5
NOT_ORDERED = "%d messages could not be put in order, and judging goes on without them; please report this"
LEFT_OUT = "judging failed at a row of %d lifts, and goes on without it: %s; please report this"


class JudgingRun:
    """One run of judging: all messages up to `position` are judged, or wait; those up to `read_to` are read.

    `in_rows` is true while the rows of messages in order are judged: a failure then is one of the rules.
    """

    def __init__(
        self,
        state: State,
        intake: Intake,
        backlogs: Backlogs,
        quarantine: Quarantine,
        committing: Committing,
        rules: Mapping[str, Rule],
        counts: Counter[str],
    ) -> None:
        self.state, self.intake, self.backlogs = state, intake, backlogs
        self.position = self.read_to = committing.committed_to
        self.in_rows = False
        self._quarantine, self._committing, self._rules, self._counts = quarantine, committing, rules, counts
        self._positions = NewestPositions()

    @property
    def complete_to(self) -> int:
        """The position up to which every message was judged."""
        oldest = self.backlogs.oldest
        return self.position if oldest is None else oldest - 1

    def judge_group(self, entries: Sequence[Entry]) -> DecodedGroup:
        """Judge the next messages of the journal, but for those that have to wait; return them decoded."""
        self.read_to = entries[-1].position
        group = self.intake.group(entries)
        self._committing.refused(group.refused)
        self._committing.found(group.ended)
        left_out, batch = group.has_no_room.copy(), self._in_order(group)
        left_out[group.now] = self.state.sequencer.repeated
        self.judge_rows(batch)
        if self.state.aside.failed:
            self._refuse_failed(group, left_out, entries)
        self._raise_presses(group)
        self._counts["messages"] += len(entries)
        self._counts["bundles"] += len(group.lift)
        self._counts["unregistered_gave_way"] += group.gave_way
        self._counts["district_differs"] += group.district_differs
        self.position = self.read_to
        return DecodedGroup(entries[0].position, self.position, group.decoded, left_out, group.is_whole)

    def judge_backlogs(self, is_behind: bool) -> None:
        """Judge some of the messages that wait, and give up those for which the journal has no room."""
        begun_s = time.monotonic()
        if self.backlogs.is_due(begun_s, is_behind):
            self.judge_piece()
            self.backlogs.rest(begun_s, time.monotonic())
        if self.state.share:
            return
        outrun, found = self.intake.give_up()
        self._counts["outrun_messages"] += outrun
        self.found(found, time.time_ns())

    def judge_piece(self) -> None:
        """Judge a piece of the messages that wait because their lifts sent more than a turn's share."""
        share = self.state.share
        if not share:
            group, lifts_at = self.intake.share()
            self._committing.refused_waiting(group.refused)
            share.begin(self._in_order(group), lifts_at)
        self.judge_rows(share.next())
        if not share:
            self.backlogs.done(share.lifts_at)

    def finish_share(self) -> None:
        """Judge the other pieces of a share that was begun."""
        while self.state.share:
            self.judge_piece()

    def judge_rows(self, batch: Batch, completed: Callable[[Finding], Finding] = lambda one: one) -> None:
        """Judge rows in order, unless judging them is what failed; collect the findings as `completed` returns them."""
        if self.read_to in self._quarantine.skips_rows_after:
            return
        self._counts["rows"] += len(batch)
        self.in_rows = True
        found = self.state.step(batch)
        self.found([completed(one) for one in found], time.time_ns())
        self.in_rows = False
        if failed := self.state.aside.failed:
            self._counts["lifts_failed"] += len(failed)
            names = ", ".join(self.state.fleet.lift_ids[lift] for lift in [*failed][:NAMED])
            log.error(LEFT_OUT, len(failed), names, exc_info=next(iter(failed.values()))[1])

    def found(self, findings: Sequence[Finding], now_ns: int) -> None:
        """Collect findings, noticed at `now_ns`, for the next commit."""
        judged = (finding for finding in findings if finding.rule in self._rules)
        self._committing.found([self.state.occurrence(one, self._rules[one.rule], now_ns) for one in judged])

    def _in_order(self, group: Group) -> Batch:
        """Return the rows to judge after the messages of a group that do not wait."""
        state, (decoded, lift) = self.state, group.judged()
        batch, counts = state.sequencer.step_leaving_out(decoded, lift)
        self._counts.update(counts)
        if failed := state.sequencer.failed:
            self._refuse_left_out(group, failed)
        self.found(state.step_arrivals(decoded, lift, *group.others), time.time_ns())
        return batch

    def _refuse_left_out(self, group: Group, failed: Mapping[int, Exception]) -> None:
        """Refuse the messages of a group that could not be put in order: `failed` has their errors, by their rows."""
        self._counts["order_failed"] += len(failed)
        log.error(NOT_ORDERED, len(failed), exc_info=next(iter(failed.values())))
        (decoded, _), refusals = group.judged(), list[Refusal]()
        for row, error in failed.items():
            reason = {int(decoded.messages.position[row]): f"{type(error).__name__}: {error}"}
            refusals += unjudgeable(group.entries, reason, decoded.messages.lift_id[row])
        self._committing.refused(attributed(refusals, self.state.senders))

    def _refuse_failed(self, group: Group, left_out: Bools, entries: Sequence[Entry]) -> None:
        """Refuse the messages of a group that hold the rows at which judging has failed, so that they can be found."""
        lift_ids, messages = self.state.fleet.lift_ids, group.decoded.messages
        for lift, (t_ns, error) in self.state.aside.failed.items():
            holds = ~left_out & (group.lift == lift) & (messages.t_ns <= t_ns) & (t_ns <= messages.t_end_ns)
            positions = frozenset(messages.position[holds].tolist())
            refusals = unjudgeable(entries, dict.fromkeys(positions, str(error)), lift_ids[lift])
            self._committing.refused(attributed(refusals, self.state.senders))

    def _raise_presses(self, group: Group) -> None:
        """Raise the presses of the alarm button in the messages that wait.

        The snapshot is committed with them, so that a restart does not raise them again.
        """
        presses = self.state.sequencer.raise_presses(group.decoded, group.waiting)
        if len(presses):
            if not self.state.share.lifts.isdisjoint(presses.lift.tolist()):
                self.finish_share()
            self.judge_rows(presses, lambda press: self._positions.added(press, group.decoded, group.waiting))
            self._committing.bind_snapshot()
        self._positions.note(group.decoded, group.waiting, self.backlogs.behind(len(self.state.fleet)))
