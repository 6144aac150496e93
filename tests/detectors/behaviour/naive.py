"""Behaviour of one lift by plain loops over whole lists, which see an episode's end before they judge it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace as Row

import numpy as np

from detectors.observe.features import FeatureTable
from detectors.observe.row_table import RowTable

Found = tuple[str, int, int, int, tuple[float, ...]]
"""The kind, the instant at which it is known, begin, end, and the evidence after the duration."""
S = 1_000_000_000


def behaviour(rows: RowTable, features: FeatureTable, lift: int, parks_open: bool = False) -> list[Found]:
    """Return every observation of a lift."""
    names = ("t_ns", "gap_ns", "door", "presence", "curtain", "mode", "alarm", "still_s", "still_since_ns", "trips")
    at = np.flatnonzero((rows.lift == lift) & ~rows.stale)
    columns = {name: getattr(rows, name)[at].tolist() for name in (*names, "landing")}
    own = [Row(**dict(zip(columns, values, strict=True))) for values in zip(*columns.values(), strict=True)]
    for row in own:
        row.serves = row.mode == 0 or np.isnan(row.mode)
    of_lift = np.flatnonzero((features.lift == lift) & ~features.of_machine)
    names = ("t_ns", "start_ns", "end_ns", "speed_mps", "sway_rms")
    blocks = [Row(**{name: getattr(features, name)[k] for name in names}) for k in of_lift]
    each = (_door_blocking(own, parks_open), _jumping(own, blocks), _empty_running(own), _overload(own), _visits(own))
    return sorted(one for found in each for one in found)


def _landing(row: Row) -> float:
    return float(row.landing) if row.landing >= 0 else np.nan


def _door_blocking(rows: list[Row], parks_open: bool) -> Iterator[Found]:
    k = 0
    while k < len(rows):
        first = k
        k += 1
        if not (rows[first].serves and rows[first].door > 0):
            continue
        while k < len(rows) and not (rows[k].door == 0 or not rows[k].serves):
            k += 1
        if k == len(rows):
            return
        spell, before = rows[first:k], rows[first - 1] if first else Row(door=np.nan, curtain=np.nan)
        reversals = sum(a.door == 3 and b.door in (1, 2) for a, b in pairwise([before, *spell]))
        cuts, counts = list[int](), False
        for a, b in pairwise([before, *spell]):
            if counts and b.t_ns - a.t_ns <= b.gap_ns:
                cuts[-1] += b.t_ns - a.t_ns
            if a.curtain == 0 and b.curtain == 1:
                cuts.append(0)
            counts = b.curtain == 1 and (counts or a.curtain == 0)
        begin, end = spell[0].t_ns, rows[k].t_ns
        is_often = len(cuts) >= 8 and end - begin >= 60 * S and not parks_open
        if reversals >= 3 or max(cuts, default=0) >= 20 * S or is_often:
            yield "door-blocking", end, begin, end, (sum(cuts) / 1e9, float(reversals), _landing(spell[0]))


def _jumping(rows: list[Row], blocks: list[Row]) -> Iterator[Found]:
    shaken = []
    for a, b in pairwise(blocks):
        before_a = [row for row in rows if row.t_ns < a.t_ns]
        before_b = [row for row in rows if row.t_ns < b.t_ns]
        person = before_a[-1].presence if before_a else np.nan
        serves = before_b[-1].serves if before_b else True
        follows = 0 <= b.start_ns - a.end_ns < a.end_ns - a.start_ns
        shut = all(before and before[-1].door == 0 for before in (before_a, before_b))
        steady = shut and abs(b.speed_mps - a.speed_mps) <= 0.1
        if follows and steady and serves and person == 1 and a.sway_rms >= 0.2:
            shaken.append((b.t_ns, a))
    k = 0
    while k < len(shaken):
        spell = [shaken[k][1]]
        over = next((row for row in rows if _ends(row, shaken, k, spell)), None)
        k += len(spell)
        if over is None:
            return
        if len(spell) >= 3:
            values = (sum(one.end_ns - one.start_ns for one in spell) / 1e9, max(one.sway_rms for one in spell))
            yield "jumping", over.t_ns, spell[0].start_ns, spell[-1].end_ns, values


def _ends(row: Row, shaken: list[tuple[int, Row]], k: int, spell: list[Row]) -> bool:
    """Return whether no block shakes the car any more at a row; add those that were taken in before the row."""
    if row.t_ns < shaken[k][0]:
        return False
    while k + len(spell) < len(shaken) and shaken[k + len(spell)][0] <= row.t_ns:
        spell.append(shaken[k + len(spell)][1])
    return row.t_ns - spell[-1].end_ns > 8 * S


def _empty_running(rows: list[Row]) -> Iterator[Found]:
    changed, seen, made = None, np.nan, 0
    unseen, spell, trips = False, list[tuple[int, bool]](), 0
    before = Row(t_ns=-(2**62), runs=False)
    for row in rows:
        row.runs = row.serves and row.presence == 0 and row.still_s == 0
        if spell and (row.presence == 1 or not row.serves or row.t_ns - spell[-1][0] > 180 * S):
            run_ns = sum(t - spell[k - 1][0] for k, (t, follows) in enumerate(spell) if follows)
            works = changed is not None and made - changed - trips <= 50
            if works and (trips >= 5 or run_ns >= 300 * S):
                yield "empty-running", row.t_ns, spell[0][0], spell[-1][0], (float(trips), run_ns / 1e9)
            spell, trips = [], 0
        if np.isnan(row.presence):
            unseen = True
        else:
            if not np.isnan(seen) and seen != row.presence:
                changed = row.trips
            seen = row.presence
        if row.runs:
            spell.append((row.t_ns, bool(spell) and before.runs and row.t_ns - before.t_ns <= row.gap_ns))
        if row.trips != made:
            trips += bool(spell) and not unseen
            made, unseen = row.trips, bool(np.isnan(row.presence))
        before = row


def _overload(rows: list[Row]) -> Iterator[Found]:
    for first, row in enumerate(rows):
        if row.mode == 7 and (first == 0 or rows[first - 1].mode != 7):
            after = next((each for each in rows[first:] if each.mode != 7), None)
            if after is not None and not np.isnan(after.mode):
                yield "overload", after.t_ns, row.t_ns, after.t_ns, (_landing(row),)


def _visits(rows: list[Row]) -> Iterator[Found]:
    """Only visits shorter than a day."""
    mode = None
    for row in rows:  # the mode as last known
        mode = row.mode if not np.isnan(row.mode) else mode
        row.inspects = mode == 1
    k = 0
    while k < len(rows):
        if rows[k].mode != 1:
            k += 1
            continue
        first, left = k, None
        while k < len(rows):
            if rows[k].inspects:
                left = None
            elif left is None:
                left = rows[k].t_ns
            if left is not None and rows[k].t_ns - left >= 900 * S:
                break
            k += 1
        if k == len(rows):
            return
        yield from _visit(rows, first, k)
        k += 1


def _visit(rows: list[Row], first: int, last: int) -> Iterator[Found]:
    inspected = in_inspection = tests = cycles = presses = lower = 0
    left = end = rows[first].t_ns
    shut = opened = False
    for k in range(first, last + 1):
        row, before = rows[k], rows[k - 1] if k else Row(t_ns=-(2**62), trips=0, alarm=np.nan, inspects=False)
        if row.mode == 1:
            if k > first and before.inspects and row.t_ns - before.t_ns <= row.gap_ns:
                inspected += row.t_ns - before.t_ns
            lower |= 1 << row.landing if row.still_s > 0 and row.landing >= 0 else 0
            cycles += row.door == 0 and shut and opened
            shut, opened = shut or row.door == 0, row.door > 0 or (opened and row.door != 0)
            presses += row.alarm == 1 and before.alarm == 0
        elif before.inspects and not row.inspects:
            left = end = row.t_ns
        if row.trips != before.trips:
            if row.inspects:
                in_inspection += 1
            elif row.still_since_ns - left <= 120 * S:
                tests, end = tests + 1, row.still_since_ns
    if end - rows[first].t_ns >= 60 * S or in_inspection + cycles + presses:
        values = (inspected / 1e9, float(in_inspection), float(tests), float(cycles), float(presses), float(lower), 0.0)
        yield "maintenance-visit", rows[last].t_ns, rows[first].t_ns, end, values
