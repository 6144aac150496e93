"""A scenario come alive: its lifts, their world, their terminals and their network, second by second.

world ─► terminals ─► mishaps ─┬─► columns, or packets, that arrive as soon as they are said
                               └─► packets ─► network ─► in the order of arrival
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from simulator.faults import labels
from simulator.faults.labels import Label
from simulator.scenarios.scenario import Scenario, inhabitants, planned
from simulator.terminals.decoded_columns import Direct
from simulator.terminals.messages import Packer, Packet, together
from simulator.terminals.network import Conditions, Paths
from simulator.terminals.terminal_faults import Mishaps
from simulator.terminals.terminals import NS, Spoken, Terminals, of
from simulator.world.world import World
from telemetry.batch import Decoded
from telemetry.groups import joined
from telemetry.streams import Entry
from telemetry.wire.decode import decode


class Scene:
    """The lifts of a scenario, living from `start_ns` on.

    `part` is which of the lifts live here (0 is the first); each lives as it does among all.
    """

    def __init__(self, scenario: Scenario, start_ns: int, part: slice = slice(None)) -> None:
        self.scenario, form = scenario, scenario.form
        every = inhabitants(scenario)
        self.facts = every[part]
        self.packer, self.columns = Packer(self.facts, form, part.start or 0), Direct(self.facts)
        self.terminals = Terminals(self.facts, start_ns, scenario.idle_hz, apart=form == "streams")
        self.plan = planned(scenario, every)
        self.world = World(
            self.facts,
            scenario.seed,
            start_ns,
            first=part.start or 0,
            together=together(form),
            vibration=scenario.vibration,
            wave_hz=scenario.wave_hz,
            machine=[every[number - 1].lift_id for number in scenario.machines],
            faults_per_lift_hour=scenario.faults_per_hour / scenario.lifts,
            hazard=scenario.hazard,
            hour=scenario.traffic_hour,
            plan=self.plan,
            day_s=scenario.day_s,
            days=scenario.days,
            heartbeat_s=scenario.heartbeat_s,
            offices=scenario.buildings.office,
        )
        number = self.world.cars.lifts.number[: len(self.world)]
        self.perfect = scenario.network == Conditions()
        self.mishaps = Mishaps(scenario.network, scenario.seed, number)
        self.paths = Paths(scenario.network, scenario.seed, number, self.packer.offline, form == "gateway")
        self.happened: list[Label] = []
        self.came: set[tuple[str, str, int]] = set()

    def speak(self) -> Spoken:
        """Live through one second and return what the terminals say of it; what showed itself in it is `happened`."""
        number, bad = self.world.seconds, not self.perfect
        if bad:
            self.mishaps.restart(self.world.cars.boots[: len(self.world)], number)
        second = self.world.step()
        self.happened += second.labels
        spoken = self.terminals.speak(self.world, second, self.mishaps.down)
        return self.mishaps.spoil(spoken, number) if bad else spoken

    def step(self) -> list[Packet]:
        """Live through one second and return the packets that arrive until all of it is said, in that order."""
        at_once, packets = self._part()
        return sorted(packets + self.packer.packets(at_once), key=lambda packet: packet.sent_ns)

    def decoded(self) -> Decoded:
        """Live through one second and return what arrives until all of it is said, as the monitor's decoder has it."""
        at_once, packets = self._part()
        return joined([self.columns.decoded(at_once), *self._read(packets)])

    def left(self) -> list[Packet]:
        """Return the packets that are still on their way when the world ends, as if every connection were back then."""
        return self.paths.finish(self.world.calendar.instant_ns(self.world.seconds - 1) + NS)

    def rest(self) -> Iterator[Decoded]:
        """Return what is still on its way when the world ends."""
        return self._read(self.left())

    def labels(self) -> list[dict[str, object]]:
        """Return what has happened since this was asked last, as it is written."""
        happened, self.happened = self.happened, []
        self.came |= {(self.facts[one.lift].lift_id, one.cause.slug, one.number) for one in happened}
        return [labels.row(one, self.facts[one.lift].lift_id, self.world.calendar) for one in happened]

    def missed(self) -> str | None:
        """Return, once all has been labelled, one line on the faults of the scenario's plan that never came about."""
        came = Counter((lift_id, cause) for lift_id, cause, _ in self.came)
        own = {lift.lift_id for lift in self.facts}
        asked = [one for one in self.plan if one.name and one.lift_id in own]
        missed = []
        for one in asked:
            came[one.lift_id, one.cause] -= 1
            if came[one.lift_id, one.cause] < 0:
                missed.append(f"{one.name} ({one.cause})")
        if not missed:
            return None
        return f"{len(missed)} of {len(asked)} planned faults never came about: {', '.join(dict.fromkeys(missed))}"

    def _part(self) -> tuple[Spoken, list[Packet]]:
        """Live through one second: what arrives as soon as it is said, and what arrives by ways that are not easy."""
        spoken, number = self.speak(), self.world.seconds - 1
        scrambled = self.world.cars.condition.scrambled[: len(self.world)]
        alone = spoken.cut | self.paths.alone | (scrambled > 0)
        astray = alone if self.perfect else np.ones_like(alone)
        if not astray.any():
            return spoken, []
        packets = self.packer.packets(of(spoken, astray)._replace(cut=alone))
        until_ns = self.world.calendar.instant_ns(number) + 2 * NS
        packets, back = self.paths.carry(packets, spoken.cut, scrambled, number, until_ns)
        self.world.cars.log.status.append(np.array(back, dtype=np.intp))  # who is back says so in the coming second
        return of(spoken, ~astray), packets

    def _read(self, packets: Sequence[Packet]) -> Iterator[Decoded]:
        if packets:
            first = self.columns.position + 1
            self.columns.position += len(packets)
            yield decode([Entry(k, one.sent_ns, one.topic, one.payload) for k, one in enumerate(packets, first)])


def told(scene: Scene) -> Iterator[Decoded]:
    """Yield what arrives, second by second of the scenario, to the end."""
    while scene.world.seconds < scene.scenario.seconds:
        yield scene.decoded()
    yield from scene.rest()
    scene.happened += scene.world.unfinished()
