"""Record and replay: the same alerts through a broker with one monitor or two, and directly through the rules."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import liftwatch
from commands import replay
from detectors.catalogue import RULES
from registry.actor import Actor
from store.recordings.recording import Recording
from store.records.repository import Records
from store.series.connect import open_timeseries
from store.series.points import points
from telemetry.batch import Decoded
from telemetry.instant import parse
from tests.broker import Broker, mosquitto
from tests.forked import Liftwatch
from tests.loopback import PATIENCE_S, free_port, until
from tests.whole.installation import MqttClient, System

pytestmark = pytest.mark.broker

SCENARIO = (
    "start = 2018-01-01T00:00:00Z\nlifts = 8\nseed = 11\nhours = 0.03\nhour = 8\n"
    "vibration = true\nmachines = [2, 5]\nfaults_per_hour = 3000\n"
)
DISTURBED = ("offline", "clock-skew")
"""Rules of silence and clocks stand outside comparisons."""

HOUR = ("--from", "2001-01-01T00:00:00Z", "--to", "2001-01-01T01:00:00Z")

GATEWAYS = ("--form", "gateway")

README = Path(__file__).parent.parent.parent / "README.md"

Alerts = list[dict[str, Any]]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of two bad minutes in 2018: a monitor refuses times before 2015."""
    place = tmp_path_factory.mktemp("taken")
    (place / "bad.toml").write_text(SCENARIO, encoding="utf-8")
    assert liftwatch.main(["simulate", "--scenario", str(place / "bad.toml"), "--to", str(place / "bad")]) == 0
    return place / "bad"


@pytest.fixture(scope="session")
def lines(folder: Path) -> Sequence[bytes]:
    """The alerts' transitions of it, straight through the rules, as they are written."""
    return replay.judge(folder, RULES, (), 1).lines


@pytest.fixture(scope="session")
def direct(lines: Sequence[bytes]) -> Alerts:
    found = comparable(map(json.loads, lines))
    assert len({alert["rule"] for alert in found}) > 2
    return found


def comparable(alerts: Any, lift_ids: Any = None) -> Alerts:
    """Return transitions without the wall clock, in an order that depends on their content alone; repeats once."""
    kept = {
        json.dumps({**alert, "noticed": None}, sort_keys=True)
        for alert in alerts
        if alert["rule"] not in DISTURBED and (lift_ids is None or alert["lift_id"] in lift_ids)
    }
    return [json.loads(text) for text in sorted(kept)]


def hums(folder: Path) -> Any:
    """Return the vibration of machines, by lift and time."""
    return pl.read_parquet(folder / "machine.parquet").drop("message").sort("lift_id", "t").to_dict(as_series=False)


def moved(group: Decoded, by_ns: int) -> Decoded:
    """Return the readings of a group at another time."""
    samples = {name: replace(column, t_ns=column.t_ns + by_ns) for name, column in group.samples.items()}
    return replace(group, samples=samples)


def received(voice: MqttClient, lift_ids: set[str]) -> Alerts:
    return comparable((alert for _, _, _, alert in list(voice.received)), lift_ids)


@contextmanager
def started(config: Path, *command: str, ready: bytes) -> Iterator[Liftwatch]:
    """Run a command of ours until it logs that it is ready, and end it as Ctrl-C does."""
    log = config.parent / f"{command[0]}.log"
    with log.open("ab") as out:
        process = Liftwatch(["--config", config, *command], out)
        try:
            until(lambda: ready in log.read_bytes(), f"{command[0]} that is ready")
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)


@pytest.mark.long
def test_several_processes_give_the_same_bytes(folder: Path, lines: Sequence[bytes]) -> None:
    assert replay.judge(folder, RULES, (), 2).lines == lines


def test_one_lift_alone_has_the_same_alerts_as_among_others(folder: Path, direct: Alerts) -> None:
    one = direct[0]["lift_id"]
    alone = replay.judge(folder, RULES, [one], 1).lines
    assert comparable(map(json.loads, alone)) == comparable(direct, [one])


