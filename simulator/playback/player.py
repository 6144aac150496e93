"""Plays a world to a broker: paced by the clock, spread evenly over each second, deaf to nothing but nonsense.

    world's second k ──► bundles ──► sent between k + 1 and k + 2, each lift at its own fraction
    sim/v1/{lift_id}/fault ──► injected before the next second is lived

At speed 1 the lifts' time is now. A faster world starts in the past and goes on at the pace of the clock once it has
caught up: lifts do not speak of the future. When the world ends, each lift says that it is going offline.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from simulator.faults.cause_table import CAUSES, no_cause
from simulator.faults.schedule import Unknown
from simulator.playback.link import Link, say
from simulator.playback.progress import Progress
from simulator.playback.simulation import Scene
from simulator.scenarios.scenario import Scenario
from simulator.terminals.messages import Packet
from simulator.terminals.terminals import NS
from telemetry.streams import LIFT_ID_PATTERN

log = logging.getLogger("liftwatch.simulator")

SLICE_S = 0.02
CLOSE_S = 5.0
BEHIND_S = 5.0
PAST_S = 24 * 3600.0
FOR_LIMIT_S = (1.0, 86_400.0)


@dataclass(frozen=True, slots=True)
class Settings:
    """What to play, where, and how fast.

    `start_ns` is where the lifts' time begins (None: now, or a day ago where `speed` > 1). `seconds` ends the world by
    itself. `labels` is a file that what truly happened is appended to, each symptom as it ends.
    """

    scenario: Scenario = field(default_factory=Scenario)
    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = None
    speed: float = 1.0
    start_ns: int | None = None
    seconds: int | None = None
    labels: Path | None = None

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError(f"speed: {self.speed!r} is not above 0; 1 is real time")


def run(settings: Settings, stop: threading.Event | None = None) -> None:
    """Play until `stop` is set, Ctrl-C or SIGTERM comes, or `seconds` are over."""
    with ended_by_signals(stop) as ended:
        Player(settings, ended).play()


@contextmanager
def ended_by_signals(stop: threading.Event | None = None) -> Iterator[threading.Event]:
    """Give `stop`, or a new event, that Ctrl-C and SIGTERM set meanwhile, where the process's signals are ours."""
    ended = stop or threading.Event()
    ours = threading.current_thread() is threading.main_thread()
    before = {n: signal.signal(n, lambda *_: ended.set()) for n in (signal.SIGINT, signal.SIGTERM) if ours}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def inject(
    host: str,
    port: int,
    lift_id: str,
    cause: str,
    for_s: float | None = None,
    username: str | None = None,
    password: str | None = None,
) -> None:
    """Ask the simulator that listens at this broker for a fault; OSError where the broker is not there or says no."""
    slug, lasts_s = asked({"cause": cause} if for_s is None else {"cause": cause, "for_s": for_s})
    if not LIFT_ID_PATTERN.fullmatch(lift_id):
        raise Unknown(f"lift_id: {lift_id!r} is not a lift's id")
    say(host, port, username, password, f"sim/v1/{lift_id}/fault", orjson.dumps({"cause": slug, "for_s": lasts_s}))


def asked(body: Any) -> tuple[str, float]:
    """Return cause and duration of a request for a fault; raise Unknown where it is not one."""
    if not isinstance(body, dict) or not isinstance(body.get("cause"), str):
        raise Unknown('give an object such as {"cause": "power-cut", "for_s": 60}')
    if body["cause"] not in CAUSES:
        raise Unknown(no_cause(body["cause"]))
    cause = CAUSES[body["cause"]]
    for_s = body.get("for_s", cause.default_s)
    low, high = FOR_LIMIT_S
    if isinstance(for_s, bool) or not isinstance(for_s, int | float) or not low <= for_s <= high:
        raise Unknown(f"for_s: {for_s!r} is not a number of seconds from {low:.0f} to {high:.0f}")
    return cause.slug, float(for_s)


