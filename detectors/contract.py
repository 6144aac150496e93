"""The contract of every rule over readings, as checks that run over streams of the tests or of `liftwatch rules check`.

A check raises `BrokenContract` with the reason. Cutting the stream, the order of the lifts, rows without readings and a
restart from a snapshot change no score and no finding; inputs are not modified; unknown is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.checking import check as check_scores
from detectors.judge import Judge
from detectors.observe import tables
from detectors.rule import Finding, Rule
from registry.facts import FleetFacts
from telemetry.arrays import I64, Bools, Memory
from telemetry.batch import CHANNELS, Batch, Waveforms
from telemetry.groups import blocks
from telemetry.order.sequence import VIBRATIONS

ScoresByRow = dict[tuple[int, int], tuple[float, ...]]
PIECES = 40


class BrokenContract(Exception):
    """A rule does not keep what every rule keeps; the text names the difference."""


def scores_ignore_cuts(rule: Rule, whole: Batch, facts: FleetFacts) -> None:
    """Scores do not depend on how the stream is cut."""
    _expect(
        scores(rule, [whole], facts) == scores(rule, cuts(whole, 5, PIECES), facts),
        "another cut of the stream into batches changes scores: the detector combines rows of one batch",
    )


def findings_ignore_cuts(rule: Rule, whole: Batch, facts: FleetFacts) -> None:
    """Findings, and the state after them, do not depend on how the stream is cut."""
    one, many = Judge([rule], len(facts)), Judge([rule], len(facts))
    together = one.step(whole, facts)
    apart = [finding for part in cuts(whole, 6, PIECES) for finding in many.step(part, facts)]
    _expect(repr(by_lift(apart)) == repr(by_lift(together)), "another cut of the stream changes findings")
    expect_same_records(one.snapshot(), many.snapshot())


def lifts_are_apart(rule: Rule, whole: Batch, facts: FleetFacts) -> None:
    """Scores of a lift do not depend on the other lifts, nor on their order."""
    n = len(facts)
    order = np.roll(np.arange(n)[::-1], 1)
    straight = scores(rule, [whole], facts)
    turned = scores(rule, [reordered(whole, order)], reordered_facts(facts, order))
    back = {(int(order[lift]), t_ns): row for (lift, t_ns), row in turned.items()}
    _expect(back == straight, "another order of the lifts changes scores: the detector mixes lifts")


def an_empty_batch_is_nothing(rule: Rule, whole: Batch, facts: FleetFacts) -> None:
    """A batch without rows gives no score, and changes no state."""
    memory, seen = tables.step(tables.start(len(facts)), whole, facts)
    state, _ = rule.detector.step(rule.detector.start(len(facts)), getattr(seen, rule.table), facts)
    _, nothing = tables.step(memory, rows_of(whole, np.zeros(len(whole), dtype=np.bool_)), facts)
    after, given = rule.detector.step(state, getattr(nothing, rule.table), facts)
    _expect(all(len(score.on) == len(score.off) == 0 for score in given), "an empty batch has scores")
    expect_same_records({"detector": state}, {"detector": after})


def inputs_stay(rule: Rule, whole: Batch, facts: FleetFacts) -> None:
    """The table, its facts and the state before are not modified."""
    _, seen = tables.step(tables.start(len(facts)), whole, facts)
    state, table = rule.detector.start(len(facts)), getattr(seen, rule.table)
    columns = [column for column in (*table, state, facts.rated_speed_mps, facts.landings_m) if _is_array(column)]
    before = [column.tobytes() for column in columns]
    rule.detector.step(state, table, facts)
    _expect([column.tobytes() for column in columns] == before, "the detector modifies its inputs")


def scores_fit(rule: Rule, whole: Batch, facts: FleetFacts) -> None:
    """There is one score for each level, with columns as long as the table."""
    _, seen = tables.step(tables.start(len(facts)), whole, facts)
    table = getattr(seen, rule.table)
    _, given = rule.detector.step(rule.detector.start(len(facts)), table, facts)
    check_scores(given, rule.levels, len(table))


def silence_is_unknown(rule: Rule, whole: Batch, facts: FleetFacts) -> None:
    """A lift whose rows read nothing has unknown scores."""
    nothing: dict[str, Any] = {name: np.full(len(whole), np.nan) for name in CHANNELS}
    silent = Batch(lift=whole.lift, t_ns=whole.t_ns, **nothing)
    _, seen = tables.step(tables.start(len(facts)), silent, facts)
    _, given = rule.detector.step(rule.detector.start(len(facts)), getattr(seen, rule.table), facts)
    _expect(
        all(np.isnan(score.on).all() for score in given),
        "a lift that reads nothing has a score: unknown must stay NaN (IS NULL holds for it)",
    )


def rows_without_readings_are_nothing(rule: Rule, whole: Batch, facts: FleetFacts) -> None:
    """Rows between the others that read nothing change no finding."""
    expected = _edges(Judge([rule], len(facts)).step(whole, facts))
    found = _edges(Judge([rule], len(facts)).step(with_bare_rows(whole), facts))
    _expect(found == expected, "rows that read nothing change findings: a reading counts twice")


def a_restart_is_nothing(rule: Rule, whole: Batch, facts: FleetFacts) -> None:
    """A judge that is restored from a snapshot after each batch finds the same."""
    steady, restarted = Judge([rule], len(facts)), Judge([rule], len(facts))
    for part in cuts(whole, 8, 25):
        fresh = Judge([rule], len(facts))
        fresh.restore(restarted.snapshot())
        restarted = fresh
        same = repr(restarted.step(part, facts)) == repr(steady.step(part, facts))
        _expect(same, "a restart from a snapshot changes findings: the detector keeps state outside its records")


CHECKS: tuple[Callable[[Rule, Batch, FleetFacts], None], ...] = (
    scores_fit,
    scores_ignore_cuts,
    findings_ignore_cuts,
    lifts_are_apart,
    an_empty_batch_is_nothing,
    inputs_stay,
    silence_is_unknown,
    rows_without_readings_are_nothing,
    a_restart_is_nothing,
)


def scores(rule: Rule, batches: Sequence[Batch], facts: FleetFacts) -> ScoresByRow:
    """Return every number that the detector gives, by lift and instant; unknown numbers are equal to each other."""
    state, memory = rule.detector.start(len(facts)), tables.start(len(facts))
    out: ScoresByRow = {}
    for part in batches:
        memory, seen = tables.step(memory, part, facts)
        now = getattr(seen, rule.table)
        state, given = rule.detector.step(state, now, facts)
        columns: list[NDArray[Any]] = [c for score in given for c in (score.on, score.off, *score.evidence.values())]
        columns += [score.since_ns for score in given if score.since_ns is not None]
        numbers = [np.nan_to_num(column.astype(np.float64), nan=-1e9).tolist() for column in columns]
        out |= zip(zip(now.lift.tolist(), now.t_ns.tolist(), strict=True), zip(*numbers, strict=True), strict=True)
    return out


def by_lift(findings: Sequence[Finding]) -> dict[int, list[Finding]]:
    """Return the findings of each lift."""
    return {lift: [f for f in findings if f.lift == lift] for lift in sorted({f.lift for f in findings})}


def rows_of(whole: Batch, keep: Bools) -> Batch:
    """Return the rows of a batch where `keep` holds, without vibration."""
    return Batch(**{name: getattr(whole, name)[keep] for name in ("lift", "t_ns", *CHANNELS)})


def cuts(whole: Batch, seed: int, pieces: int) -> list[Batch]:
    """Cut a batch into pieces, each lift at instants of its own."""
    rng = np.random.Generator(np.random.PCG64(seed))
    piece = np.zeros(len(whole), dtype=np.int64)
    for lift in np.unique(whole.lift):
        mine = np.flatnonzero(whole.lift == lift)
        piece[mine] = np.sort(rng.integers(pieces, size=len(mine)))
    parts = [rows_of(whole, piece == k) for k in range(pieces)]
    for name in VIBRATIONS:
        waves: Waveforms | None = getattr(whole, name)
        if waves is not None:
            into = np.array([_piece_of(whole, piece, i, t) for i, t in zip(waves.message, waves.t_ns, strict=True)])
            given = [{name: blocks(waves, into == k)} for k in range(pieces)]
            parts = [replace(part, **mine) for part, mine in zip(parts, given, strict=True)]  # type: ignore[arg-type]
    return parts


def _piece_of(whole: Batch, piece: I64, lift: int, t_ns: int) -> int:
    """Return the piece that a block of vibration comes in: that of the first row from its beginning on."""
    later = piece[(whole.lift == lift) & (whole.t_ns >= t_ns)]
    return int(later[0]) if len(later) else int(piece.max())


def reordered(whole: Batch, order: I64) -> Batch:
    """Return a batch in which the lift `order[i]` has the index i."""
    place = np.argsort(order).astype(np.int32)
    lift = place[whole.lift]
    at = np.lexsort((whole.t_ns, lift))
    turned = {name: getattr(whole, name)[at] for name in ("t_ns", *CHANNELS)}
    waves: dict[str, Any] = {}
    for name in VIBRATIONS:
        if (sent := getattr(whole, name)) is not None:
            moved = replace(sent, message=place[sent.message])
            waves[name] = blocks(moved, np.lexsort((moved.t_ns, moved.message)))
    return Batch(lift=lift[at], **turned, **waves)


def reordered_facts(facts: FleetFacts, order: I64) -> FleetFacts:
    """Return facts in which the lift `order[i]` has the index i."""
    lacking = {need: column[order] for need, column in facts.lacking.items()}
    names = ("rated_speed_mps", "door_zone_m", "landings_m", "top_m", "parks_door_open", "barometer")
    return replace(facts, **{name: getattr(facts, name)[order] for name in names}, lacking=lacking)


def with_bare_rows(whole: Batch) -> Batch:
    """Return a batch with a row that reads nothing between any two rows of a lift that are not far apart."""
    t_ns = whole.t_ns
    near = (np.diff(whole.lift) == 0) & (np.diff(t_ns) > 1) & (np.diff(t_ns) <= 1_000_000_000)
    here = np.flatnonzero(near)
    lift = np.concatenate([whole.lift, whole.lift[here]])
    all_ns = np.concatenate([t_ns, (t_ns[here] + t_ns[here + 1]) // 2])
    at = np.lexsort((all_ns, lift))
    nothing = np.full(len(here), np.nan)
    channels: dict[str, Any] = {name: np.concatenate([getattr(whole, name), nothing])[at] for name in CHANNELS}
    return replace(whole, lift=lift[at], t_ns=all_ns[at], **channels)


def _edges(findings: Sequence[Finding]) -> list[tuple[int, str, int, int]]:
    return sorted((f.lift, f.kind, f.severity, f.onset_ns) for f in findings)


def _is_array(column: Any) -> bool:
    return isinstance(column, np.ndarray)


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BrokenContract(otherwise)


def expect_same_records(kept: Mapping[str, Memory], other: Mapping[str, Memory]) -> None:
    """Compare records field by field: unknown numbers are equal."""
    for name in kept:
        for field in kept[name].dtype.names or ():
            column = kept[name][field]
            same = np.array_equal(column, other[name][field], equal_nan=column.dtype.kind == "f")
            _expect(same, f"the state {name}, {field}, differs")
