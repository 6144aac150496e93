"""A running scenario: lifts, world, terminals and network together, second by second.

world ─► terminals ─► terminal faults ─┬─► columns, or messages, that arrive when they are sent
                                       └─► messages ─► network ─► in the order of arrival
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from simulator.faults import labels
from simulator.faults.labels import Label
from simulator.scenarios.fault_plan import fault_requests
from simulator.scenarios.scenario import Scenario, scenario_lifts
from simulator.terminals.decoded_columns import ColumnEncoder
from simulator.terminals.messages import MessageEncoder, Packet, lifts_per_message
from simulator.terminals.network import Connections, NetworkConditions
from simulator.terminals.terminal_faults import TerminalFaults
from simulator.terminals.terminals import NS, Reports, Terminals, select_lifts
from simulator.world.world import World
from telemetry.batch import Decoded
from telemetry.groups import joined
from telemetry.streams import Entry
from telemetry.wire.decode import decode


class Simulation:
    """The lifts of a scenario, simulated from `start_ns` on.

    `part` selects the lifts to simulate (0 is the first); the output of a lift does not depend on the selection.
    """

    def __init__(self, scenario: Scenario, start_ns: int, part: slice = slice(None)) -> None:
        self.scenario, form = scenario, scenario.form
        every = scenario_lifts(scenario)
        self.facts = every[part]
        self.encoder, self.columns = MessageEncoder(self.facts, form, part.start or 0), ColumnEncoder(self.facts)
        self.terminals = Terminals(self.facts, start_ns, scenario.idle_hz, apart=form == "streams")
        self.plan = fault_requests(scenario, every)
        self.world = World(
            self.facts,
            scenario.seed,
            start_ns,
            first=part.start or 0,
            lifts_per_message=lifts_per_message(form),
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
        self.perfect = scenario.network == NetworkConditions()
        self.terminal_faults = TerminalFaults(scenario.network, scenario.seed, number)
        self.connections = Connections(
            scenario.network, scenario.seed, number, self.encoder.offline_status, form == "gateway"
        )
        self.ended_labels: list[Label] = []
        self.labelled: set[tuple[str, str, int]] = set()

    def report(self) -> Reports:
        """Simulate one second and return the reports of the terminals; labels that ended in it are added to
        `ended_labels`."""
        number, bad = self.world.seconds, not self.perfect
        if bad:
            self.terminal_faults.restart(self.world.cars.boots[: len(self.world)], number)
        second = self.world.step()
        self.ended_labels += second.labels
        reports = self.terminals.report(self.world, second, self.terminal_faults.down)
        return self.terminal_faults.apply(reports, number) if bad else reports

    def step(self) -> list[Packet]:
        """Simulate one second and return the messages that arrive in it, in the order of arrival."""
        immediate, packets = self._step_network()
        return sorted(packets + self.encoder.packets(immediate), key=lambda packet: packet.sent_ns)

    def decoded(self) -> Decoded:
        """Simulate one second and return the messages that arrive in it, as the columns of the monitor's decoder."""
        immediate, packets = self._step_network()
        return joined([self.columns.decoded(immediate), *self._read(packets)])

    def remaining_packets(self) -> list[Packet]:
        """Return the messages still in transit at the end of the world, as if every connection were restored then."""
        return self.connections.deliver_all(self.world.calendar.instant_ns(self.world.seconds - 1) + NS)

    def remaining_decoded(self) -> Iterator[Decoded]:
        """Yield the columns of the messages still in transit at the end of the world."""
        return self._read(self.remaining_packets())

    def labels(self) -> list[dict[str, object]]:
        """Return the labels that ended since the last call, as written to a file."""
        ended, self.ended_labels = self.ended_labels, []
        self.labelled |= {(self.facts[one.lift].lift_id, one.cause.slug, one.number) for one in ended}
        return [labels.row(one, self.facts[one.lift].lift_id, self.world.calendar) for one in ended]

    def missing_faults(self) -> str | None:
        """Return one line on the planned faults that never began; call when all labels are written."""
        labelled = Counter((lift_id, cause) for lift_id, cause, _ in self.labelled)
        own = {lift.lift_id for lift in self.facts}
        asked = [one for one in self.plan if one.name and one.lift_id in own]
        missing = []
        for one in asked:
            labelled[one.lift_id, one.cause] -= 1
            if labelled[one.lift_id, one.cause] < 0:
                missing.append(f"{one.name} ({one.cause})")
        if not missing:
            return None
        return f"{len(missing)} of {len(asked)} planned faults never came about: {', '.join(dict.fromkeys(missing))}"

    def _step_network(self) -> tuple[Reports, list[Packet]]:
        """Simulate one second; return the reports that arrive at once, and the messages that arrive through the
        network."""
        reports, number = self.report(), self.world.seconds - 1
        scrambled = self.world.cars.condition.scrambled[: len(self.world)]
        separate = reports.cut | self.connections.interrupted | (scrambled > 0)
        routed = separate if self.perfect else np.ones_like(separate)
        if not routed.any():
            return reports, []
        packets = self.encoder.packets(select_lifts(reports, routed)._replace(cut=separate))
        until_ns = self.world.calendar.instant_ns(number) + 2 * NS
        packets, back = self.connections.deliver(packets, reports.cut, scrambled, number, until_ns)
        # Reconnected lifts send their status in the next second.
        self.world.cars.log.status.append(np.array(back, dtype=np.intp))
        return select_lifts(reports, ~routed), packets

    def _read(self, packets: Sequence[Packet]) -> Iterator[Decoded]:
        if packets:
            first = self.columns.position + 1
            self.columns.position += len(packets)
            yield decode([Entry(k, one.sent_ns, one.topic, one.payload) for k, one in enumerate(packets, first)])


def decoded_seconds(simulation: Simulation) -> Iterator[Decoded]:
    """Yield the columns of each second of the scenario, and finally those of the messages still in transit."""
    while simulation.world.seconds < simulation.scenario.seconds:
        yield simulation.decoded()
    yield from simulation.remaining_decoded()
    simulation.ended_labels += simulation.world.unfinished()
