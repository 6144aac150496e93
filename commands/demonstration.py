"""The demonstration: broker, monitor, dashboards and a simulated fleet on this machine, each a process of its own.

Whatever dies is started again; Ctrl-C ends all of it, in the order that loses nothing. Nothing is left behind but the
folder that was asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amqtt.broker import Broker

from configuration import PREFIX, Unusable

log = logging.getLogger("liftwatch.demo")

LOOPBACK = "127.0.0.1"
READY_LIMIT_S = 60.0
END_LIMIT_S = 15.0
RESTART_PAUSE_S = 2.0
LOOK_EVERY_S = 0.5
CONFIG_NAME = "liftwatch.toml"
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""A hand, a supervisor, and a terminal that is closed: none may leave it running."""
MOSQUITTO_PLACES = "/usr/sbin:/usr/local/sbin"


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What is shown, and where."""

    lifts: int = 50
    seed: int = 1
    broker_port: int = 1883
    port: int = 8080
    data: Path | None = None
    faults_per_hour: float = 6.0


@dataclass(slots=True)
class Part:
    """A process that is kept running."""

    name: str
    command: Sequence[str]
    log_path: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    due: float = field(default=0.0)

    def start(self) -> None:
        """Start it: its words go to its own file; the terminal's Ctrl-C and a real configuration do not reach it."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        with self.log_path.open("ab") as out:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=out, env=ours, start_new_session=True)
        self.starts += 1

    def end(self) -> None:
        """Ask it to end, and make it where it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            log.warning("%s does not end by itself and is killed", self.name)
            self.process.kill()
            self.process.wait()


def run(demo: Demonstration) -> int:
    """Run until Ctrl-C or SIGTERM."""
    refuse_taken("the broker", demo.broker_port, "--broker-port")
    refuse_taken("the pages", demo.port, "--port")
    for number in ENDINGS:  # SIGINT too: what a script starts with & is born deaf to it
        signal.signal(number, signal.default_int_handler)
    with folder(demo.data) as data:
        parts = [*broker_part(demo, data), *own_parts(demo, data)]
        address = f"http://{LOOPBACK}:{demo.port}/"
        try:
            for part in parts:
                say(f"starting {part.name} …")
                part.start()
                wait_until_ready(part, demo)
            say(f"\n  Liftwatch is at {address}")
            say("  Put a fault into a lift on its page, or:")
            say(f"    {sys.argv[0]} --config {data / CONFIG_NAME} inject sim-00001 governor-overspeed")
            say(f"  Logs: {data}.  Ctrl-C ends all of it.\n")
            supervise(parts)
        except KeyboardInterrupt:
            say("\nending …")
        finally:
            for number in ENDINGS:  # whoever is impatient must wait for all
                signal.signal(number, signal.SIG_IGN)
            for part in reversed(parts):
                part.end()
    say("ended.")
    return 0


def supervise(parts: Sequence[Part]) -> None:
    """Start again whatever ended, until interrupted."""
    while True:
        time.sleep(LOOK_EVERY_S)
        for part in parts:
            if part.process is None or part.process.poll() is None:
                continue
            if not part.due:
                say(f"{part.name} ended ({part.process.returncode}), see {part.log_path}; starting it again")
                part.due = time.monotonic() + RESTART_PAUSE_S
            elif time.monotonic() >= part.due:
                part.due = 0.0
                part.start()


def broker_part(demo: Demonstration, data: Path) -> list[Part]:
    """Return the broker: Mosquitto where there is one, else the one written in Python."""
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path=MOSQUITTO_PLACES)
    if mosquitto is None:
        say("no Mosquitto on this machine: using the broker written in Python (some thousand messages a second)")
        command = [*ourselves(None), "broker", "--port", str(demo.broker_port)]
    else:
        path = data / "mosquitto.conf"
        path.write_text(mosquitto_configuration(demo.broker_port), encoding="utf-8")
        command = [mosquitto, "-c", str(path)]
    return [Part("broker", command, data / "broker.log")]


def mosquitto_configuration(port: int) -> str:
    """Return a configuration for loopback that hands out and keeps enough messages."""
    return (
        f"listener {port} {LOOPBACK}\nallow_anonymous true\nset_tcp_nodelay true\n"
        "max_inflight_messages 0\nmax_queued_messages 0\nmax_queued_bytes 268435456\nlog_type warning\nlog_type error\n"
    )


def own_parts(demo: Demonstration, data: Path) -> list[Part]:
    """Return monitor, dashboards and simulator, sharing one configuration file."""
    path = data / CONFIG_NAME
    path.write_text(
        f"[broker]\nport = {demo.broker_port}\n[monitor]\ndata_dir = '{data}'\njournal_limit_mb = 1024\n"
        f"[dashboards]\nport = {demo.port}\ndemo = true\n",
        encoding="utf-8",
    )
    ours = ourselves(path)
    fleet = ["--lifts", str(demo.lifts), "--seed", str(demo.seed), "--faults-per-hour", str(demo.faults_per_hour)]
    commands = {
        "monitor": [*ours, "monitor"],
        "dashboards": [*ours, "serve"],
        "simulator": [*ours, "simulate", "--register", "--labels", str(data / "labels.jsonl"), *fleet],
    }
    return [Part(name, command, data / f"{name}.log") for name, command in commands.items()]


def ourselves(path: Path | None) -> list[str]:
    """Return the command that runs this program again."""
    return [sys.executable, "-m", "liftwatch", *(["--config", str(path)] if path else [])]


def wait_until_ready(part: Part, demo: Demonstration) -> None:
    """Wait until a part does its work; Unusable, with its last words, where it ended instead."""
    until = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < until:
        if part.process is not None and part.process.poll() is not None:
            raise Unusable(f"{part.name} ended at once: {last_words(part.log_path)}")
        if is_ready(part, demo):
            return
        time.sleep(0.1)
    raise Unusable(f"{part.name} is not ready after {READY_LIMIT_S:.0f} s, see {part.log_path}")


def is_ready(part: Part, demo: Demonstration) -> bool:
    """Say whether a part answers; the monitor is known by its words, the simulator by having started."""
    if part.name == "broker":
        return is_listening(demo.broker_port)
    if part.name == "dashboards":
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{demo.port}/healthz", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False
    return part.name == "simulator" or b"hearing lifts" in part.log_path.read_bytes()


def is_listening(port: int) -> bool:
    """Say whether something listens on a loopback port."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


def refuse_taken(what: str, port: int, option: str) -> None:
    """Raise Unusable where a port cannot be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise Unusable(
                f"port {port}, which {what} would use, cannot be had ({error.strerror}); end what uses it or choose "
                f"another with {option}"
            ) from None


@contextlib.contextmanager
def folder(asked: Path | None) -> Iterator[Path]:
    """Give the folder that was asked for, or one that is removed at the end."""
    if asked is not None:
        asked.mkdir(parents=True, exist_ok=True)
        yield asked.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="liftwatch-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def last_words(path: Path) -> str:
    """Return the last line that a part wrote."""
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)


def serve_broker(port: int) -> int:
    """Run the broker written in Python on loopback until a signal: MQTT 3.1.1 only."""
    refuse_taken("the broker", port, "--port")
    asyncio.run(_serve_broker(port))
    return 0


async def _serve_broker(port: int) -> None:
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{LOOPBACK}:{port}", "max_connections": 1000}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await broker.shutdown()
