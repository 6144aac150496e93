"""All rules together: what is judged when, and what is kept."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors import trigger
from detectors.catalogue import BY_SLUG, RULES
from detectors.checking import BadScore
from detectors.judge import Judge
from detectors.latest import latest
from detectors.observe.rides.table import RideTable
from detectors.rule import CRITICAL, MINOR, NO_MEMORY, Level, Rule, Score
from detectors.rules import overspeed
from registry.catalogue import catalogue
from registry.facts import FleetFacts
from registry.maintenance import MaintenanceWindows
from telemetry.arrays import Memory
from telemetry.cutting import pieces
from telemetry.streams import BATTERY, CLOSED, EMERGENCY_POWER, FIRE, INSPECTION, MAINS, NORMAL, OUT_OF_SERVICE
from tests.detectors.test_overspeed import runaway
from tests.detectors.world import BEGIN_NS, Rows, Script, batch, facts_of, healthy, rows_of, tower

UP = BY_SLUG["overspeed-up"]


def in_mode(mode: float, from_s: float = 0.0, to_mps: float = 2.3) -> Rows:
    rows = runaway(to_mps).rows()
    rows["mode"] = np.full(len(rows["t_ns"]), np.nan)
    rows["mode"][np.searchsorted(rows["t_ns"], BEGIN_NS + round(from_s * 1e9))] = mode
    return rows


@pytest.mark.parametrize(
    ("mode", "judged"),
    [
        (NORMAL, True),
        (EMERGENCY_POWER, True),
        (np.nan, True),
        (INSPECTION, False),
        (FIRE, False),
        (OUT_OF_SERVICE, False),
    ],
)
def test_rules_without_a_star_rest_in_special_modes(mode: float, judged: bool) -> None:
    found = Judge([UP], 1).step(batch([in_mode(mode)]), facts_of([tower()]))
    assert bool(found) == judged


@pytest.mark.parametrize("mode", [INSPECTION, FIRE, OUT_OF_SERVICE])
def test_rules_with_a_star_are_judged_in_every_mode(mode: float) -> None:
    found = Judge([overspeed.OVERSPEED], 1).step(batch([in_mode(mode, to_mps=-2.3)]), facts_of([tower()]))
    assert {f.severity for f in found} == {MINOR, CRITICAL}


def in_window(from_s: float, until_s: float, lift: int = 0) -> MaintenanceWindows:
    begin_ns, end_ns = (BEGIN_NS + round(at_s * 1e9) for at_s in (from_s, until_s))
    return MaintenanceWindows(np.array([lift], np.int32), np.array([begin_ns]), np.array([end_ns]))


def test_in_a_maintenance_window_only_rules_with_a_star_are_judged() -> None:
    rows, facts = runaway(-2.3).rows(), facts_of([tower()])
    suspendable = Rule(**{**{f: getattr(overspeed.OVERSPEED, f) for f in Rule.__slots__}, "always_judged": False})
    for rule, windows, judged in (
        (suspendable, in_window(0.0, 60.0), False),
        (suspendable, in_window(0.0, 60.0, lift=1), True),
        (suspendable, in_window(60.0, 90.0), True),
        (overspeed.OVERSPEED, in_window(0.0, 60.0), True),
    ):
        assert bool(Judge([rule], 1).step(batch([rows]), facts, windows)) == judged


def test_what_was_pending_when_the_mode_changed_begins_anew() -> None:
    """The limit is passed at 6.0 s; inspection from 6.2 s stops it for good."""
    assert Judge([UP], 1).step(batch([in_mode(INSPECTION, from_s=6.2)]), facts_of([tower()])) == []


def test_what_is_open_when_the_mode_changes_stays_open() -> None:
    rows = in_mode(INSPECTION, from_s=9.0, to_mps=-1.9)
    suspendable = Rule(**{**{f: getattr(overspeed.OVERSPEED, f) for f in Rule.__slots__}, "always_judged": False})
    assert [f.kind for f in Judge([suspendable], 1).step(batch([rows]), facts_of([tower()]))] == ["on"]


def test_a_stale_status_sets_the_state_and_raises_nothing() -> None:
    class Button:
        def start(self, n: int) -> dict[str, np.ndarray]:
            return {}

        def step(self, state: object, car: object, facts: object) -> tuple[object, tuple[Score, ...]]:
            return state, (Score(car.alarm, 1.0 - car.alarm),)  # type: ignore[attr-defined]

    rule = Rule("F00", "button", Button(), (Level(CRITICAL, readings=1),), {}, {})  # type: ignore[arg-type]
    t_ns = BEGIN_NS + np.arange(3) * 1_000_000_000
    nothing = np.full(3, np.nan)
    rows = {"t_ns": t_ns, "alarm": np.array([1.0, np.nan, np.nan]), "power": np.array([BATTERY, np.nan, np.nan])}
    judge = Judge([rule], 1)
    assert judge.step(batch([{**rows, "stale": np.ones(3)}]), facts_of([None])) == []
    assert latest(judge.states)["power"].tolist() == [BATTERY]
    assert [f.kind for f in Judge([rule], 1).step(batch([{**rows, "stale": nothing}]), facts_of([None]))] == ["on"]


def test_a_level_that_clears_by_hand_is_found_again_when_its_condition_returns() -> None:
    rows, facts = runaway(-2.3).rows(), facts_of([tower()])
    judge = Judge([overspeed.OVERSPEED], 1)
    again = {**rows, "t_ns": rows["t_ns"] + 3600_000_000_000}
    found = judge.step(batch([rows]), facts) + judge.step(batch([again]), facts)
    assert [f.kind for f in found if f.severity == CRITICAL] == ["on", "off", "on", "off"]


def test_room_for_new_lifts_keeps_what_is_known_of_the_old() -> None:
    rows = runaway(-2.3).rows()
    whole = batch([rows])
    early = whole.t_ns < rows["t_ns"][62]
    judge = Judge(RULES, 0)
    judge.grow(1)
    assert judge.step(rows_of(whole, early), facts_of([tower()])) == []
    judge.grow(3)
    found = judge.step(rows_of(whole, ~early), facts_of([tower(), tower(), None]))
    steady = Judge(RULES, 1).step(whole, facts_of([tower()]))
    assert found == steady
    assert any(f.severity == CRITICAL for f in steady)


def test_a_snapshot_of_an_older_catalogue_restores_what_it_knows() -> None:
    rows = runaway(-2.3).rows()
    whole = batch([rows])
    early = whole.t_ns < rows["t_ns"][62]
    old = Judge([overspeed.OVERSPEED], 1)
    old.step(rows_of(whole, early), facts_of([tower()]))
    new = Judge(RULES, 1)
    new.restore(
        {**old.snapshot(), "gone/0": trigger.start(1), "overspeed-up/0": np.zeros(1, dtype=[("count", np.float32)])}
    )
    found = new.step(rows_of(whole, ~early), facts_of([tower()]))
    assert [(f.rule, f.kind) for f in found if f.severity == CRITICAL] == [("overspeed", "on"), ("overspeed", "off")]


def bad_scores(rows: int) -> dict[str, tuple[Score, ...]]:
    fine = np.zeros(rows)
    return {
        "2 scores for 1 levels": (Score(fine, fine), Score(fine, fine)),
        r"on has the shape \(\d+,\)": (Score(np.zeros(rows + 1), fine),),
        "off has the dtype int64": (Score(fine, np.zeros(rows, dtype=np.int64)),),
        "since_ns has the dtype float64": (Score(fine, fine, since_ns=fine),),  # type: ignore[arg-type]
        r"evidence far_m has the shape \(\)": (Score(fine, fine, {"far_m": np.array(1.0)}),),
    }


@dataclass(frozen=True)
class Bad:
    """A detector that returns what its rule's level cannot be judged by."""

    which: str

    def start(self, n: int) -> Memory:
        return np.zeros(n, dtype=NO_MEMORY)

    def step(self, state: Memory, table: Any, facts: FleetFacts) -> tuple[Memory, tuple[Score, ...]]:
        return state, bad_scores(len(table))[self.which]


