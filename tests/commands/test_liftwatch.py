"""The command line: its help, and its errors, each one line and exit code 2."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import liftwatch
from commands import arguments, lifts
from commands.wiring import broker as broker_wiring
from simulator.scenarios import scenario
from store.journal import Journal
from store.recordings.recording import Recording
from store.records.repository import Records
from tests.broker import Broker
from tests.forked import Liftwatch
from tests.loopback import free_port, until

LIFTS = """lift_id,district,rated_speed_mps,floors
A1,anji,1.75,G:0;1:3.2
A2,anji,fast,G:0
"""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that is not there is not waited for as long as one that may be starting."""
    monkeypatch.setattr(broker_wiring, "FIRST_ANSWER_S", 1.0)


def configured(folder: Path, port: int, more: str = "") -> list[str]:
    path = folder / "liftwatch.toml"
    path.write_text(f"[broker]\nport = {port}\n[monitor]\ndata_dir = '{folder}'\n{more}", encoding="utf-8")
    return ["--config", str(path)]


def complaint(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """Return the one line that a command complains with."""
    assert liftwatch.main(arguments) == 2
    output = capsys.readouterr().err.strip().splitlines()
    complaints = [line for line in output if line.startswith("liftwatch: ")]
    assert len(complaints) == 1
    return complaints[0]


@pytest.mark.parametrize("command", liftwatch.COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        liftwatch.main([command, "--help"])
    assert end.value.code == 0
    assert len(capsys.readouterr().out) > 100


def test_the_help_on_simulate_states_where_defaults_come_from_and_when_a_faster_world_begins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        liftwatch.main(["simulate", "--help"])
    output = " ".join(capsys.readouterr().out.split())
    assert output.count("(default: the scenario's, else") == 5
    assert "per hour over the fleet" in output
    assert "above 1 the lifts begin a day ago" in output


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        *[("--speed", value, "write a number") for value in ("0", "-1", "nan", "inf", "fast")],
        *[("--seed", value, "write a whole number from 0 to 9223372036854775807") for value in ("-1", str(2**63), "x")],
        *[("--lifts", value, "write a whole number from 1 to 1000000") for value in ("abc", "0", "1.5")],
    ],
)
def test_a_number_that_cannot_be_is_refused_with_those_that_can(
    option: str, value: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        liftwatch.main(["simulate", f"{option}={value}"])
    assert end.value.code == 2
    assert f"argument {option}: {message}" in capsys.readouterr().err


def test_lifts_come_and_go_as_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path, 1)
    (tmp_path / "lifts.csv").write_text(LIFTS, encoding="utf-8")
    assert liftwatch.main([*config, "lifts", "import", str(tmp_path / "lifts.csv"), "--by", "test"]) == 1
    output = capsys.readouterr()
    assert "1 lifts taken, 1 refused" in output.out
    assert "row 3: rated_speed_mps" in output.err
    assert liftwatch.main([*config, "lifts", "export", str(tmp_path / "out.json")]) == 0
    assert liftwatch.main([*config, "lifts", "import", str(tmp_path / "out.json")]) == 0
    assert liftwatch.main([*config, "lifts", "export", str(tmp_path / "out.csv")]) == 0
    assert "G:0" in (tmp_path / "out.csv").read_text(encoding="utf-8")
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records:
        assert [entry.facts.lift_id for entry in records.registry()[1]] == ["A1"]


