"""The state of judging between two messages: the fleet, the sequencer, and the state of the rules.

It is packed and unpacked whole, with the journal's position that it belongs to, so that no part is ahead of another.
"""

from __future__ import annotations

import io
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.alert import Alert
from alerts.book import Occurrence
from detectors.judge import Judge
from detectors.latest import latest
from detectors.observe.arrivals import MessageArrivals
from detectors.observe.rides.table import RideTable
from detectors.rule import Finding, Rule
from detectors.rules.silence import link
from ingest import heard
from ingest.failing.lifts_aside import LiftsAside
from ingest.fleet import Fleet, GaveWay, IndexedMessages, Replacement
from ingest.places import Places
from ingest.senders import Senders
from ingest.waiting.measured import MeasuredWaiting, behaviour_values
from ingest.waiting.share import Share
from registry.catalogue import SEVERITIES
from registry.facts import LiftFacts
from registry.maintenance import NO_WINDOWS, MaintenanceWindows
from store.live import LiveTable
from store.records.repository import WindowRecord
from telemetry.arrays import Memory
from telemetry.batch import Batch, Decoded, Messages
from telemetry.order.sequence import Sequencer
from telemetry.streams import NEVER_SEEN, OFFLINE

log = logging.getLogger("liftwatch.judge")

NOTHING: Mapping[str, Mapping[int, float]] = MappingProxyType({})
OnBroken = Callable[[str, Exception], None]
"""The callback for a rule that fails: it receives the slug and the exception."""