class Player:
    """A world, its terminals and their connection."""

    def __init__(self, settings: Settings, ended: threading.Event) -> None:
        self.settings, self.ended = settings, ended
        self.refused = self.faults = self.bundles = 0
        self.progress = Progress()
        self.scene = Scene(settings.scenario, _start_ns(settings))
        self.world = self.scene.world

    def play(self) -> None:
        """Step the world and send what it saw, second by second."""
        settings = self.settings
        will = self.scene.packer.offline(0)
        link = Link(settings.host, settings.port, settings.username, settings.password, will)
        now = settings.speed <= 1 and settings.start_ns is None
        self.began = self.world.start_ns / NS if now else time.time()
        try:
            while not self.ended.is_set() and self.world.seconds != settings.seconds:
                self._wait_until(link, self.world.calendar.at_ns(self.world.seconds) + NS)
                self._listen(link)
                packets = self.scene.step()
                self._write(self.scene.labels())
                self._send(link, packets)
                self._show(link)
        finally:
            self.scene.happened += self.world.unfinished()
            self._write(self.scene.labels())
            if self.world.seconds == settings.seconds and (missed := self.scene.missed()):
                log.warning("%s", missed)
            for lift in range(len(self.world)):
                link.publish(self.scene.packer.offline(lift))
            link.close(CLOSE_S)

    def _send(self, link: Link, packets: Sequence[Packet]) -> None:
        """Send what arrives until the second that was just lived is said, each packet at its time."""
        until_ns = 0
        for packet in packets:
            if packet.sent_ns >= until_ns:
                if self._wait_until(link, packet.sent_ns):
                    return
                until_ns = packet.sent_ns + round(min(SLICE_S * self.settings.speed, 1.0) * NS)
            link.publish(packet)
            self.bundles += packet.bundles

    def _wait_until(self, link: Link, t_ns: int) -> bool:
        """Wait until the world may be this far; say whether it has ended instead."""
        paced = self.began + (t_ns - self.world.start_ns) / NS / self.settings.speed
        present = t_ns / NS if self.settings.speed > 1 else paced
        link.attend(max(paced, present) - time.time(), self.ended)
        return self.ended.is_set()

    def _listen(self, link: Link) -> None:
        """Take in the faults that were asked for."""
        while link.heard:
            topic, payload = link.heard.popleft()
            lift_id = topic.split("/")[2]
            try:
                self.world.inject(lift_id, *asked(orjson.loads(payload)))
                self.faults += 1
            except ValueError as error:
                self.refused += 1
                log.warning("fault for %s refused (%d so far): %s", lift_id[:64], self.refused, error)

    def _write(self, labels: Iterable[Mapping[str, object]]) -> None:
        """Append what truly happened to the labels."""
        for label in labels:
            log.info("%s: %s (%s)", label["lift_id"], label["symptom"], label["cause"])
            if self.settings.labels is not None:
                with self.settings.labels.open("ab") as file:
                    file.write(orjson.dumps(label) + b"\n")

    def _show(self, link: Link) -> None:
        """Tell how it goes; where nobody watches, too, that we cannot keep up."""
        if not self.progress.due():
            return
        behind_s = time.time() - self.began - (self.world.seconds + 1) / self.settings.speed
        if behind_s > BEHIND_S and self.settings.speed <= 1:
            log.warning("%.0f s behind the clock: fewer lifts, or form gateway, would keep up", behind_s)
        self.progress.write(
            f"simulator: {self.world.seconds} s lived, {self.bundles} bundles, {link.acknowledged} messages "
            f"acknowledged, {link.dropped} dropped, {self.faults} faults asked for"
            f"{'' if link.up else ', the broker is away'}"
        )


def _start_ns(settings: Settings) -> int:
    """Return where the lifts' time begins, a whole second."""
    if settings.start_ns is not None:
        return settings.start_ns // NS * NS
    return int(time.time() - (PAST_S if settings.speed > 1 else 0.0)) * NS