def test_through_a_broker_and_recorded_again_the_alerts_are_the_same(
    system: System, folder: Path, direct: Alerts, tmp_path: Path
) -> None:
    config = tmp_path / "liftwatch.toml"
    config.write_text((system.folder / "liftwatch.toml").read_text(encoding="utf-8"), encoding="utf-8")
    again, lift_ids = tmp_path / "again", Recording(folder).lift_ids()
    with started(config, "record", str(again), ready=b"receiving from") as recording:
        assert liftwatch.main(["--config", str(config), "replay", str(folder), "--speed", "0", "--register"]) == 0
        until(lambda: received(system.voice, lift_ids) == direct, "the same alerts")
    assert recording.poll() == 0
    taken = Recording(again)
    assert taken.header.complete
    assert hums(again) == hums(folder)
    assert comparable(map(json.loads, replay.judge(again, RULES, sorted(lift_ids), 1).lines)) == direct


def test_two_monitors_that_share_the_lifts_raise_the_same_alerts(folder: Path, direct: Alerts, tmp_path: Path) -> None:
    broker, configs = Broker(mosquitto(), tmp_path), []
    voice, lift_ids = MqttClient(broker.port), Recording(folder).lift_ids()
    for share in ("0/2", "1/2"):
        place = tmp_path / share[0]
        place.mkdir()
        config = place / "liftwatch.toml"
        monitor = f"[monitor]\ndata_dir = '{place}'\npartition = '{share}'\n"
        config.write_text(f"[broker]\nport = {broker.port}\n{monitor}", encoding="utf-8")
        with Records.open(f"sqlite:///{place}/records.db") as records:
            records.put_lifts(Recording(folder).facts(), Actor.named("test"), time.time_ns())
        configs.append(config)
    try:
        with (
            started(configs[0], "monitor", ready=b"receiving from"),
            started(configs[1], "monitor", ready=b"receiving from"),
        ):
            assert liftwatch.main(["--config", str(configs[0]), "replay", str(folder), "--speed", "0", *GATEWAYS]) == 0
            until(lambda: received(voice, lift_ids) == direct, "the same alerts")
        announced = [{alert["id"] for alert in _kept(config)} for config in configs]
        assert announced[0]
        assert announced[1]
        assert not announced[0] & announced[1]
    finally:
        voice.close()
        broker.stop()


def _kept(config: Path) -> list[dict[str, Any]]:
    with Records.open(f"sqlite:///{config.parent}/records.db") as records:
        return [json.loads(one.alert_json) for one in records.transitions_since(0, 10_000)]


def test_a_broker_that_goes_away_makes_a_recording_incomplete(broker: Broker, tmp_path: Path) -> None:
    config = tmp_path / "liftwatch.toml"
    config.write_text(f"[broker]\nport = {broker.port}\n[monitor]\ndata_dir = '{tmp_path}/data'\n", encoding="utf-8")
    taken = tmp_path / "short"
    with started(config, "record", str(taken), ready=b"receiving from") as recording:
        broker.stop()
        broker.start()
        until(
            lambda: (tmp_path / "record.log").read_bytes().count(b"receiving from") == 2, "a recorder that is back", 60
        )
    assert recording.poll() == 1
    assert not Recording(taken).header.complete
    assert not (tmp_path / "data").exists()


def test_a_killed_recording_keeps_its_messages_and_is_judged_with_exit_code_1(
    broker: Broker, folder: Path, tmp_path: Path
) -> None:
    config, taken = tmp_path / "liftwatch.toml", tmp_path / "killed"
    config.write_text(f"[broker]\nport = {broker.port}\n", encoding="utf-8")
    one = sorted(Recording(folder).lift_ids())[0]
    with started(config, "record", str(taken), ready=b"receiving from") as recording:
        command = ["--config", str(config), "replay", str(folder), "--speed", "0", "--lift", one]
        assert liftwatch.main(command) == 0
        until(lambda: Recording(taken).header.messages > 0, "messages that are written")
        recording.kill()
        recording.wait(PATIENCE_S)
    assert not Recording(taken).header.complete
    assert Recording(taken).lift_ids() == {one}
    assert liftwatch.main(["replay", str(taken), "--judge", "--to", str(tmp_path / "alerts.jsonl")]) == 1
    assert liftwatch.main(["replay", str(folder), "--judge", "--to", str(tmp_path / "alerts.jsonl")]) == 0