def test_an_import_shows_its_progress_and_one_that_was_killed_is_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, file = configured(tmp_path, 1), tmp_path / "lifts.csv"
    file.write_text("lift_id,district\n" + "".join(f"A{n},d\n" for n in range(8000)), encoding="utf-8")
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records:
        with (tmp_path / "printed").open("wb") as out:
            killed = Liftwatch([*config, "lifts", "import", file], out)
        until(lambda: bool(records.registered()), "an import under way")
        killed.kill()
        killed.wait()
        assert len(records.registered()) % 1000 == 0
        monkeypatch.setattr(lifts, "SHOWN_EVERY_S", 0.0)
        assert liftwatch.main([*config, "lifts", "import", str(file)]) == 0
        output = capsys.readouterr()
        assert ("2000 of 8000 lifts taken" in output.err, "8000 lifts taken, 0 refused" in output.out) == (True, True)
        assert len(records.registered()) == 8000


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        ("lift_id,district,name\nA,d,1号客梯\n".encode("gbk"), "save the file as UTF-8"),
        (b"\xef\xbb\xbflift_id;district\nA;d\n", "separated by semicolons; separate them by commas"),
    ],
)
def test_a_file_of_lifts_that_cannot_be_read_is_refused_with_the_remedy(
    content: bytes, remedy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lifts.csv").write_bytes(content)
    assert remedy in complaint(capsys, [*configured(tmp_path, 1), "lifts", "import", str(tmp_path / "lifts.csv")])


def test_a_file_of_lifts_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "none.csv" in complaint(capsys, [*configured(tmp_path, 1), "lifts", "import", str(tmp_path / "none.csv")])


def test_a_scenario_that_contradicts_itself_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    simulate = [*configured(tmp_path, 1), "simulate", "--scenario", "entrapment", "--lifts", "2"]
    assert "faults[0].lift: 3 is not there; the lifts are 1 to 2" in complaint(capsys, simulate)


@pytest.mark.parametrize("more", [["--speed", "5"], ["--labels", "lab.jsonl"]])
def test_what_a_recording_would_ignore_is_refused(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulate = [*configured(tmp_path, 1), "simulate", "--to", str(tmp_path / "made"), *more]
    assert "--to: leave --speed and --labels out" in complaint(capsys, simulate)
    assert not (tmp_path / "made").exists()


SHORT = """lifts = 4
hours = 0.02

[[faults]]
lift = 3
cause = "door-open-button-stuck"
"""


def test_a_scenario_is_written_as_a_recording_with_its_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "short.toml").write_text(SHORT, encoding="utf-8")
    simulate = [*configured(tmp_path, 1), "simulate", "--scenario", str(tmp_path / "short.toml"), "--to"]
    assert liftwatch.main([*simulate, str(tmp_path / "made")]) == 0
    recording = Recording(tmp_path / "made")
    assert (recording.header.complete, recording.header.lifts, recording.header.source) == (True, 4, "simulator")
    assert [lift.lift_id for lift in recording.facts()] == ["sim-00001", "sim-00002", "sim-00003", "sim-00004"]
    assert {(label["lift_id"], label["cause"]) for label in recording.labels()} == {
        ("sim-00003", "door-open-button-stuck")
    }
    assert sum(len(group.samples["speed"].t_ns) for group in recording.groups()) == 4 * 72 * 10
    assert "is not empty" in complaint(capsys, [*simulate, str(tmp_path / "made")])


TWICE = """
[[faults]]
lift = 3
cause = "door-open-button-stuck"

[[faults]]
lift = 1
cause = "building-power-cut"
"""


def test_a_planned_fault_that_never_came_about_is_reported_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "short.toml").write_text(SHORT + TWICE, encoding="utf-8")
    simulate = [*configured(tmp_path, 1), "simulate", "--scenario", str(tmp_path / "short.toml"), "--to"]
    assert liftwatch.main([*simulate, str(tmp_path / "made")]) == 0
    reported = [line for line in capsys.readouterr().err.splitlines() if line.startswith("liftwatch: ")]
    assert reported == ["liftwatch: 1 of 3 planned faults never came about: faults[1] (door-open-button-stuck)"]


@pytest.mark.usefixtures("impatient")
def test_a_broker_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    record = [*configured(tmp_path, port), "record", str(tmp_path / "taken")]
    assert f"the broker 127.0.0.1:{port} cannot be used" in complaint(capsys, record)


