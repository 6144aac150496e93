"""Pure up-peaks over a grid of buildings: the simulation compared with the formula of traffic planning.

The lifts are those of a simulated world; only its traffic is set. Everybody enters at the main terminal, more people
than the lifts can carry, so that each car leaves comfortably full. The round trip, in seconds:

    simulated  the time of the cars from leaving the main terminal to leaving it again
    standard   2 H t_v + (S + 1) t_s + 2 P t_p: every flight as if it reached the rated speed
    flights    the same with the time that each flight's length takes, by the expected number of each
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from registry.facts import Floor, LiftFacts
from simulator.buildings import round_trip, stop_times
from simulator.buildings.traffic import UP_PEAK
from simulator.cars import drive
from simulator.cars.state import RUN, Cars
from simulator.maths import scurve
from simulator.world.world import World
from telemetry.arrays import F64

FLOORS = (10, 15, 20, 25, 30)
RATED_MPS = (1.0, 1.6, 1.75, 2.5)
RATED_KG = (630.0, 1000.0, 1275.0, 1600.0)
LIFTS = (1, 2, 4, 6, 8)
PITCH_M = 3.6
WARM_UP_S = 600
START_NS = 1_000_000_000 * 10**9
BOUND = 0.05


class PeakBuilding(NamedTuple):
    """One building of the grid: `floors` above the main terminal, and a group of `lifts` alike."""

    floors: int
    rated_mps: float
    rated_kg: float
    lifts: int


@dataclass(frozen=True, slots=True)
class UpPeak:
    """The results for one building: round trips, people in a car, round-trip times, people carried in five minutes."""

    floors: int
    rated_mps: float
    rated_kg: float
    lifts: int
    trips: int
    people_simulated: float
    people_planned: float
    simulated_s: float
    standard_s: float
    flights_s: float
    carried_simulated: float
    carried_planned: float

    @property
    def rtt_error(self) -> float:
        """The relative difference of the simulated round trip from the planned one."""
        return self.simulated_s / self.flights_s - 1

    @property
    def standard_error(self) -> float:
        """The relative difference of the simulated round trip from the standard formula."""
        return self.simulated_s / self.standard_s - 1

    @property
    def carried_error(self) -> float:
        """The relative difference of the people carried from the plan."""
        return self.carried_simulated / self.carried_planned - 1


def grid() -> list[PeakBuilding]:
    """Return the whole grid."""
    return [PeakBuilding(*one) for one in product(FLOORS, RATED_MPS, RATED_KG, LIFTS)]


def measure(buildings: Sequence[PeakBuilding], seconds: int, seed: int = 1) -> list[UpPeak]:
    """Simulate `seconds` of an established up-peak in all these buildings."""
    facts = [_facts(k, b) for k, b in enumerate(buildings) for _ in range(b.lifts)]
    first = np.cumsum([0, *(b.lifts for b in buildings)])
    of = np.repeat(np.arange(len(buildings)), np.diff(first))
    world = World(facts, seed, START_NS, hour=8.0, buildings=first[of].tolist(), traffic=UP_PEAK)
    trips, people, taken_s = _simulate(world, seconds)
    groups = [slice(first[k], first[k + 1]) for k in range(len(buildings))]
    return [_compare(world.cars, b, g, trips, people, taken_s) for b, g in zip(buildings, groups, strict=True)]


def _facts(number: int, building: PeakBuilding) -> LiftFacts:
    floors = tuple(Floor(str(k), k * PITCH_M) for k in range(building.floors + 1))
    return LiftFacts(
        f"building-{number}",
        "grid",
        building_type="office",
        rated_speed_mps=building.rated_mps,
        rated_load_kg=building.rated_kg,
        floors=floors,
    )


def _simulate(world: World, seconds: int) -> tuple[NDArray[np.int64], F64, F64]:
    """Return how many round trips each car made, with how many people in all, and how long they took together."""
    cars = world.cars
    n = len(cars.phase)
    trips, people, first_s = np.zeros(n, dtype=np.int64), np.zeros(n), np.full(n, np.nan)
    left_s = np.full(n, np.nan)
    for second in range(WARM_UP_S + seconds):
        world.step()
        begins_s = cars.trajectories.t[0]
        leaves = (cars.phase == RUN) & (cars.floor == 0) & (cars.target > 0) & (begins_s != left_s)
        left_s[leaves] = begins_s[leaves]
        if second >= WARM_UP_S:
            again = leaves & ~np.isnan(first_s)
            trips += again
            people += again * cars.riders
            first_s[leaves & np.isnan(first_s)] = left_s[leaves & np.isnan(first_s)]
    return trips, people, left_s - first_s


def _compare(
    cars: Cars, building: PeakBuilding, group: slice, trips: NDArray[np.int64], people: F64, taken_s: F64
) -> UpPeak:
    """Compare the simulation of a group with its plan; its cars differ in their doors and in how they creep in."""
    lifts = np.arange(len(cars.phase))[group]
    planned = float(round_trip.car_capacity_persons(np.array(building.rated_kg)))
    standard, flights = np.array([_planned_s(cars, lift, building.floors, planned) for lift in lifts]).T
    flights_s = _harmonic(flights)
    return UpPeak(
        *building,
        trips=int(trips[group].sum()),
        people_simulated=float(people[group].sum() / trips[group].sum()),
        people_planned=planned,
        simulated_s=_harmonic(taken_s[group] / trips[group]),
        standard_s=_harmonic(standard),
        flights_s=flights_s,
        carried_simulated=round_trip.FIVE_MINUTES_S * float((people[group] / taken_s[group]).sum()),
        carried_planned=round_trip.FIVE_MINUTES_S * building.lifts * planned / flights_s,
    )


def _harmonic(times_s: F64) -> float:
    return len(times_s) / float((1 / times_s).sum())


def _planned_s(cars: Cars, lift: int, floors: int, people: float) -> tuple[float, float]:
    """Return the round trip of one lift by the standard formula, and by the flights' own times."""
    landing = np.arange(floors + 1)
    ways_m = PITCH_M * landing.astype(np.float64)
    rows = np.full(floors + 1, lift)
    pieces = scurve.run_pieces(ways_m, drive.run_limits(cars, rows))
    flight_s = np.where(landing > 0, sum(lasts_s for _, lasts_s in pieces), 0.0)
    stop_s, floor_s = cars.lifts.stop_s[lift], PITCH_M / cars.lifts.rated_mps[lift]
    n, p = np.array(float(floors)), np.array(people)
    standard = round_trip.round_trip_s(n, p, floor_s, flight_s[1] - floor_s + stop_s, stop_times.transfer_s())
    at_stops = (round_trip.probable_stops(n, p) + 1) * stop_s + 2 * people * stop_times.transfer_s()
    return float(standard), float(at_stops) + round_trip.flights_s(people, flight_s[np.abs(landing[:, None] - landing)])


