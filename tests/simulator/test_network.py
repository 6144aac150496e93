"""A bad network: each fault has its described effect, depends on the seed only, and is counted like the monitor counts
it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.buildings.fleet import fleet
from simulator.playback.simulation import Simulation, decoded_seconds
from simulator.scenarios.library import read
from simulator.scenarios.scenario import Scenario
from simulator.terminals.messages import MessageEncoder, Packet
from simulator.terminals.network import WILL_S, Connections, NetworkConditions
from simulator.terminals.terminal_faults import TerminalFaults
from simulator.terminals.terminals import NS, Terminals
from simulator.world.world import World
from telemetry.batch import Batch, Decoded
from telemetry.groups import joined
from telemetry.order.placing import ALIGN_NS
from telemetry.order.sequence import Sequencer
from tests.simulator.recorded_world import START_NS

LIFTS, SEED = 20, 4
STORM_SEED = 35
"""Its first storm comes in the first minute."""
BAD = {
    "lost": 0.02, "partial": 0.02, "skew_s": 2.0, "reboots_per_day": 400.0, "nameless": 0.3, "delay_s": 0.5,
    "overtaken": 0.02, "repeated": 0.02, "storms_per_day": 24.0, "storm_s": 60.0,
}  # fmt: skip
Rows = dict[tuple[str, int], tuple[float, ...]]
Judged = tuple[Rows, Counter[str], Decoded]


def simulation(seconds: int, form: str = "cbor", seed: int = SEED, **network: float) -> Simulation:
    conditions = NetworkConditions(**network)  # type: ignore[arg-type]
    scenario = Scenario(
        lifts=LIFTS,
        seed=seed,
        hours=seconds / 3600,
        hour=8.0,
        form=form,
        network=conditions,  # type: ignore[arg-type]
    )
    return Simulation(scenario, START_NS)


def judged(of: Simulation) -> Judged:
    """Return what the sequencer lets through, by lift and time, what it counted, and all that arrived."""
    sequencer, index = Sequencer(), {lift.lift_id: k for k, lift in enumerate(of.facts)}
    rows: Rows = {}
    last = dict.fromkeys(index, 0)
    counts: Counter[str] = Counter()
    groups = list(decoded_seconds(of))

    def take(batch: Batch) -> None:
        for k, t_ns, *values in zip(*(getattr(batch, name).tolist() for name in COLUMNS), strict=True):
            lift_id = of.facts[k].lift_id
            assert t_ns > last[lift_id], "what may be judged goes back in time"
            last[lift_id] = t_ns
            rows[lift_id, t_ns] = tuple(values)

    for group in groups:
        lift = np.array([index[name] for name in group.messages.lift_id], dtype=np.int32)
        batch, counted = sequencer.step(group, lift)
        take(batch)
        counts.update(counted)
    take(sequencer.idle(1 << 62))
    return rows, counts, joined(groups)


COLUMNS = ("lift", "t_ns", "v_mps", "z_m", "door", "presence", "curtain")


def own(rows: Rows) -> dict[tuple[str, int], str]:
    """Return the rows of measured streams, to compare: statuses may come more often."""
    return {at: repr(values) for at, values in rows.items() if not np.isnan(values).all()}


@pytest.fixture(scope="module")
def sound() -> Judged:
    """What the sequencer lets through of 200 seconds without a fault of the network."""
    return judged(simulation(200))


def never_followed(of: Simulation, arrived: Decoded) -> int:
    """Return how many messages were counted after the last of each lift's that arrived."""
    last = Counter(dict(zip(arrived.messages.lift_id, arrived.messages.seq.tolist(), strict=True)))
    return sum(int(seq) - last[lift.lift_id] for lift, seq in zip(of.facts, of.terminals._seq, strict=True))


def arrivals(first: int, last: int, seconds: int = 200) -> list[Packet]:
    """Return what arrives of a part of the fleet through a very bad network."""
    facts, number = fleet(LIFTS, SEED)[first:last], np.arange(first, last)
    world, terminals, encoder = (
        World(facts, SEED, START_NS, first=first),
        Terminals(facts, START_NS),
        MessageEncoder(facts, "cbor"),
    )
    conditions = NetworkConditions(**BAD)  # type: ignore[arg-type]
    mishaps, paths = (
        TerminalFaults(conditions, SEED, number),
        Connections(conditions, SEED, number, encoder.offline_status, False),
    )
    arrived: list[Packet] = []
    calm = np.zeros(last - first)
    for k in range(seconds):
        mishaps.restart(world.cars.boots[: len(world)], k)
        reports = mishaps.apply(terminals.report(world, world.step(), mishaps.down), k)
        arrived += paths.deliver(encoder.packets(reports), reports.cut, calm, k, START_NS + (k + 2) * NS)[0]
    return arrived + paths.deliver_all(START_NS + (seconds + 1) * NS)