@pytest.mark.parametrize("which", bad_scores(0))
def test_a_rule_whose_scores_cannot_be_judged_is_set_aside_and_the_others_go_on(which: str) -> None:
    rule = Rule("F00", "bad", Bad(which), (Level(CRITICAL),), {}, {})
    whole, facts, broken = batch([runaway(-2.3).rows()]), facts_of([tower()]), dict[str, Exception]()
    with pytest.raises(BadScore, match=which):
        Judge([rule], 1).step(whole, facts)
    judge = Judge([rule, overspeed.OVERSPEED], 1, broken.__setitem__)
    before = judge.snapshot()
    assert judge.step(whole, facts) == Judge([overspeed.OVERSPEED], 1).step(whole, facts)
    assert list(broken) == ["bad"]
    kept = judge.snapshot()
    assert all(repr(kept[name]) == repr(before[name]) for name in before if name.startswith("bad/"))
    judge.step(whole, facts)


def test_rides_and_behaviour_that_cannot_be_passed_on_are_set_aside_and_the_rules_go_on() -> None:
    whole, facts, broken = batch([healthy(1, 5).rows(0.1, 1)]), facts_of([tower()]), dict[str, Exception]()
    judge, passed_on = Judge(RULES, 1, broken.__setitem__), list[int]()

    def refuse(rides: RideTable) -> None:
        passed_on.append(len(rides))
        raise ZeroDivisionError("broken on purpose")

    judge.on_rides = refuse
    half = len(whole) // 2
    found = [judge.step(part, facts) for part in pieces(whole, half)]
    undisturbed = Judge(RULES, 1)
    assert found == [undisturbed.step(part, facts) for part in pieces(whole, half)]
    assert (list(broken), len(passed_on)) == (["rides"], 1)


def test_a_snapshot_names_its_arrays_by_rule_and_level() -> None:
    snapshot = Judge(RULES, 2).snapshot()
    assert snapshot["overspeed/1"]["since_ns"].tolist() == [0, 0]
    assert {len(records) for name, records in snapshot.items() if name != "ride_vibration"} == {2}
    assert len(snapshot["ride_vibration"]) == 0  # of a lift under way alone
    assert not any(records.dtype.hasobject for records in snapshot.values())


