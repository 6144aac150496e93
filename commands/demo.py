"""`liftwatch demo`: broker, monitor, dashboards and a simulated fleet on this machine, each a process of its own.

A process that dies is started again; Ctrl-C ends all of them, in the order that loses nothing. Nothing is left behind
except the folder of `--data`.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from commands import arguments
from commands.child_process import (
    LOOPBACK,
    ChildProcess,
    is_listening,
    last_line,
    own_command,
    refuse_taken_port,
    supervise,
)
from commands.demonstration import rescue
from commands.demonstration.telephones import SmsGateway
from commands.secure_demo import DISTRICTS_FILE, RUSH_HOUR, secure_hints, secure_ports, secure_processes
from configuration import Configuration

EXPECTED_ERRORS: tuple[type[Exception], ...] = ()
CONFIG_NAME = "liftwatch.toml"
RESCUE_AFTER_S = 20
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Sent by a person, by a supervisor, and by a terminal that is closed."""
MOSQUITTO_PATH = "/usr/sbin:/usr/local/sbin"
"""Where Debian and others put Mosquitto: not on the PATH of ordinary users."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--lifts", type=arguments.count, default=50, help="how many lifts (default 50)")
    which = "which fleet: the same seed gives the same lifts (default 1)"
    parser.add_argument("--seed", type=arguments.seed, default=1, help=which)
    broker = "the broker's port (default 1883; with --secure 8883, and the next two)"
    parser.add_argument("--broker-port", type=arguments.port, help=broker)
    parser.add_argument("--port", type=arguments.port, default=8080, help="the pages' port (default 8080)")
    where = "keep the data in this folder (default: a new one, removed at the end)"
    parser.add_argument("--data", type=Path, help=where)
    rate = "faults by themselves, per hour over the fleet (default 6)"
    parser.add_argument("--faults-per-hour", type=float, default=6.0, help=rate)
    past = "days of history to begin with (default 30; 0: none)"
    parser.add_argument("--history-days", type=int, default=30, metavar="DAYS", help=past)
    play = "play a rescue 20 s after the start (default: yes, without --secure)"
    parser.add_argument("--rescue", action=argparse.BooleanOptionalAction, default=True, help=play)
    takes = "minutes that the played rescue takes (default 5)"
    parser.add_argument("--rescue-minutes", type=arguments.seconds, default=rescue.MINUTES, metavar="N", help=takes)
    parser.add_argument("--secure", action="store_true", help="with TLS, passwords and certificates")


def run(options: argparse.Namespace, _: Configuration) -> int:
    """Run the demonstration until SIGINT, SIGTERM or SIGHUP."""
    options.broker_port = options.broker_port or (8883 if options.secure else 1883)
    for port in secure_ports(options.broker_port).values() if options.secure else [options.broker_port]:
        refuse_taken_port("the broker", port, "--broker-port")
    refuse_taken_port("the pages", options.port, "--port")
    for number in ENDING_SIGNALS:  # SIGINT too: a shell starts a script's background jobs with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    with data_folder(options.data) as data:
        children = processes(options, data)
        try:
            make_history(options, data)
            for child in children:
                print_line(f"starting {child.name} …")
                child.start()
                child.wait_until_ready()
            hints = (
                secure_hints(options, data)
                if options.secure
                else [f"Liftwatch is at http://{LOOPBACK}:{options.port}/"]
            )
            print_line("\n" + "\n".join(f"  {hint}" for hint in hints))
            print_line("  Inject a fault into a lift on its page, or:")
            print_line(f"    {sys.argv[0]} --config {data / CONFIG_NAME} inject sim-00001 governor-overspeed")
            print_line(f"  Logs: {data}.  Ctrl-C ends the demonstration.\n")
            if options.rescue and not options.secure:
                play_rescue(options)
            supervise(children)
        except KeyboardInterrupt:
            print_line("\nending …")
        finally:
            for number in ENDING_SIGNALS:  # a second Ctrl-C must not leave children behind
                signal.signal(number, signal.SIG_IGN)
            for child in reversed(children):
                child.end()
    print_line("ended.")
    return 0


def make_history(options: argparse.Namespace, data: Path) -> None:
    """Write days of history into a new folder of data; one that has incidents is left as it is."""
    if options.history_days <= 0:
        return
    print_line(f"making {options.history_days} days of history …")
    fleet = ["--lifts", str(options.lifts), "--seed", str(options.seed), "--days", str(options.history_days)]
    fleet += [] if options.secure else ["--firms"]
    config = data / ("monitor.toml" if options.secure else CONFIG_NAME)
    with (data / "history.log").open("ab") as out:
        done = subprocess.run([*own_command(config), "history", *fleet], stdout=out, stderr=out, check=False)
    if done.returncode:
        print_line(f"  there is none: {last_line(data / 'history.log')}")


def play_rescue(options: argparse.Namespace) -> None:
    """Play a rescue beside the demonstration, which it does not hold up."""
    number = 1 + options.lifts // 2
    address, lift_id = f"http://{LOOPBACK}:{options.port}", f"sim-{number:05}"
    print_line(f"  In {RESCUE_AFTER_S} s somebody is shut in {lift_id}: watch the rescue at {address}/incidents\n")
    played = (address, lift_id, RESCUE_AFTER_S, options.rescue_minutes / rescue.MINUTES)
    threading.Thread(target=rescue.play, args=played, daemon=True).start()


@contextlib.contextmanager
def data_folder(asked: Path | None) -> Iterator[Path]:
    """Yield the folder `asked`, or a temporary one that is removed at the end."""
    if asked is not None:
        asked.mkdir(parents=True, exist_ok=True)
        yield asked.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="liftwatch-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def processes(options: argparse.Namespace, data: Path) -> list[ChildProcess]:
    """Return the processes of the demonstration, in the order of their starts."""
    if options.secure:
        return secure_processes(options, data, find_mosquitto(), data / CONFIG_NAME)
    return [broker_process(options, data), *own_processes(options, data)]


def broker_process(options: argparse.Namespace, data: Path) -> ChildProcess:
    """Return the broker: Mosquitto where it is installed, else the one written in Python."""
    mosquitto, port = find_mosquitto(), options.broker_port
    if mosquitto is None:
        print_line("no Mosquitto on this machine: using the broker written in Python (some thousand messages a second)")
        command = [*own_command(None), "broker", "--port", str(port)]
    else:
        path = data / "mosquitto.conf"
        path.write_text(mosquitto_configuration(port, data), encoding="utf-8")
        command = [mosquitto, "-c", str(path)]
    return ChildProcess("broker", command, data / "broker.log", functools.partial(is_listening, port))


def find_mosquitto() -> str | None:
    """Return the path of Mosquitto, None where it is not installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=MOSQUITTO_PATH)