@pytest.mark.parametrize("command", ["monitor", "serve"])
def test_what_is_no_address_of_a_database_is_one_line(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = "[records]\nurl = 'mysql://127.0.0.1/none'\n"
    assert "write sqlite:////folder/records.db" in complaint(capsys, [*configured(tmp_path, 1, where), command])


def test_a_data_folder_that_cannot_be_made_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    config = configured(tmp_path, 1)
    text = (tmp_path / "liftwatch.toml").read_text(encoding="utf-8").replace(f"'{tmp_path}'", f"'{tmp_path}/file/d'")
    (tmp_path / "liftwatch.toml").write_text(text, encoding="utf-8")
    assert "cannot be made" in complaint(capsys, [*config, "monitor"])


def test_a_journal_that_lost_its_end_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal.open(tmp_path / "journal") as journal:
        journal.append([(1, "lift/v1/anji/A1/bundle", b"." * 1800, False)] * 1000)
    os.truncate(tmp_path / "journal" / "data.mdb", 100_000)
    assert "Put a whole copy of the folder back" in complaint(capsys, [*configured(tmp_path, 1), "monitor"])


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "none" / "out.json"
    assert str(where) in complaint(capsys, [*configured(tmp_path, 1), "lifts", "export", str(where)])


def test_a_check_prints_no_password(
    tmp_path: Path, postgres_server: str, broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    where = f"[records]\nurl = '{postgres_server.replace('@', ':hush@')}/postgres'\n"
    assert liftwatch.main([*configured(tmp_path, broker.port, where), "check-config"]) == 0
    output = capsys.readouterr()
    assert "postgresql" in output.out
    assert "hush" not in output.out + output.err


def test_a_port_in_use_is_reported_with_its_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        reported = complaint(capsys, ["demo", "--broker-port", str(port), "--port", str(free_port())])
        assert f"port {port}, which the broker would use" in reported
        assert "--broker-port" in reported
        reported = complaint(capsys, [*configured(tmp_path, 1, f"[dashboards]\nport = {port}\n"), "serve"])
        assert f"port {port}" in reported


@pytest.mark.usefixtures("impatient")
def test_check_config_tries_everything_and_reports_each_result(
    tmp_path: Path, broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert liftwatch.main([*configured(tmp_path, broker.port), "check-config"]) == 0
    output = capsys.readouterr().out
    assert output.count("ok ") == 6
    assert liftwatch.main([*configured(tmp_path, free_port()), "check-config"]) == 2
    assert "FAULT  broker" in capsys.readouterr().out


@pytest.mark.parametrize(("command", "alone"), [("monitor", True), ("serve", False)])
def test_the_monitor_alone_lets_polars_have_no_threads_beside_its_own(command: str, alone: bool) -> None:
    line = f"""if True:
        import liftwatch, os
        liftwatch.parse([{command!r}])
        import polars
        print(os.environ.get('POLARS_MAX_THREADS'), polars.thread_pool_size())"""
    environment = {name: value for name, value in os.environ.items() if name != "POLARS_MAX_THREADS"}
    output = subprocess.check_output([sys.executable, "-c", line], env=environment, text=True).split()
    assert output == ["1", "1"] if alone else output[0] == "None"


@pytest.mark.parametrize(("named", "hint"), [("injct", "did you mean inject?"), ("zzz", "known here: audit, broker")])
def test_an_unknown_command_is_refused_with_the_nearest_known_name(
    named: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        liftwatch.main([named, "--help"])
    assert end.value.code == 2
    assert f"liftwatch: error: argument COMMAND: {named!r} is not a command; {hint}" in capsys.readouterr().err


def test_verbose_does_not_log_the_addresses_that_contain_tokens_of_others(tmp_path: Path) -> None:
    line = f"""import logging, liftwatch
        liftwatch.main(["--verbose", "--config", {str(tmp_path / "none.toml")!r}, "people", "list"])
        logging.getLogger("store").debug("ours")
        logging.getLogger("apprise").debug("secret-1")
        logging.getLogger("urllib3.connectionpool").debug("secret-1")"""
    logged = subprocess.run(
        [sys.executable, "-c", textwrap.dedent("        " + line)], capture_output=True, text=True, check=True
    )
    assert "ours" in logged.stderr
    assert "secret-1" not in logged.stderr


def test_a_command_line_without_a_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        liftwatch.main(["--verbose"])
    assert end.value.code == 2
    assert capsys.readouterr().err.endswith("the following arguments are required: COMMAND\n")


def test_the_help_lists_every_command_with_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        liftwatch.main(["--help"])
    assert end.value.code == 0
    output = capsys.readouterr().out
    assert output.startswith("usage: liftwatch [-h] [--config CONFIG] [--verbose] COMMAND ...\n")
    for name, command in liftwatch.COMMANDS.items():
        assert f"\n  {name:<14}{command.help}\n" in output


def test_the_largest_seed_is_the_simulators() -> None:
    assert arguments.SEED_LIMIT == scenario.SEED_LIMIT


def test_a_line_of_log_has_its_time_in_utc_and_no_line_break_of_a_value() -> None:
    record = logging.LogRecord("liftwatch", logging.WARNING, __file__, 1, "topic %s", ("a\n2001 forged",), None)
    record.created, record.msecs = 1_000_000_000.25, 250.0
    line = liftwatch.log_format().format(record)
    assert line == "2001-09-09 01:46:40.250Z WARNING liftwatch: topic a\\n2001 forged"