class State:
    """The fleet and all state over it, with one entry for each lift."""

    def __init__(self, rules: Sequence[Rule], on_broken: OnBroken | None = None, set_aside: Iterable[str] = ()) -> None:
        self.fleet = Fleet()
        self.senders = Senders()
        self.sequencer = Sequencer()
        self.judge = Judge(rules, 0, on_broken, set_aside)
        self.aside = LiftsAside()
        self.rides, self.behaviour = MeasuredWaiting("trip", "feature"), MeasuredWaiting("behaviour")
        self.judge.on_rides, self.judge.on_behaviour = self._note_rides, self._note_behaviour
        self.windows = NO_WINDOWS
        self.keep_ns = math.inf
        self.share = Share()
        self._windows: dict[int, WindowRecord] = {}

    def _note_rides(self, found: RideTable) -> None:
        places = (self.fleet.lift_ids, self.fleet.districts)
        self.rides.add(found.lift, found.start_ns, found.values, *places)

    def _note_behaviour(self, observed: Memory) -> None:
        places = (self.fleet.lift_ids, self.fleet.districts)
        self.behaviour.add(observed["lift"], observed["start_ns"], behaviour_values(observed), *places)

    def grow(self) -> None:
        """Make room for every lift of the fleet."""
        n = len(self.fleet)
        self.judge.grow(n)
        self.sequencer.grow(n)

    def load(
        self,
        changed: Sequence[tuple[LiftFacts, bool]],
        deleted: Iterable[str] = (),
        windows: Iterable[WindowRecord] = (),
    ) -> None:
        """Apply changes of the registry; the silence of a deleted lift is not judged."""
        self.fleet.load(changed, deleted)
        self.grow()
        if fresh := {window.id: window for window in windows}:
            self._windows |= fresh
            indexed = [(self.fleet.index_of(each.lift_id), each) for each in self._windows.values()]
            columns = [(index, each.from_ns, each.until_ns) for index, each in indexed if index is not None]
            lift, from_ns, until_ns = np.array(columns, dtype=np.int64).reshape(-1, 3).T
            self.windows = MaintenanceWindows(lift.astype(np.int32), from_ns, until_ns)
        unlisted = np.ones(len(self.fleet), dtype=np.bool_)
        unlisted[self.fleet.listed()] = False
        self.judge.forget_arrivals(unlisted)

    def index(self, messages: Messages, foreign: NDArray[np.bool_], gateway_at: Mapping[int, str]) -> IndexedMessages:
        """Return the index of each message's lift. `foreign` marks messages of unauthorised senders.

        The caller passes each lift in `gave_way` of the result to `forget`.
        """

        def places() -> Places:
            now_ns = int(messages.arrived_ns.max(initial=0))
            seen_ns = np.full(len(self.fleet), now_ns)  # the default is for lifts that this group lists
            seen_ns[: self.judge.n] = self.judge.states["arrivals"]["seen_ns"]
            return Places(self.fleet.unregistered(seen_ns), messages.lift_id, now_ns)

        indexed = self.fleet.index(messages, foreign, gateway_at, Replacement(places, self._is_idle))
        self.grow()
        return indexed

    def _is_idle(self, lift: int) -> bool:
        """Return whether an index can become another lift's: no row is held or still to be judged, and no maintenance
        window is its own."""
        lift_id, holds = self.fleet.lift_ids[lift], not self.sequencer.is_idle(lift) or lift in self.share.lifts
        return not holds and all(each.lift_id != lift_id for each in self._windows.values())

    def forget(self, gone: GaveWay, at_ns: int) -> list[Occurrence]:
        """Reset the state of a lift that lost its place; return the end of its open findings."""
        if self.sequencer.is_idle(gone.lift):
            self.sequencer.forget(gone.lift)
        self.aside.forget(gone.lift)
        ended = self.judge.forget(gone.lift, at_ns)
        rules = {rule.slug: rule for rule in self.judge.rules}
        return [Occurrence(gone.lift_id, gone.district, each, rules[each.rule], at_ns) for each in ended]

    def remembers(self, lift_ids: Iterable[str]) -> bool:
        """Return whether a message of any of these lifts ever came."""
        places = [index for index in map(self.fleet.index_of, lift_ids) if index is not None]
        return bool(self.remembered()[places].any())

    def remembered(self) -> NDArray[np.bool_]:
        """Return of which lifts a message ever came, also a refused one."""
        return (self.sequencer.counts()["received"] > 0) | (self.judge.states["arrivals"]["seen_ns"] != 0)

    def step(self, batch: Batch) -> list[Finding]:
        """Return what the rules find in rows in order; `aside.failed` holds the lifts at which that failed."""
        return self.aside.step(
            batch, lambda part: self.judge.step(part, self.fleet.facts, self.windows), time.monotonic()
        )

    def step_arrivals(self, decoded: Decoded, lift: NDArray[np.int32], *others: MessageArrivals) -> list[Finding]:
        """Return what the rules over arrivals find at the messages of these lifts, which were sequenced last, and at
        others."""
        facts = self.fleet.facts
        unjudged = self.aside.unjudged(len(facts), time.monotonic())
        arrived = heard.taken(decoded, lift, facts, self.sequencer, self.keep_ns, unjudged)
        if others:
            arrived = heard.joined(arrived, *others)
        return self.judge.step_arrivals(arrived, facts, self.windows)

    def give_up(self, lift: int, arrived_ns: int) -> list[Finding]:
        """Return what the rules over arrivals find as the waiting messages of a lift, the last of which arrived at
        `arrived_ns`, are given up."""
        return self.judge.step_arrivals(heard.given_up(lift, arrived_ns), self.fleet.facts, self.windows)

    def occurrence(self, finding: Finding, rule: Rule, noticed_ns: int) -> Occurrence:
        """Return a finding with its lift's id and district."""
        fleet, i = self.fleet, finding.lift
        return Occurrence(fleet.lift_ids[i], fleet.districts[i], finding, rule, noticed_ns)

    def tick(self, now_ns: int, listening_since_ns: int = 0) -> list[Finding]:
        """Return what the rules over arrivals find at `now_ns`, when every message up to then has been stepped."""
        return self.judge.tick(now_ns, listening_since_ns, self.fleet.facts, self.windows)

    def resume_arrivals(self, open_alerts: Iterable[Alert]) -> None:
        """Take over which alerts of the rules over arrivals are open."""
        firing = [
            (alert.rule, SEVERITIES.index(severity), index, alert.onset_ns)
            for alert in open_alerts
            if (index := self.fleet.index_of(alert.lift_id)) is not None
            for severity in alert.levels
        ]
        self.judge.resume_arrivals(firing)

    def pack(self) -> bytes:
        """Return all of it as bytes: the order of the lifts, the sequence of messages, the rules."""
        return bytes(self.frozen()())

    def frozen(self) -> Callable[[], memoryview]:
        """Copy all of it, and return a function that packs the copy, which another thread may call once.

        Nothing is remembered of a lift of which no message came.
        """
        fleet, kept = self.fleet, np.flatnonzero(self.remembered())
        parts: dict[str, Any] = {
            "lifts": np.array([fleet.lift_ids[i] for i in kept.tolist()], dtype=np.str_),
            "crowds": np.array([fleet.crowds[i] for i in kept.tolist()], dtype=np.str_),
        }
        parts |= {f"judge/{name}": column for name, column in self.judge.snapshot(kept).items()}
        parts |= {f"sequence/{name}": column for name, column in self.sequencer.snapshot(kept).items()}
        parts |= {f"rides/{name}": column for name, column in self.rides.pack().items()}
        parts |= {f"behaviour/{name}": column for name, column in self.behaviour.pack().items()}
        parts["aside"] = self.aside.pack(kept, time.monotonic())
        return lambda: _saved(parts)

    @classmethod
    def unpacked(
        cls,
        rules: Sequence[Rule],
        packed: bytes,
        on_broken: OnBroken | None = None,
        set_aside: Iterable[str] = (),
    ) -> State:
        """Return what `pack` packed; a new state where that cannot be read, as after an update of Liftwatch."""
        try:
            state = cls(rules, on_broken, set_aside)
            state._unpack(packed)
            return state
        except Exception:
            log.exception("the snapshot cannot be read: judging begins with nothing known of any lift")
            return cls(rules, on_broken, set_aside)

    def _unpack(self, packed: bytes) -> None:
        with np.load(io.BytesIO(packed), allow_pickle=False) as parts:
            self.fleet.lay_out(parts["lifts"].tolist(), parts["crowds"].tolist() if "crowds" in parts else ())
            self.grow()

            def part(prefix: str) -> dict[str, NDArray[Any]]:
                return {name.removeprefix(prefix): parts[name] for name in parts if name.startswith(prefix)}

            self.judge.restore(part("judge/"))
            self.sequencer.restore(part("sequence/"))
            self.rides.unpack(part("rides/"))
            self.behaviour.unpack(part("behaviour/"))
            if "aside" in parts:
                self.aside.unpack(parts["aside"], time.monotonic())

    def picture(self, reported: Mapping[str, Mapping[int, float]] = NOTHING) -> LiveTable:
        """Return the latest state of every listed lift, except lifts that never sent a message.

        `reported` has columns of lifts whose messages wait, as they reported them last.
        """
        listed = np.array(self.fleet.listed(), dtype=np.intp)
        listed = listed[(self.remembered() | (link(self.judge.states) != NEVER_SEEN))[listed]]
        counted = self.sequencer.counts()
        shown = ("received", "gaps", "repeats", "late", "steps")
        columns = latest(self.judge.states) | {name: counted[name] for name in shown}
        for name, by_lift in reported.items():
            columns[name][list(by_lift)] = list(by_lift.values())
        columns["gaps"] = np.where(self.sequencer.unnumbered(), -1, columns["gaps"])
        columns["link"] = link(self.judge.states)
        is_blind = (columns["blind_since_ns"] > 0) & (columns["link"] < OFFLINE)
        columns["blind"] = np.where(is_blind, heard.reasons(columns.pop("unjudged")), "")
        return LiveTable(
            lift_id=np.array([self.fleet.lift_ids[i] for i in listed], dtype=np.str_),
            district=np.array([self.fleet.districts[i] for i in listed], dtype=np.str_),
            **{name: column[listed] for name, column in columns.items()},
        )


def _saved(parts: dict[str, Any]) -> memoryview:
    """Return arrays in the format of `numpy.savez`, and free them: they are as large again as what is returned."""
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **parts)
    parts.clear()
    return out.getbuffer()
