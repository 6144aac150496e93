"""F29: the sheave turns further than the car comes, more than it used to."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import BY_SLUG
from detectors.judge import Judge
from detectors.rule import MAJOR
from telemetry.streams import CLOSED
from tests.detectors.world import GRID_S, Fault, Rows, Script, batch, facts_of, tower

LEARNED = 20
TRIP_M = 18.0


class SlippingRopes(Script):
    """A car whose speed is that of its sheave, which turns further by a share of the way."""

    def rows(self, *given: object, **feed: object) -> Rows:
        rows = super().rows(*given, **feed)  # type: ignore[arg-type]
        t_s = (rows["t_ns"] - rows["t_ns"][0]) / 1e9
        slip = np.interp(t_s, *self.slips, left=0.0)
        rows["v_mps"] = rows["v_mps"] * (1.0 + slip)
        return rows

    slips: tuple[list[float], list[float]] = ([0.0], [0.0])


def trips(shares: list[float]) -> SlippingRopes:
    """Return trips to and fro, the ropes slipping by these shares of the way."""
    script, times, slips = SlippingRopes(z_m=0.0), list[float](), list[float]()
    script.event(door=CLOSED).rest(4.0)
    for k, share in enumerate(shares):
        times += [script.now_s, script.now_s + GRID_S]
        script.ride(TRIP_M if k % 2 == 0 else 0.0).rest(3.0)
        slips += [slips[-1] if slips else share, share]
    script.slips = (times, slips)
    return script


USUAL = [0.0] * LEARNED
TRIP_S = (trips([0.0] * 3).now_s - 4.0) / 3


def fault() -> Fault:
    onset_s = 4.0 + LEARNED * TRIP_S
    script = trips([*USUAL, *[0.02] * 6, *[0.0] * 11])
    return Fault(script, onset_s=onset_s, within_s=5 * TRIP_S, severity=MAJOR, dt_s=(0.1,), clears=True)


def found(rows: Rows, **facts: object) -> list[tuple[str, int]]:
    judge = Judge([BY_SLUG["traction-slip"]], 1)
    return [(one.kind, one.severity) for one in judge.step(batch([rows]), facts_of([tower(**facts)]))]


@pytest.mark.parametrize("dt_s", [0.05, 0.1, 0.2])
def test_five_of_ten_trips_that_slip_by_two_percent_are_found(dt_s: float) -> None:
    assert found(trips([*USUAL, *[0.02] * 9]).rows(dt_s)) == [("on", MAJOR)]
    assert found(trips([*USUAL, *[0.02] * 4]).rows(dt_s)) == []


def test_a_usual_difference_of_the_sensors_is_learned() -> None:
    assert found(trips([0.02] * 32).rows()) == []


def test_a_speed_that_is_far_off_is_a_fault_of_a_sensor() -> None:
    assert found(trips([*USUAL, *[-0.3] * 8]).rows()) == []


def test_noise_is_no_slip() -> None:
    assert all(found(trips([0.0] * 32).rows(seed=seed, noise=2.0)) == [] for seed in range(5))


def test_a_barometer_or_a_position_alone_shows_no_slip() -> None:
    slipping = trips([*USUAL, *[0.02] * 8])
    assert found(slipping.rows(), position_source="barometer") == []
    assert found(slipping.rows(streams=("z_m",))) == []
