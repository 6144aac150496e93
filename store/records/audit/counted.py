"""Acts that happen often, readings of series and refused requests, counted so that the audit log stays small. Pure.

    10:05  first reading of an actor and a lift in this hour    a row with count 1, at the next `due`
    10:06 … 10:59  217 more                                     counted
    11:00  the hour is over                                     a row with count 217

So an actor, an action and a subject have at most two rows an hour, and a process that is killed loses counts only.
Beyond `KEY_LIMIT` keys at a time, acts are counted under `OTHERS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from registry.actor import Actor
from store.records.audit.writing import AuditSubject, CountedAct, CountedRow
from telemetry.instant import rfc3339

HOUR_NS = 3600 * 1_000_000_000
KEY_LIMIT = 10_000
VALUES_LIMIT = 20
OTHERS = "others"


@dataclass(slots=True)
class _Tally:
    hour: int
    is_written: bool = False
    count: int = 0
    first_ns: int = 0
    last_ns: int = 0
    values: set[str] = field(default_factory=set)
    begin_ns: int | None = None
    end_ns: int | None = None


class ActCounts:
    """The counts of one process, which a caller protects from other threads."""

    def __init__(self) -> None:
        self._tallies: dict[CountedAct, _Tally] = {}

    def count(self, act: CountedAct, now_ns: int, value: str, span_ns: tuple[int, int] | None = None) -> None:
        """Count an act that concerned a `value`, and readings of a span of time."""
        if act not in self._tallies and len(self._tallies) >= KEY_LIMIT:
            act = CountedAct(Actor.named(OTHERS), act.action, OTHERS, None, act.outcome)
        tally = self._tallies.setdefault(act, _Tally(now_ns // HOUR_NS))
        if tally.count == 0:
            tally.first_ns = now_ns
        tally.count, tally.last_ns = tally.count + 1, now_ns
        if len(tally.values) < VALUES_LIMIT:
            tally.values.add(value)
        if span_ns is not None:
            begin_ns, end_ns = span_ns
            tally.begin_ns = begin_ns if tally.begin_ns is None else min(begin_ns, tally.begin_ns)
            tally.end_ns = end_ns if tally.end_ns is None else max(end_ns, tally.end_ns)

    def due(self, now_ns: int, everything: bool = False) -> list[CountedRow]:
        """Return the rows to write now: new acts, and the counts of hours that are over; they stay until `written`."""
        return list(self._due(now_ns, everything))

    def _due(self, now_ns: int, everything: bool) -> Iterator[CountedRow]:
        for act, tally in list(self._tallies.items()):
            is_over = tally.hour != now_ns // HOUR_NS
            if tally.count and (is_over or everything or not tally.is_written):
                subject = AuditSubject(act.subject, _detail(tally), lift_id=act.lift_id)
                yield CountedRow(act, tally.last_ns, tally.count, subject)
            elif is_over:
                del self._tallies[act]

    def written(self, rows: list[CountedRow]) -> None:
        """Forget counts that were written; acts that came in meanwhile stay counted."""
        for row in rows:
            before = self._tallies[row.act]
            rest = _Tally(before.hour, True, before.count - row.count, row.at_ns, before.last_ns)
            if rest.count:
                rest.values, rest.begin_ns, rest.end_ns = before.values, before.begin_ns, before.end_ns
            self._tallies[row.act] = rest


def _detail(tally: _Tally) -> dict[str, object]:
    detail = {"count": tally.count, "first": rfc3339(tally.first_ns), "last": rfc3339(tally.last_ns)}
    span = {"from": tally.begin_ns, "to": tally.end_ns}
    return {**detail, "what": sorted(tally.values), **{name: rfc3339(t) for name, t in span.items() if t is not None}}
