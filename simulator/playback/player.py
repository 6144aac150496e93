"""Plays a simulated world to a broker, paced by the clock and spread evenly over each second.

    world's second k ──► bundles ──► sent between k + 1 and k + 2, each lift at its own fraction
    sim/v1/{lift_id}/fault ──► injected before the next second is simulated

At speed 1 the lifts' time is now. A faster world starts in the past and continues at the pace of the clock once it has
caught up: no lift sends readings of the future. When the world ends, each lift publishes that it is offline. The one
connection carries one last will, the first lift's: when it breaks, the others only fall silent.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from mqtt.client import BrokerAddress, LastWill
from mqtt.publisher import Publisher
from simulator.playback.injection import REQUEST_TOPICS, read_request
from simulator.playback.progress import Progress
from simulator.playback.signals import ended_by_signals
from simulator.playback.simulation import Simulation
from simulator.scenarios.scenario import Scenario
from simulator.terminals.messages import Packet
from simulator.terminals.terminals import NS

log = logging.getLogger("liftwatch.simulator")

SLICE_S = 0.02
CLOSE_S = 5.0
BEHIND_S = 5.0
PAST_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class PlayerSettings:
    """The scenario to play, the broker, and the speed.

    `start_ns` is where the lifts' time begins (None: now, or a day ago where `speed` > 1). `seconds` ends the world by
    itself. `labels` is a file that what truly happened is appended to, each symptom as it ends. `part` selects the
    lifts that are played (0 is the first).
    """

    scenario: Scenario = field(default_factory=Scenario)
    address: BrokerAddress = field(default_factory=BrokerAddress)
    speed: float = 1.0
    start_ns: int | None = None
    seconds: int | None = None
    labels: Path | None = None
    part: slice = field(default_factory=lambda: slice(None))

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError(f"speed: {self.speed!r} is not above 0; 1 is real time")


def run(settings: PlayerSettings, stop: threading.Event | None = None) -> None:
    """Play until `stop` is set, Ctrl-C or SIGTERM comes, or `seconds` are over."""
    with ended_by_signals(stop) as ended:
        Player(settings, ended).play()


class Player:
    """A simulated world, its terminals and their connection to the broker."""

    def __init__(self, settings: PlayerSettings, ended: threading.Event) -> None:
        self.settings, self.ended = settings, ended
        self.refused = self.faults = self.bundles = 0
        self.progress = Progress()
        self.simulation = Simulation(settings.scenario, _start_ns(settings), settings.part)
        self.world = self.simulation.world

    def play(self) -> None:
        """Simulate the world second by second and publish its messages."""
        settings = self.settings
        will = self.simulation.encoder.offline_status(0)
        publisher = Publisher(
            settings.address, topics=[REQUEST_TOPICS], will=LastWill(will.topic, will.payload, will.retain)
        )
        now = settings.speed <= 1 and settings.start_ns is None
        self.began = self.world.start_ns / NS if now else time.time()
        try:
            while not self.ended.is_set() and self.world.seconds != settings.seconds:
                self._wait_until(publisher, self.world.calendar.instant_ns(self.world.seconds) + NS)
                self._inject_requested(publisher)
                packets = self.simulation.step()
                self._write_labels(self.simulation.labels())
                self._publish(publisher, packets)
                self._report(publisher)
        finally:
            self.simulation.ended_labels += self.world.unfinished()
            self._write_labels(self.simulation.labels())
            if self.world.seconds == settings.seconds and (missed := self.simulation.missing_faults()):
                log.warning("%s", missed)
            for lift in range(len(self.world)):
                status = self.simulation.encoder.offline_status(lift)
                publisher.publish(status.topic, status.payload, status.retain)
            publisher.flush(CLOSE_S)
            publisher.close()

    def _publish(self, publisher: Publisher, packets: Sequence[Packet]) -> None:
        """Publish the packets of a second, each at its time."""
        until_ns = 0
        for packet in packets:
            if packet.sent_ns >= until_ns:
                if self._wait_until(publisher, packet.sent_ns):
                    return
                until_ns = packet.sent_ns + round(min(SLICE_S * self.settings.speed, 1.0) * NS)
            publisher.publish(packet.topic, packet.payload, packet.retain)
            self.bundles += packet.bundles

    def _wait_until(self, publisher: Publisher, t_ns: int) -> bool:
        """Wait until the world may be this far; return whether it has ended instead."""
        paced = self.began + (t_ns - self.world.start_ns) / NS / self.settings.speed
        present = t_ns / NS if self.settings.speed > 1 else paced
        publisher.wait(max(paced, present) - time.time(), self.ended)
        return self.ended.is_set()

    def _inject_requested(self, publisher: Publisher) -> None:
        """Inject the faults that were requested since the last second."""
        while publisher.received:
            topic, payload = publisher.received.popleft()
            lift_id = topic.split("/")[2]
            try:
                self.world.inject(lift_id, *read_request(orjson.loads(payload)))
                self.faults += 1
            except ValueError as error:
                self.refused += 1
                log.warning("fault for %s refused (%d so far): %s", lift_id[:64], self.refused, error)

    def _write_labels(self, labels: Iterable[Mapping[str, object]]) -> None:
        """Log the symptoms that ended, and append them to the file of labels."""
        for label in labels:
            log.info("%s: %s (%s)", label["lift_id"], label["symptom"], label["cause"])
            if self.settings.labels is not None:
                with self.settings.labels.open("ab") as file:
                    file.write(orjson.dumps(label) + b"\n")

    def _report(self, publisher: Publisher) -> None:
        """Write the progress to a terminal now and then; warn, also without one, where the world cannot keep up."""
        if not self.progress.due():
            return
        behind_s = time.time() - self.began - (self.world.seconds + 1) / self.settings.speed
        if behind_s > BEHIND_S and self.settings.speed <= 1:
            log.warning("%.0f s behind the clock: fewer lifts, or form gateway, would keep up", behind_s)
        self.progress.write(
            f"simulator: {self.world.seconds} s simulated, {self.bundles} bundles, {publisher.acknowledged} messages "
            f"acknowledged, {publisher.dropped} dropped, {self.faults} faults injected"
            f"{'' if publisher.is_connected else ', no connection to the broker'}"
        )


def _start_ns(settings: PlayerSettings) -> int:
    """Return where the lifts' time begins, a whole second."""
    if settings.start_ns is not None:
        return settings.start_ns // NS * NS
    return int(time.time() - (PAST_S if settings.speed > 1 else 0.0)) * NS