def mosquitto_configuration(port: int, data: Path) -> str:
    """Return a Mosquitto configuration for loopback with high limits, saving sessions in `data`."""
    return (
        f"listener {port} {LOOPBACK}\nallow_anonymous true\nset_tcp_nodelay true\n"
        "max_inflight_messages 5000\nmax_queued_messages 0\nmax_queued_bytes 268435456\n"
        f"persistence true\npersistence_location {data}/\nautosave_interval 5\n"
        + ("user root\n" if os.geteuid() == 0 else "")  # else it gives up the right to write there
        + "log_type warning\nlog_type error\n"
    )


def own_processes(options: argparse.Namespace, data: Path) -> list[ChildProcess]:
    """Return monitor, dashboards and simulator, which share one configuration file."""
    path = data / CONFIG_NAME
    protocol = "auto" if find_mosquitto() else "3.1.1"  # the broker written in Python is silent to MQTT 5
    path.write_text(
        f"[broker]\nport = {options.broker_port}\nprotocol = '{protocol}'\n"
        f"[monitor]\ndata_dir = '{data}'\njournal_limit_mb = 1024\nhttp_port = 0\n"
        f"[dashboards]\nport = {options.port}\ndemo = true\n[map]\ndistricts_file = '{DISTRICTS_FILE}'\n"
        "[sign_in]\nopen_with_accounts = true\n" + SmsGateway(data / "telephones.log").configuration,
        encoding="utf-8",
    )
    own = own_command(path)
    fleet = ["--lifts", str(options.lifts), "--seed", str(options.seed), "--hour", RUSH_HOUR]
    faults = ["--faults-per-hour", str(options.faults_per_hour), "--labels", str(data / "labels.jsonl")]
    monitor_log = data / "monitor.log"
    return [
        ChildProcess("monitor", [*own, "monitor"], monitor_log, lambda: b"receiving from" in monitor_log.read_bytes()),
        ChildProcess("dashboards", [*own, "serve"], data / "dashboards.log", lambda: is_healthy(options.port)),
        ChildProcess(
            "simulator", [*own, "simulate", "--register", *faults, *fleet], data / "simulator.log", lambda: True
        ),
    ]


def is_healthy(port: int) -> bool:
    """Return whether the dashboards answer on a loopback port."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/healthz", timeout=2):  # nosec B310
            return True
    except (urllib.error.URLError, OSError):
        return False


def print_line(text: str) -> None:
    """Print a line at once, also where standard output is a file."""
    print(text, flush=True)