def summary(rows: Sequence[UpPeak]) -> str:
    """Return the errors as a table in Markdown, one line for each rated speed and load."""
    errors = ("RTT error: mean", "largest", "by the standard formula: largest", "carried in 5 min: mean", "largest")
    names = ("speed, m/s", "load, kg", "buildings", "trips", *errors)
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for speed, load in sorted({(row.rated_mps, row.rated_kg) for row in rows}):
        lines.append(_line(f"{speed} | {load:.0f}", [r for r in rows if (r.rated_mps, r.rated_kg) == (speed, load)]))
    return "\n".join([*lines, _line("all | all", rows)]) + "\n"


def _line(name: str, rows: Sequence[UpPeak]) -> str:
    errors = [np.array([getattr(row, f"{kind}_error") for row in rows]) for kind in ("rtt", "standard", "carried")]
    rtt, standard, handling_capacity = errors
    cells = [
        name,
        str(len(rows)),
        str(sum(row.trips for row in rows)),
        f"{rtt.mean():+.1%}",
        f"{np.abs(rtt).max():.1%}",
        f"{np.abs(standard).max():.1%}",
        f"{handling_capacity.mean():+.1%}",
        f"{np.abs(handling_capacity).max():.1%}",
    ]
    return f"| {' | '.join(cells)} |"


def plot(rows: Sequence[UpPeak]) -> Figure:
    """Draw simulated against planned: round trips, and people carried in five minutes."""
    figure = Figure(figsize=(9.0, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    pairs = (
        (left, "flights_s", "simulated_s", "round trip, s"),
        (right, "carried_planned", "carried_simulated", "people in 5 min"),
    )
    for axes, planned, simulated, name in pairs:
        x, y = (np.array([getattr(row, column) for row in rows]) for column in (planned, simulated))
        ends = np.array([x.min(), x.max()])
        axes.fill_between(ends, ends * (1 - BOUND), ends * (1 + BOUND), color="#e3e8ee", label=f"within {BOUND:.0%}")
        axes.plot(ends, ends, color="#9aa5b1", lw=1)
        dots = axes.scatter(x, y, s=9, c=[row.floors for row in rows], cmap="viridis")
        axes.set_xlabel(f"planned: {name}")
        axes.set_ylabel(f"simulated: {name}")
        axes.legend(loc="upper left", frameon=False)
    figure.colorbar(dots, ax=right, label="floors above the terminal")
    return figure


def write(rows: Sequence[UpPeak], folder: Path) -> None:
    """Write the table of every building (CSV), the errors (Markdown) and the plot (PNG)."""
    names = [field.name for field in fields(UpPeak)]
    with (folder / "up-peak.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(names)
        table.writerows(_rounded(getattr(row, name) for name in names) for row in rows)
    (folder / "up-peak.md").write_text(_ABOUT + summary(rows), encoding="utf-8")
    plot(rows).savefig(folder / "up-peak.png", dpi=110)


def _rounded(values: Iterable[object]) -> list[object]:
    return [round(value, 3) if isinstance(value, float) else value for value in values]


_ABOUT = """# The up-peak, simulated and planned

Groups of lifts are planned for an up-peak: everybody comes in at the main terminal, and each car leaves filled to 80 %.
Its round trip is, after Barney ("Elevator Traffic Handbook") and CIBSE Guide D,

    RTT = 2 H t_v + (S + 1) t_s + 2 P t_p        UPPHC = 300 L P / RTT
    S = N (1 - (1 - 1/N)^P)        H = N - sum_{i<N} (i/N)^P        P = 0.8 rated load / 75 kg

t_v is a floor at rated speed, t_p what one person takes to step in or out, and t_s what a stop adds: the doors, the
dwell, the delays of stopping and starting, doors sent back or held now and then, and the flight's ramps. The standard
formula takes every flight to reach the rated speed; where one floor is too short for that, the time of each flight by
its length stands in, with the expected number of flights of each length ("planned" below). Everything planned is
computed from the lifts' own constants; nothing is fitted.

`python -m benchmarks.up_peak` simulates the same peaks with the simulator's own lifts, people, calls and doors, and
writes this page, [the table of every building](up-peak.csv) and the plot.

![Simulated against planned](up-peak.png)

"""


def main() -> None:
    """Measure the grid and write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.up_peak", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10_800, help="how long each peak is measured (default 10800)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--into", type=Path, default=Path("docs/world"), help="the folder to write to (default docs/world)"
    )
    options = parser.parse_args()
    rows = measure(grid(), options.seconds, options.seed)
    write(rows, options.into)
    print(summary(rows))


if __name__ == "__main__":
    main()