def test_the_same_seed_gives_the_same_arrivals_however_the_fleet_is_cut() -> None:
    def by_topic(packets: list[Packet]) -> dict[str, list[tuple[int, bytes]]]:
        return {p.topic: [(q.sent_ns, q.payload) for q in packets if q.topic == p.topic] for p in packets}

    whole = arrivals(0, LIFTS)
    assert whole == arrivals(0, LIFTS)
    assert by_topic(whole) == by_topic(arrivals(0, 7)) | by_topic(arrivals(7, LIFTS))
    assert [packet.sent_ns for packet in whole] == sorted(packet.sent_ns for packet in whole)


TROUBLES = {
    "lost before it is sent": ("lost = 0.05", "lost"),
    "delay": ("delay_s = 0.5", "delayed"),
    "reordering": ("overtaken = 0.05", "overtaken"),
    "repeats": ("repeated = 0.05", "repeated"),
    "reconnect storms": ("storms_per_day = 24.0\nstorm_s = 60.0", "wills"),
    "clock skew": ("skew_s = 2.0", "skewed"),
    "partial bundles": ("partial = 0.05", "partial"),
    "reboots that restart seq": ("reboots_per_day = 600.0", "reboots"),
}


def lived(path: Path, network: str = "", **changes: int) -> tuple[bytes, Counter[str]]:
    """Return what arrives in a world whose scenario is in a file, and what befell it on the way."""
    text = f"lifts = {LIFTS}\nseed = {STORM_SEED}\nhours = 0.04\nhour = 8.0\n"
    path.write_text(f"{text}[network]\n{network}\n" if network else text, encoding="utf-8")
    of = Simulation(read(str(path), changes), START_NS)
    arrived = joined(list(decoded_seconds(of))).messages
    columns = (arrived.seq, arrived.t_ns, arrived.arrived_ns)
    late_ns = arrived.arrived_ns - arrived.t_ns - NS
    seen = Counter(delayed=int((late_ns > 0).sum()), skewed=int((late_ns != 0).sum()))
    return b"".join(column.tobytes() for column in columns), of.terminal_faults.counts + of.connections.counts + seen


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Counter[str]]:
    """What arrives without a fault of the network."""
    return lived(tmp_path_factory.mktemp("good") / "good.toml")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_network_fault_has_a_scenario_key_and_depends_on_the_seed(
    trouble: str, tmp_path: Path, good: tuple[bytes, Counter[str]]
) -> None:
    key, counted = TROUBLES[trouble]
    bad, counts = lived(tmp_path / "bad.toml", key)
    assert counts[counted] > 0 == good[1][counted]
    assert bad == lived(tmp_path / "bad.toml", key)[0]
    assert trouble == "partial bundles" or bad != good[0]
    assert bad != lived(tmp_path / "bad.toml", key, seed=SEED)[0]


def test_a_perfect_network_changes_nothing() -> None:
    direct, by_way = simulation(60), simulation(60)
    by_way.perfect = False
    (rows, counts, _), (others, other_counts, _) = judged(direct), judged(by_way)
    assert own(rows) == own(others)
    assert counts == other_counts
    assert (counts["gaps"], counts["late"], counts["repeats"], counts["restarts"]) == (0, 0, 0, 0)


def test_a_message_that_was_never_sent_is_a_gap() -> None:
    of = simulation(200, lost=0.05)
    _, counts, arrived = judged(of)
    assert of.terminal_faults.counts["lost"] > 100
    assert counts["gaps"] == of.terminal_faults.counts["lost"] - never_followed(of, arrived)


def test_a_repeated_message_changes_nothing_and_is_counted(sound: Judged) -> None:
    of = simulation(200, repeated=0.05)
    rows, counts, _ = judged(of)
    assert of.connections.counts["repeated"] > 100
    assert counts["repeats"] == of.connections.counts["repeated"]
    assert own(rows) == own(sound[0])


def test_delay_keeps_the_order_and_loses_nothing() -> None:
    of = simulation(120, delay_s=0.3)
    rows, counts, arrived = judged(of)
    assert (arrived.messages.arrived_ns - arrived.messages.t_ns).mean() > 1.2e9
    assert (counts["late"], counts["gaps"]) == (0, 0)
    assert own(rows) == own(judged(simulation(120))[0])


def test_an_overtaken_bundle_is_late_and_is_not_judged(sound: Judged) -> None:
    of = simulation(200, overtaken=0.05)
    rows, counts, arrived = judged(of)
    newest, behind, messages = dict.fromkeys(arrived.messages.lift_id, 0), 0, arrived.messages
    times = (messages.t_ns.tolist(), messages.t_end_ns.tolist(), messages.complete.tolist())
    for name, t_ns, end_ns, complete in zip(messages.lift_id, *times, strict=True):
        behind += t_ns <= newest[name] - (0 if complete else ALIGN_NS)  # a status may be a second behind readings
        newest[name] = max(end_ns if complete else 0, newest[name])
    assert 0 < counts["late"] == behind <= of.connections.counts["overtaken"]
    assert len(rows) < len(sound[0])


