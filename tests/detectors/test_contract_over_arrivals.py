"""What every rule over arrivals keeps, whatever it concludes: the contract of `test_contract.py`, as far as it applies.

The messages of a fleet come with ticks of the clock between them; what is found depends on when the clock ticks.
"""

from __future__ import annotations

import numpy as np
import pytest

from detectors.catalogue import RULES
from detectors.contract import expect_same_records as assert_same_records
from detectors.judge import Judge
from detectors.observe import arrivals
from detectors.observe.arrivals import ArrivalTable, MessageArrivals, judged_arrivals
from detectors.rule import Finding, Rule
from registry.facts import FleetFacts
from telemetry.arrays import Memory
from tests.detectors.world import BEGIN_NS, facts_of, tower

LIFTS, SECOND_NS = 6, 1_000_000_000
NEVER_SEEN_LIFT = 5
each_rule = pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.table == "arrivals"], ids=lambda rule: rule.slug
)


def at(arrived: MessageArrivals, places: np.ndarray) -> MessageArrivals:
    """Return these rows."""
    return MessageArrivals(*(column[places] for column in arrived))


def messages(seed: int = 1) -> MessageArrivals:
    """Return an hour: some lifts send, fall silent and come back, some leave a last will, the last one never sends."""
    rng, count = np.random.default_rng(seed), 300
    at_s = np.sort(rng.uniform(0.0, 3600.0, count))
    lift = rng.choice(NEVER_SEEN_LIFT, count, p=[0.6, 0.36, 0.02, 0.01, 0.01]).astype(np.int32)
    online = rng.choice([0.0, 1.0, np.nan], count, p=[0.1, 0.2, 0.7])
    heartbeat_s = rng.choice([np.nan, 20.0, 150.0], count, p=[0.9, 0.05, 0.05])
    clock_s = np.where((lift == 1) & (at_s < 2000.0), 7.0, -0.5) + rng.normal(0.0, 0.1, count)
    arrived_ns = BEGIN_NS + (at_s * SECOND_NS).astype(np.int64)
    return judged_arrivals(lift, arrived_ns, online=online, heartbeat_s=heartbeat_s, clock_s=clock_s)


TICKS_NS = BEGIN_NS + np.arange(10, 4500, 10) * SECOND_NS


def fleet() -> FleetFacts:
    return facts_of([tower()] * (LIFTS - 1) + [None])


def tables(received: MessageArrivals, pieces: int = 1) -> tuple[Memory, list[ArrivalTable]]:
    """Return the memory and all tables, what arrived between two ticks fed in so many pieces."""
    memory, mode, made, done = arrivals.start(LIFTS), np.full(LIFTS, np.nan), list[ArrivalTable](), 0
    for now_ns in TICKS_NS.tolist():
        until = int(np.searchsorted(received.arrived_ns, now_ns))
        for places in np.array_split(np.arange(done, until), pieces):
            memory, seen = arrivals.step(memory, at(received, places), mode)
            made.append(seen)
        memory, seen = arrivals.tick(memory, now_ns, 0, mode)
        made.append(seen)
        done = until
    return memory, made


def scores(rule: Rule, made: list[ArrivalTable]) -> tuple[Memory, dict[tuple[int, int], tuple[float, ...]]]:
    """Return the detector's memory and every number that it gives, by lift and instant."""
    state, out = rule.detector.start(LIFTS), dict[tuple[int, int], tuple[float, ...]]()
    for table in made:
        state, given = rule.detector.step(state, table, fleet())
        columns = [c for score in given for c in (score.on, score.off, *score.evidence.values())]
        columns += [score.since_ns for score in given if score.since_ns is not None]
        for i, key in enumerate(zip(table.lift.tolist(), table.t_ns.tolist(), strict=True)):
            out[key] = tuple(float(np.nan_to_num(column[i], nan=-1e9)) for column in columns)
    return state, out