def test_a_replay_moved_to_the_present_ends_now(broker: Broker, folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "liftwatch.toml"
    config.write_text(f"[broker]\nport = {broker.port}\n", encoding="utf-8")
    one = sorted(Recording(folder).lift_ids())[0]
    taken = tmp_path / "now"
    with started(config, "record", str(taken), ready=b"receiving from"):
        command = ["--config", str(config), "replay", str(folder), "--speed", "0", "--now", "--lift", one]
        assert liftwatch.main(command) == 0
    moved, original = Recording(taken).header, Recording(folder).header
    assert moved.refusals == 0
    assert Recording(taken).lift_ids() == {one}
    assert moved.end_ns is not None
    assert original.end_ns is not None
    assert abs(moved.end_ns - time.time_ns()) < 120e9
    assert (moved.end_ns - original.end_ns) % 1_000_000 < 1_000_000


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_readmes_commands_record_and_replay(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = README.read_text(encoding="utf-8").partition("## Record and replay")[2].partition("\n## ")[0]
    simulate, record, of_store, replay, judge = re.findall(r"^    \.venv/bin/liftwatch (.*)$", section, re.MULTILINE)
    monkeypatch.setenv("LIFTWATCH_BROKER__PORT", str(broker.port))
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> None:
        assert liftwatch.main(line.split()) == 0

    run(simulate)
    trapped = Recording(tmp_path / "trapped")
    began_ns = parse(re.findall(r"--from (\S+)", of_store)[0])
    with closing(open_timeseries(tmp_path / "data" / "series", raw_days=0)) as series:
        for group in trapped.groups():
            series.write(points(moved(group, began_ns - (trapped.header.start_ns or 0))))
    run(of_store)
    assert Recording(tmp_path / "one").lift_ids() == {"sim-00003"}
    config = tmp_path / "liftwatch.toml"
    config.touch()
    with started(config, *record.split(), ready=b"receiving from"):
        run("replay one --speed 0")
    assert Recording(tmp_path / "received").header.messages == Recording(tmp_path / "one").header.messages
    run(judge)
    rules = {json.loads(line)["rule"] for line in (tmp_path / "alerts.jsonl").read_bytes().splitlines()}
    assert {"entrapment-off-level", "entrapment-at-level"} <= rules
    run(replay.replace("--speed 10", "--speed 0"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["replay", "{nowhere}"], "has no recording.json"),
        (["replay", "{folder}", "--judge", "--lift", "no-such"], "lift no-such has no messages in"),
        (["record", "{folder}", "--for", "1"], "is not empty; name a folder"),
        (["record", "{nowhere}", "--lift", "A"], "--lift: add --from and --to"),
        (["record", "{nowhere}", "--from", "2001-01-01T00:00:00Z"], "--from and --to: add --lift"),
        (["record", "{nowhere}", "--lift", "A", "--for", "1"], "with --lift use --from and --to"),
        (["record", "{nowhere}", "--lift", "A", *HOUR], "the store holds nothing of A from 2001-01-01T00:00:00"),
        (["record", "/proc/nowhere", "--for", "1"], "/proc/nowhere cannot be written (No such file or directory)"),
        (["replay", "{folder}", "--processes", "2"], "--to, --processes and --rules: add --judge"),
        (["replay", "{folder}", "--judge", "--speed", "2"], "leave --speed, --form, --now and --register out"),
    ],
)
def test_an_impossible_command_is_reported_in_one_line(
    system: System, folder: Path, tmp_path: Path, arguments: list[str], complaint: str, capsys: Any
) -> None:
    config = str(system.folder / "liftwatch.toml")
    filled = [argument.format(folder=folder, nowhere=tmp_path / "nowhere") for argument in arguments]
    assert liftwatch.main(["--config", config, *filled]) == liftwatch.UNUSABLE
    output = capsys.readouterr().err.splitlines()
    assert [complaint in line for line in output if line.startswith("liftwatch:")] == [True]
    assert folder.exists()
    assert not (tmp_path / "nowhere").exists()


def test_a_replay_without_a_broker_is_reported_in_one_line(folder: Path, tmp_path: Path, capsys: Any) -> None:
    config = tmp_path / "liftwatch.toml"
    config.write_text(f"[broker]\nport = {free_port()}\n", encoding="utf-8")
    assert liftwatch.main(["--config", str(config), "replay", str(folder)]) == liftwatch.UNUSABLE
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be used" in line
    assert "start one there, or set broker.host and broker.port" in line