def test_streams_that_overtake_each_other_by_less_than_a_second_are_put_in_order() -> None:
    of = simulation(90, form="streams", overtaken=0.5, overtaken_s=0.9)
    rows, counts, _ = judged(of)
    assert of.connections.counts["overtaken"] > 1000
    assert counts["late"] == 0
    assert own(rows) == own(judged(simulation(90))[0])


def test_a_storm_is_a_last_will_a_backlog_in_order_and_a_status() -> None:
    of = simulation(200, seed=STORM_SEED, storms_per_day=24.0, storm_s=100.0, storm_share=0.6)
    rows, counts, arrived = judged(of)
    assert of.connections.counts["kept"] > 100 * 0.4 * LIFTS
    online = arrived.samples["status"].channels["online"]
    assert (online == 0).sum() == of.connections.counts["wills"] >= 0.4 * LIFTS
    assert (counts["late"], counts["gaps"], counts["repeats"]) == (0, 0, 0)
    assert own(rows) == own(judged(simulation(200, seed=STORM_SEED))[0])


def test_device_clocks_have_constant_errors_of_the_given_deviation() -> None:
    of = simulation(20, skew_s=30.0)
    _, counts, arrived = judged(of)
    off_s = (arrived.messages.arrived_ns - NS - arrived.messages.t_ns) / 1e9
    each = {lift.lift_id: off_s[[name == lift.lift_id for name in arrived.messages.lift_id]] for lift in of.facts}
    assert all(np.ptp(one) < 1e-6 for one in each.values())
    assert 15 < np.std([one[0] for one in each.values()]) < 50
    assert (counts["late"], counts["gaps"]) == (0, 0)


def test_a_partial_bundle_lacks_one_stream() -> None:
    of, whole = simulation(120, partial=0.1), simulation(120)
    _, counts, arrived = judged(of)
    pieces = [sum(len(set(s.message.tolist())) for s in one.samples.values()) for one in (arrived, judged(whole)[2])]
    assert pieces[1] - pieces[0] == of.terminal_faults.counts["partial"] > 50
    assert (counts["late"], counts["gaps"]) == (0, 0)


@pytest.mark.parametrize("nameless", [0.0, 1.0])
def test_a_restarted_device_restarts_its_sequence_with_or_without_a_boot(nameless: float) -> None:
    of = simulation(300, reboots_per_day=600.0, nameless=nameless)
    _, counts, arrived = judged(of)
    under_way = int(of.terminal_faults.down.sum())
    assert of.terminal_faults.counts["reboots"] > 20
    assert counts["restarts"] == of.terminal_faults.counts["reboots"] - under_way
    assert (counts["late"], counts["gaps"]) == (0, 0)
    assert ({"0"} if nameless else {"1000000000.1"}) <= set(arrived.messages.boot)


@pytest.mark.parametrize("form", ["cbor", "gateway"])
def test_a_disconnected_lift_uploads_all_messages_after_reconnecting(form: str) -> None:
    of = simulation(200, form=form)
    groups: list[Any] = []
    for k in range(200):
        of.world.cars.condition.cut[3] = 50 <= k < 150
        groups.append(of.decoded())
    groups += of.remaining_decoded()
    arrived = joined(groups).messages
    mine = np.array([name == of.facts[3].lift_id for name in arrived.lift_id]) & arrived.complete
    assert arrived.seq[mine].tolist() == sorted(arrived.seq[mine].tolist())
    assert mine.sum() == 200
    waited_s = (arrived.arrived_ns - arrived.t_ns)[mine] / 1e9
    assert waited_s[:50].max() <= 2 < 90 < waited_s.max()
    others = ~np.array([name == of.facts[3].lift_id for name in arrived.lift_id])
    assert (arrived.arrived_ns - arrived.t_ns)[others].max() <= 1e9
    assert of.connections.counts["wills"] == 1 < WILL_S


def test_a_scrambled_connection_affects_only_its_lift() -> None:
    of = simulation(100)
    of.world.cars.condition.scrambled[3] = 0.3
    arrived = joined(list(decoded_seconds(of))).messages
    for lift in of.facts:
        seq = arrived.seq[np.array([name == lift.lift_id for name in arrived.lift_id])]
        assert (np.diff(seq) < 0).any() == (lift is of.facts[3])


@pytest.mark.parametrize("form", ["cbor", "gateway", "streams"])
def test_with_all_network_faults_together_valid_data_come_out_in_order(form: str, sound: Judged) -> None:
    of = simulation(200, form=form, **BAD)
    rows, counts, _ = judged(of)
    assert counts["received"] > 200 * LIFTS * 0.8
    assert min(counts["gaps"], counts["repeats"], counts["restarts"]) > 3
    assert len(rows) > 0.7 * len(sound[0])