def by_air(rows: Rows, seed: int) -> Rows:
    """Return the readings of the same lift with a barometer on a windy day: noise, and metres of drift."""
    rng = np.random.default_rng(seed)
    weather = 3.0 * np.sin((rows["t_ns"] - BEGIN_NS) / 60e9)
    return {**rows, "z_m": rows["z_m"] + weather + rng.normal(0, 0.08, len(rows["z_m"]))}


AIR = tower(position_source="barometer")


def test_a_healthy_lift_with_a_barometer_is_quiet() -> None:
    lifts = [by_air(healthy(seed, 5).rows(dt_s, seed), seed) for dt_s in (0.1, 1.0) for seed in range(8)]
    assert Judge(RULES, len(lifts)).step(batch(lifts), facts_of([AIR] * len(lifts))) == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if "floors" in rule.needs], ids=lambda rule: rule.slug)
def test_a_barometer_is_not_held_against_a_landing(rule: Rule) -> None:
    fault = importlib.import_module(f"tests.detectors.test_{rule.slug.replace('-', '_')}").fault()
    rows, facts = fault.script.rows(), replace(fault.facts, position_source="barometer")
    assert Judge([rule], 1).step(batch([rows]), facts_of([facts])) == []
    assert Judge([rule], 1).step(batch([rows]), facts_of([fault.facts])) != []


@pytest.mark.parametrize("slug", ["emergency-stop", "door-held-open", "door-close-fault", "door-cycling"])
def test_a_lift_with_a_barometer_is_judged_by_its_speed(slug: str) -> None:
    fault = importlib.import_module(f"tests.detectors.test_{slug.replace('-', '_')}").fault()
    rows = by_air(fault.script.rows(), 1)
    assert Judge([BY_SLUG[slug]], 1).step(batch([rows]), facts_of([AIR]))[0].kind == "on"


def test_a_barometer_shows_the_floor() -> None:
    script = Script(z_m=0.0).event(door=CLOSED).rest(4.0).ride(9.0).rest(3.0)
    judge = Judge(RULES, 1)
    judge.step(batch([by_air(script.rows(), 1)]), facts_of([AIR]))
    now = latest(judge.states)
    assert (now["landing"][0], now["speed_mps"][0]) == (3, 0.0)
    assert now["position_m"][0] == pytest.approx(9.0, abs=1.4)


def test_facts_of_another_fleet_are_refused() -> None:
    with pytest.raises(ValueError, match=r"call grow\(2\) first"):
        Judge(RULES, 1).step(batch([runaway(-2.3).rows()]), facts_of([tower(), tower()]))


def test_the_latest_state_is_what_the_fleet_page_shows() -> None:
    script = Script(z_m=0.0).event(door=CLOSED, presence=1, mode=NORMAL, power=MAINS).rest(4.0).ride(9.0).rest(3.0)
    facts = facts_of([tower(), tower()])
    judge = Judge(RULES, 2)
    whole = batch([script.rows()])
    riding = whole.t_ns < BEGIN_NS + 7_000_000_000
    judge.step(rows_of(whole, riding), facts)
    now = latest(judge.states)
    assert (now["direction"][0], now["door"][0], now["presence"][0]) == (1.0, CLOSED, 1.0)
    judge.step(rows_of(whole, ~riding), facts)
    now = latest(judge.states)
    assert (now["landing"].tolist(), now["speed_mps"][0], now["direction"][0]) == ([3, -1], 0.0, 0.0)
    assert np.isnan([now[name][1] for name in ("position_m", "speed_mps", "direction", "door", "mode")]).all()


def test_the_first_reading_of_a_ride_is_shown() -> None:
    judge = Judge(RULES, 1)
    script = Script(z_m=0.0).event(door=CLOSED).rest(4.0).ride(9.0)
    whole = batch([script.rows(dt_s=1.0)])
    moving = whole.t_ns[np.flatnonzero(whole.v_mps > 0.1)[0]]
    judge.step(rows_of(whole, whole.t_ns <= moving), facts_of([tower()]))
    now = latest(judge.states)
    assert now["speed_mps"][0] > 0.1
    assert now["direction"][0] == 1.0


def test_every_code_names_a_table_that_the_page_on_alerts_explains() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert {table for rule in catalogue().values() for table in rule.codes if f"| `{table}` |" not in page} == set()


def test_one_code_of_a_table_is_one_fault() -> None:
    """But for the national database and the manufacturer, which do not distinguish the two entrapments, and what is
    inferred of the safety chain."""
    codes = [(table, code) for rule in catalogue().values() for table, code in rule.codes.items()]
    assert {pair for pair in codes if codes.count(pair) > 1} == {
        ("national-db", "11"),
        ("manufacturer", "0101"),
        ("gbt24476-inferred", "01"),
    }


def test_two_levels_of_one_rule_never_share_a_severity() -> None:
    """The alert book knows a level by its severity."""
    for rule in RULES:
        severities = [level.severity for level in rule.levels]
        assert len(set(severities)) == len(severities), rule.slug