def found(judge: Judge, received: MessageArrivals, from_ns: int, until_ns: int) -> list[Finding]:
    """Return what is found at the messages and ticks of a stretch of time, with what arrives in it."""
    findings: list[Finding] = []
    for now_ns in TICKS_NS[(from_ns <= TICKS_NS) & (until_ns > TICKS_NS)].tolist():
        fresh = (received.arrived_ns >= now_ns - 10 * SECOND_NS) & (received.arrived_ns < now_ns)
        findings += judge.step_arrivals(at(received, np.flatnonzero(fresh)), fleet())
        findings += judge.tick(now_ns, 0, fleet())
    return findings


@each_rule
def test_scores_do_not_depend_on_how_the_messages_are_cut(rule: Rule) -> None:
    assert scores(rule, tables(messages())[1])[1] == scores(rule, tables(messages(), pieces=7)[1])[1]


@each_rule
def test_permuting_the_lifts_permutes_the_scores(rule: Rule) -> None:
    received, order = messages(), np.array([3, 5, 0, 2, 1, 4], dtype=np.int32)
    _, straight = scores(rule, tables(received)[1])
    _, turned = scores(rule, tables(received._replace(lift=np.argsort(order).astype(np.int32)[received.lift]))[1])
    assert {(int(order[lift]), t): row for (lift, t), row in turned.items()} == straight


@each_rule
def test_an_empty_table_changes_nothing(rule: Rule) -> None:
    memory, made = tables(messages())
    state, _ = scores(rule, made)
    nothing = ArrivalTable(*(column[:0] for column in made[-1]))
    after, given = rule.detector.step(state, nothing, fleet())
    assert all(len(score.on) == 0 and len(score.off) == 0 for score in given)
    unchanged, _ = arrivals.step(memory, at(messages(), np.arange(0)), np.full(LIFTS, np.nan))
    assert_same_records({"state": state, "memory": memory}, {"state": after, "memory": unchanged})


@each_rule
def test_inputs_are_never_modified(rule: Rule) -> None:
    received, (memory, made) = messages(), tables(messages())
    state, _ = scores(rule, made)
    for column in (*received, memory, state, *made[-1]):
        column.setflags(write=False)
    _, stepped = arrivals.step(memory, received, made[-1].mode)
    _, ticked = arrivals.tick(memory, BEGIN_NS, 0, made[-1].mode)
    for one in (stepped, ticked, made[-1]):
        rule.detector.step(state, one, fleet())


@each_rule
def test_a_lift_without_arrivals_scores_nan(rule: Rule) -> None:
    _, given = rule.detector.step(rule.detector.start(LIFTS), tables(messages())[1][-1], fleet())
    for score in given:
        assert np.isnan([score.on[NEVER_SEEN_LIFT], score.off[NEVER_SEEN_LIFT]]).all()


@each_rule
def test_a_restart_from_a_snapshot_equals_no_restart(rule: Rule) -> None:
    received, steady, restarted = messages(), Judge([rule], LIFTS), Judge([rule], LIFTS)
    findings: list[Finding] = []
    for now_ns in TICKS_NS.tolist():
        expected = found(steady, received, now_ns, now_ns + 1)
        fresh = Judge([rule], LIFTS)
        fresh.restore(restarted.snapshot())
        restarted = fresh
        assert repr(found(restarted, received, now_ns, now_ns + 1)) == repr(expected)
        findings += expected
    assert {one.kind for one in findings} == {"on", "off"}
    assert_same_records(steady.snapshot(), restarted.snapshot())


@each_rule
def test_sentences_take_what_the_evidence_gives(rule: Rule) -> None:
    findings = found(Judge([rule], LIFTS), messages(), BEGIN_NS, int(TICKS_NS[-1]))
    for language in ("en", "zh"):
        text = rule.sentence[language].format(**next(f for f in findings if f.kind == "on").evidence)
        assert text
        assert "nan" not in text
