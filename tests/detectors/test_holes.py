"""What happened while messages were missing is unknown: no rule opens from it, wherever it was and however long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from telemetry.streams import CLOSED, CLOSING
from tests.detectors.healthy_vibration import felt
from tests.detectors.holes import Sent, bundles, found, singles
from tests.detectors.world import BEGIN_NS, Script, healthy, tower

COARSE_S, FINE_S = 5.0, 2.0
LENGTHS_S = (1, 2, 3, 5, 8, 13, 20, 30, 45, 60)
PARKED_S = 150.0
"""Longer than any rule waits for something that does not happen."""
AWAKE_S = 25.0
"""After so much of it a parked car that numbers its messages reads its speed and position once a second."""
FORMS: dict[str, Callable[..., Sent]] = {
    "bundles": bundles,
    "a sample a second": partial(bundles, dt_s=1.0),
    "messages of single streams": singles,
    "single streams, a sample a second": partial(singles, dt_s=1.0),
    "no position": partial(bundles, streams=("speed",)),
    "no speed": partial(bundles, streams=("displacement",)),
    "bundles, without seq": lambda script, **_: bundles(script).unnumbered(),
    "single streams, without seq": lambda script, **_: singles(script).unnumbered(),
    "bundles with vibration": lambda script, **more: bundles(script, vibration=felt(script), **more),
    "single streams with vibration": lambda script, **more: singles(script, vibration=felt(script), **more),
}


def parking(form: str, script: Script) -> Sent:
    """Return what a lift sends that parks at the end."""
    return FORMS[form](script, seldom_from_s=script.now_s - PARKED_S + AWAKE_S)


LOSSES = [
    *((form, lost) for form in FORMS if not form.endswith("without seq") for lost in (0.02, 0.1, 0.3, 0.6)),
    *((form, lost) for form in FORMS if form.endswith("without seq") for lost in (0.02, 0.1, 0.3)),
]
"""Nothing shows that the report of an event in a message of its own is missing where messages have no `seq`."""


def commute() -> Script:
    """Rides with people, and with sensors that report the last person late; then the car parks shut."""
    script = Script(z_m=0.0).event(door=CLOSED, presence=0, curtain=0, mode=0, power=0).rest(4.0).open_door().rest(1.0)
    script.event(curtain=1).event(0.8, curtain=0).event(1.0, presence=1).rest(3.5).close_door().rest(0.5).ride(9.0)
    script.open_door(after_s=-0.5).rest(0.8).event(curtain=1).event(0.7, curtain=0).event(22.0, presence=0).rest(4.0)
    script.close_door().rest(40.0).ride(18.0).open_door(after_s=0.3).rest(0.5).event(presence=1, curtain=1)
    script.event(0.9, curtain=0).rest(2.0).event(door=CLOSING).rest(1.0).event(curtain=1).event(0.4, curtain=0)
    script.open_door(1.0).rest(2.0).close_door().rest(0.6).ride(12.0).open_door().rest(1.0).event(curtain=1)
    script.event(0.5, curtain=0).event(1.5, presence=0).event(2.5, presence=1).rest(6.0).close_door().rest(0.5).ride(
        0.0
    )
    script.open_door().rest(1.5).event(1.0, curtain=1).event(1.5, curtain=0).event(24.0, presence=0).rest(4.0)
    return script.close_door().rest(PARKED_S)


def errands() -> Script:
    """Stops at which an empty car parks shut, a door that is called open again and again, a person who waits."""
    script = Script(z_m=6.0).event(door=CLOSED, presence=0, curtain=0, mode=0, power=0).rest(3.0).ride(9.0).rest(20.0)
    script.ride(15.0).rest(25.0).ride(3.0).open_door(1.9, after_s=0.2)
    for _ in range(2):
        script.rest(3.0).close_door(2.4).rest(1.0).open_door(1.9)
    script.rest(30.0).event(curtain=1).event(0.6, curtain=0).event(1.0, presence=1).rest(3.0).close_door(2.4).rest(30.0)
    script.open_door(1.9).rest(3.0).close_door(2.4).rest(0.4).ride(21.0).open_door(1.9).rest(2.0)
    script.event(curtain=1).event(0.6, curtain=0).event(0.8, presence=0).rest(4.0).close_door(2.4).rest(15.0).ride(0.0)
    return script.open_door(1.9).rest(4.0).close_door(2.4).rest(PARKED_S)


def begins_s(sent: Sent, step_s: float) -> list[float]:
    """Return where holes begin, until the lift has parked."""
    ends_s = (sent.sent_ns[-1] - BEGIN_NS) / 1e9 - PARKED_S + 10.0
    return np.arange(0.5, ends_s, step_s).tolist()


Hole = tuple[float, float]
"""Where a hole begins, and how long it is, in seconds."""


def with_holes(sent: Sent, begins_s: Iterable[float], after: str) -> Iterator[tuple[Hole, Sent]]:
    """Yield the lift with a hole of each length at each place; what it sent before is `begun`."""
    for begin_s in begins_s:
        begun = sent.keeping(sent.sent_ns < BEGIN_NS + round(begin_s * 1e9))
        for length_s in LENGTHS_S:
            gone = sent.hole(begin_s, length_s)
            if not gone.any():
                continue
            first, one = int(np.flatnonzero(gone)[-1]) + 1, sent
            one = one.reporting_again(first) if "reported again" in after else one
            one = one.booted(first) if "restarted" in after else one
            yield (begin_s, length_s), replace(one.keeping(np.arange(len(gone)) >= first), begun=begun)


def opened(variants: Iterable[tuple[Hole, Sent]]) -> dict[str, list[tuple[Hole, float]]]:
    """Return where each rule opened: the hole, and when."""
    holes, out = list[Hole](), dict[str, list[tuple[Hole, float]]]()

    def numbered() -> Iterator[Sent]:
        for hole, one in variants:
            holes.append(hole)
            yield one

    for one in found(tower(), numbered()):
        if one.kind == "on":
            out.setdefault(one.rule, []).append((holes[one.lift], (one.at_ns - BEGIN_NS) / 1e9))
    return out


AFTERWARDS = ("", "reported again", "restarted", "restarted, reported again")
ONE_THING = [pytest.param(after, marks=pytest.mark.long) for after in AFTERWARDS[1:3]]


@pytest.mark.parametrize("after", [AFTERWARDS[0], *ONE_THING, AFTERWARDS[-1]])
@pytest.mark.parametrize("form", FORMS)
def test_a_hole_in_a_sound_lift_raises_nothing(form: str, after: str) -> None:
    for script in (commute(), errands()):
        sent = parking(form, script)
        assert opened(with_holes(sent, begins_s(sent, COARSE_S), after)) == {}


@pytest.mark.long
@pytest.mark.parametrize("after", AFTERWARDS)
@pytest.mark.parametrize("form", [form for form in FORMS if not form.endswith("vibration")])
def test_a_hole_anywhere_in_a_sound_lift_raises_nothing(form: str, after: str) -> None:
    """The places in between: those of `test_a_hole_in_a_sound_lift_raises_nothing` are left to it."""
    for script in (commute(), errands()):
        sent = parking(form, script)
        places_s = sorted({*begins_s(sent, FINE_S)} - {*begins_s(sent, COARSE_S)})
        assert opened(with_holes(sent, places_s, after)) == {}


@pytest.mark.parametrize(("form", "lost"), LOSSES)
def test_messages_lost_here_and_there_raise_nothing(form: str, lost: float) -> None:
    rng = np.random.default_rng(round(lost * 100))
    for script in (commute(), errands()):
        sent = parking(form, script)
        variants = (((float(k), lost), sent.keeping(rng.random(len(sent.t_ns)) >= lost)) for k in range(30))
        assert opened(variants) == {}


def stuck(off_level: bool, seconds: float, *, repeated: bool = False) -> Script:
    """A person is shut in a car that stands off level, or at a landing; the states of door and person may be `repeated`
    each second."""
    script = Script(z_m=3.0).event(door=CLOSED, presence=0, curtain=0, mode=0).rest(4.0).open_door()
    script.rest(1.0).event(curtain=1).event(0.7, curtain=0).event(1.0, presence=1).rest(3.0).close_door()
    script = script.ride(10.4) if off_level else script
    if not repeated:
        return script.rest(seconds)
    for _ in range(round(seconds)):
        script = script.rest(1.0).event(door=CLOSED, presence=1)
    return script


def first_s(rule: str, variants: list[Sent]) -> list[float]:
    """Return for each variant when the rule first opens, NaN where it does not."""
    out = np.full(len(variants), np.nan)
    for one in reversed(found(tower(), variants)):
        if (one.rule, one.kind) == (rule, "on"):
            out[one.lift] = (one.at_ns - BEGIN_NS) / 1e9
    return out.tolist()


@pytest.mark.parametrize(("off_level", "rule"), [(True, "entrapment-off-level"), (False, "entrapment-at-level")])
@pytest.mark.parametrize(
    "form", ["bundles", "messages of single streams", "bundles, without seq", "single streams, without seq"]
)
def test_a_hole_delays_an_entrapment_by_its_length(form: str, off_level: bool, rule: str) -> None:
    script = stuck(off_level, 200.0)
    sent = FORMS[form](script)
    (whole_s,) = first_s(rule, [sent])
    begins_in_s = [begin_s for begin_s in begins_s(sent, COARSE_S) if script.now_s - 200.0 < begin_s < whole_s]
    variants = dict(with_holes(sent, begins_in_s, "reported again"))
    for (_, length_s), at_s in zip(variants, first_s(rule, list(variants.values())), strict=True):
        assert whole_s <= at_s <= whole_s + length_s + 3.0


@pytest.mark.parametrize(("off_level", "rule"), [(True, "entrapment-off-level"), (False, "entrapment-at-level")])
@pytest.mark.parametrize("form", ["bundles", "single streams, without seq"])
def test_every_entrapment_is_found_through_lost_messages_where_the_device_repeats_its_states(
    form: str, off_level: bool, rule: str
) -> None:
    sent, rng = FORMS[form](stuck(off_level, 150.0, repeated=True)), np.random.default_rng(1)
    (whole_s,) = first_s(rule, [sent])
    at_s = first_s(rule, [sent.keeping(rng.random(len(sent.t_ns)) >= 0.01) for _ in range(40)])
    assert not np.isnan(at_s).any()
    assert max(at_s) <= whole_s + 6.0


def test_one_lost_bundle_loses_no_entrapment_that_has_begun() -> None:
    sent = bundles(stuck(False, 200.0))
    (whole_s,) = first_s("entrapment-at-level", [sent])
    begins_s = np.arange(whole_s - 55.0, whole_s, 2.0)
    for at_s in first_s("entrapment-at-level", [sent.keeping(~sent.hole(s, 1.0)) for s in begins_s.tolist()]):
        assert whole_s <= at_s <= whole_s + 3.0


def test_two_lost_bundles_behind_a_closed_door_lose_no_entrapment() -> None:
    """Nobody passes the light curtain while the door is closed, whatever the curtain is."""
    sent = bundles(stuck(False, 200.0))
    (whole_s,) = first_s("entrapment-at-level", [sent])
    (found_s,) = first_s("entrapment-at-level", [sent.keeping(~(sent.hole(20.0, 1.0) | sent.hole(32.0, 1.0)))])
    assert whole_s <= found_s <= whole_s + 5.0


@pytest.mark.parametrize("every_s", [2, 10, 60])
def test_a_car_at_rest_that_reports_seldom_and_has_no_seq_keeps_its_states(every_s: int) -> None:
    """It parked for a while before, so that the interval at rest is usual; then a person is shut in."""
    script = Script(z_m=3.0).event(door=CLOSED, presence=0, curtain=0, mode=0).rest(10.0 * every_s).open_door()
    parked_s = script.now_s
    script.rest(1.0).event(curtain=1).event(0.7, curtain=0).event(1.0, presence=1).rest(3.0).close_door().rest(5.0)
    shut_in_s = script.now_s
    script.rest(20.0 * every_s + 120.0)
    sent = bundles(script, dt_s=1.0)
    at_s = np.round((sent.t_ns - BEGIN_NS) / 1e9).astype(int)
    waits = (at_s < parked_s) | (at_s > shut_in_s)
    (found_s,) = first_s("entrapment-at-level", [sent.unnumbered().keeping(~waits | (at_s % every_s == 0))])
    assert not np.isnan(found_s)


def test_a_car_that_runs_has_closed_its_door() -> None:
    """The closing was in the hole; then the car stops between landings, and a person is seen in it."""
    script = stuck(True, 5.0).event(presence=1).rest(60.0)
    sent = bundles(script)
    holes = [sent.keeping(~sent.hole(begin_s, 4.0)) for begin_s in (8.5, 9.5, 10.0)]
    assert not np.isnan(first_s("entrapment-off-level", holes)).any()


def test_an_open_door_is_not_taken_for_closed_where_a_car_leaves_after_one_lost_bundle() -> None:
    script = Script(z_m=9.0).event(door=CLOSED, presence=0, mode=0).rest(4.0).open_door().rest(3.0).ride(18.0).rest(4.0)
    sent = bundles(script)
    at_s = first_s("start-door-open", [sent.keeping(~sent.hole(begin_s, 1.0)) for begin_s in (7.5, 8.5)])
    assert not np.isnan(at_s).any()


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
def test_several_holes_in_any_sound_lift_raise_nothing(form: str) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        script = healthy(seed, trips=5).rest(PARKED_S)
        sent, variants = parking(form, script), list[tuple[Hole, Sent]]()
        for _ in range(30):
            holes = rng.uniform(0.0, script.now_s - PARKED_S, 3), rng.choice(LENGTHS_S, 3)
            gone = np.logical_or.reduce(
                [sent.hole(begin_s, length_s) for begin_s, length_s in zip(*holes, strict=True)]
            )
            variants.append(((float(seed), float(holes[0][0])), sent.keeping(~gone)))
        assert opened(variants) == {}
