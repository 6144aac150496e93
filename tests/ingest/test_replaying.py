"""Judged straight through: the same alerts however the stream is cut, stored, recorded or parted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from detectors.catalogue import RULES
from ingest.recordings.replaying import Replay, in_order, lines, replay, wider
from registry.partition import Partition, read
from simulator.playback.simulation import Simulation, decoded_seconds
from simulator.scenarios.scenario import PlannedFault, Scenario
from store.recordings.export import export_readings
from store.recordings.format import RecordingHeader
from store.recordings.recording import Recording, RecordingWriter
from store.series.points import points
from store.series.timeseries import TimeSeries
from telemetry.batch import Decoded
from telemetry.groups import of_lifts
from telemetry.streams import Entry
from telemetry.wire.decode import decode

SCENARIO = Scenario(lifts=12, seed=9, hours=0.1, hour=8.0, faults_per_hour=1200.0, idle_hz=1)
START_NS = 1_000_000_000 * 1_000_000_000  # 2001-09-09


def scene() -> Simulation:
    return Simulation(SCENARIO, START_NS)


def judged(groups: Iterable[Decoded]) -> list[bytes]:
    return in_order(line for changes in replay(Replay(scene().facts, RULES), groups) for line in lines(changes))


@pytest.fixture(scope="session")
def sent() -> tuple[Decoded, ...]:
    """The messages of the lifts of the world, second by second."""
    return tuple(decoded_seconds(scene()))


@pytest.fixture(scope="session")
def expected(sent: tuple[Decoded, ...]) -> list[bytes]:
    run = Replay(scene().facts, RULES)
    found = in_order(line for changes in replay(run, sent) for line in lines(changes))
    assert len(found) > 10
    assert not run.counts["late"], "late messages are stored and not judged: the store would hold more"
    return found


def received() -> Iterator[Decoded]:
    """Yield what the monitor's decoder makes of the world's own messages."""
    living = scene()
    for second in range(SCENARIO.seconds + 1):
        packets = living.step() if second < SCENARIO.seconds else living.remaining_packets()
        yield decode([Entry(0, packet.sent_ns, packet.topic, packet.payload) for packet in packets])


def test_a_world_judged_without_bytes_is_judged_as_its_messages_are(expected: list[bytes]) -> None:
    assert judged(received()) == expected


@pytest.mark.parametrize("messages", [1, 37, 400])
def test_the_width_of_a_group_changes_nothing(expected: list[bytes], sent: tuple[Decoded, ...], messages: int) -> None:
    run = Replay(scene().facts, RULES)
    found = [line for group in wider(sent, messages) for line in lines(run.step(group))]
    assert in_order([*found, *lines(run.finish())]) == expected


def test_silence_in_a_small_world_is_found_when_it_is_due() -> None:
    dead = PlannedFault(cause="terminal-dead", lift=1, for_s=800.0)
    world = Simulation(Scenario(lifts=3, seed=9, hours=0.2, hour=3.0, idle_hz=1, faults=(dead,)), START_NS)
    run = Replay(world.facts, RULES, silence=True)
    changes = [change for each in replay(run, decoded_seconds(world)) for change in each]
    (since_ns,) = {row["onset"] for row in world.labels() if row["symptom"] == "silence"}
    found = next(change.alert for change in changes if change.alert.rule == "offline")
    assert 60.0 <= (found.noticed_ns - since_ns) / 1e9 <= 75.0  # a last will came


def test_the_width_of_a_group_with_vibration_changes_nothing() -> None:
    shaking = Simulation(SCENARIO.model_copy(update={"lifts": 12, "seed": 5, "vibration": True}), START_NS)
    groups = list(decoded_seconds(shaking))
    found = []
    for messages in (1, 1 << 20):
        run = Replay(shaking.facts, RULES)
        changes = [run.step(group) for group in wider(groups, messages)] + [run.finish()]
        found.append(in_order(line for each in changes for line in lines(each)))
    assert found[0] == found[1]
    assert any(b"emergency-stop" in line for line in found[0])


def test_a_recording_of_it_is_judged_the_same(expected: list[bytes], sent: tuple[Decoded, ...], tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "taken", RecordingHeader("test", "0"), scene().facts) as writer:
        for group in sent:
            writer.add(group)
    assert judged(Recording(tmp_path / "taken").groups(messages=97)) == expected


def test_parts_of_the_fleet_together_make_the_same(expected: list[bytes], sent: tuple[Decoded, ...]) -> None:
    found = []
    for number in range(3):
        run = Replay(scene().facts, RULES)
        share = Partition(number, 3)
        found += [
            line for changes in replay(run, (of_lifts(group, share.has) for group in sent)) for line in lines(changes)
        ]
    assert in_order(found) == expected


def lives(found: Iterable[bytes], lifts: set[str]) -> list[tuple[object, ...]]:
    """Return what the transitions of these lifts say, without when it was noticed, and the values then."""
    alerts = [json.loads(line) for line in found]
    named = ("id", "lift_id", "rule", "severity", "state", "onset", "count")
    return sorted(tuple(alert[name] for name in named) for alert in alerts if alert["lift_id"] in lifts)


def test_what_the_store_holds_of_it_is_judged_the_same(
    expected: list[bytes], sent: tuple[Decoded, ...], store: TimeSeries
) -> None:
    for group in wider(sent):
        store.write(points(group))
    districts = {lift.lift_id: lift.district for lift in scene().facts}
    end_ns = START_NS + (SCENARIO.seconds + 2) * 1_000_000_000
    again = list(export_readings(store, districts, START_NS, end_ns, window_ns=60_000_000_000))
    numbers: dict[str, list[int]] = {lift_id: [] for lift_id in districts}
    for group in again:
        for lift_id, seq in zip(group.messages.lift_id, group.messages.seq.tolist(), strict=True):
            numbers[lift_id].append(seq)
    assert all(listed == list(range(len(listed))) for listed in numbers.values())
    boots: dict[str, set[str]] = {lift_id: set() for lift_id in districts}
    for group in sent:
        for lift_id, boot in zip(group.messages.lift_id, group.messages.boot, strict=True):
            boots[lift_id].add(boot)
    steady = {lift_id for lift_id, seen in boots.items() if len(seen) == 1}
    assert len(steady) < len(boots), "the store knows of no restart, so a lift with one may be judged otherwise"
    assert lives(judged(again), steady) == lives(expected, steady)


def test_what_stood_before_the_window_stands_at_its_beginning(sent: tuple[Decoded, ...], store: TimeSeries) -> None:
    for group in wider(sent):
        store.write(points(group))
    districts = {lift.lift_id: lift.district for lift in scene().facts}
    begin_ns = START_NS + 50_500_000_000
    (group,) = export_readings(store, districts, begin_ns, begin_ns + 4_000_000_000)
    for stream in ("door", "infrared", "status"):
        samples = group.samples[stream]
        first = [name for name, t in zip(samples.message.tolist(), samples.t_ns.tolist(), strict=True) if t == begin_ns]
        assert len(first) == SCENARIO.lifts


@pytest.mark.parametrize("text", ["", "1", "2/2", "-1/2", "a/b", "0/0"])
def test_a_text_that_is_no_partition_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write k/n"):
        read(text)


def test_every_lift_belongs_to_one_part_and_always_the_same() -> None:
    parts = [Partition(number, 4) for number in range(4)]
    assert all(sum(part.has(f"lift-{k}") for part in parts) == 1 for k in range(1000))
    owners = {name: [part.has(name) for part in parts].index(True) for name in ("A17", "sim-00001", "HZ-1")}
    assert owners == {"A17": 0, "sim-00001": 1, "HZ-1": 1}
