"""Holes in trip after trip raise no rule that compares the trips of weeks, or the blocks of a machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from telemetry.streams import CLOSED
from tests.detectors.healthy_vibration import felt
from tests.detectors.holes import Sent, bundles, found, singles
from tests.detectors.world import BEGIN_NS, Script, tower

LEARNED, HIT = 21, 10
"""Trips from which the usual vibration is learned, and the trips after them, each with a hole at the same place."""
TRIP_S, PLACES_S, LENGTHS_S = 30, range(26), (1, 2, 3, 5, 8)


def trips(count: int) -> Script:
    """Return trips to and fro, each of `TRIP_S` with its door."""
    script = Script(z_m=0.0).event(door=CLOSED, presence=0, curtain=0, mode=0, power=0).rest(float(TRIP_S))
    for k in range(count):
        begin_s = script.now_s
        script.ride(15.0 if k % 2 == 0 else 0.0, accel=1.0, jerk=1.4).rest(0.5).open_door(1.9).event(curtain=1)
        script.event(0.6, curtain=0).event(0.9, presence=(k + 1) % 2).rest(3.5).close_door(2.4)
        script.rest(begin_s + TRIP_S - script.now_s)
    return script


def in_each_trip(sent: Sent, place_s: float, length_s: float) -> NDArray[np.bool_]:
    """Return which messages are gone where a hole begins `place_s` after the departure on each of the last trips."""
    begins_s = TRIP_S * (1 + LEARNED + np.arange(HIT)) + place_s - 0.5
    return np.logical_or.reduce([sent.hole(begin_s, length_s) for begin_s in begins_s.tolist()])


def variants(sent: Sent) -> Iterator[Sent]:
    """Yield the lift with holes of each length at each place of its last trips."""
    before = sent.sent_ns < BEGIN_NS + round(TRIP_S * (1 + LEARNED) * 1e9) - 1_500_000_000
    begun = sent.keeping(before)
    for place_s in PLACES_S:
        for length_s in LENGTHS_S:
            yield replace(sent.keeping(~before & ~in_each_trip(sent, place_s, length_s)), begun=begun)


@pytest.mark.parametrize("form", [bundles, singles])
def test_a_hole_in_each_trip_is_no_change_of_its_ride(form: Callable[..., Sent]) -> None:
    script = trips(LEARNED + HIT)
    sent = form(script, vibration=felt(script))
    assert found(tower(), variants(sent)) == []
