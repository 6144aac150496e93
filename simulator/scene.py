"""A scenario come alive: its lifts, their world and their terminals, second by second, and what truly happened."""

from __future__ import annotations

from collections.abc import Iterator

from simulator import labels
from simulator.columns import Direct
from simulator.fleet import fleet
from simulator.labels import Label
from simulator.scenario import Scenario, planned
from simulator.terminals import Spoken, Terminals
from simulator.world import World
from telemetry.batch import Decoded


class Scene:
    """The lifts of a scenario, living from `start_ns` on; `together` of them share their fraction of the second.

    `part` is which of the lifts live here (0 is the first); each lives as it does among all.
    """

    def __init__(self, scenario: Scenario, start_ns: int, together: int = 1, part: slice = slice(None)) -> None:
        self.scenario = scenario
        every = fleet(scenario.lifts, scenario.seed)
        self.facts = every[part]
        self.terminals = Terminals(self.facts, start_ns, scenario.idle_hz)
        self.world = World(
            self.facts,
            scenario.seed,
            start_ns,
            first=part.start or 0,
            together=together,
            vibration=scenario.vibration,
            faults_per_lift_hour=scenario.faults_per_hour / scenario.lifts,
            hour=scenario.traffic_hour,
            plan=planned(scenario, every),
            barometers=scenario.barometers,
            day_s=scenario.day_s,
        )
        self.happened: list[Label] = []

    def step(self) -> Spoken:
        """Live through one second; what showed itself in it is `happened`."""
        second = self.world.step()
        self.happened += second.labels
        return self.terminals.speak(self.world, second)

    def labels(self) -> list[dict[str, object]]:
        """Return what has happened since this was asked last, as it is written."""
        happened, self.happened = self.happened, []
        return [self.label(one) for one in happened]

    def label(self, label: Label) -> dict[str, object]:
        """Return what truly happened as it is written."""
        return labels.row(label, self.facts[label.lift].lift_id, self.world.calendar)


def told(scene: Scene) -> Iterator[Decoded]:
    """Yield what the lifts say of each second of the scenario, as the monitor's decoder would make it, to the end."""
    columns = Direct(scene.facts)
    while scene.world.seconds < scene.scenario.seconds:
        yield columns.decoded(scene.step())
    scene.happened += scene.world.unfinished()
