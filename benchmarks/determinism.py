"""Checks that a world is deterministic, simulated again and cut into parts, by hashes of its outputs.

python -m benchmarks.determinism --long

In each way the world is recorded (one recording for each part), judged, and encoded as packets. Hashes compare the
parts together, by lift: every table without its row numbers, the labels, the alerts of all rules, the trips with their
ride quality, cut from groups of messages of another size in each way, and the packets of each topic.
Exit code 1 where anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import polars as pl

from commands import processes, replay
from commands.simulate import write_recording
from commands.trial import fleet_parts
from detectors.catalogue import RULES
from detectors.observe.rides.table import RideTable
from ingest.recordings.replaying import Replay, wider
from simulator.playback.simulation import Simulation
from simulator.scenarios import library
from simulator.scenarios.scenario import Scenario
from simulator.terminals.messages import Packet
from store.recordings.format import TABLES
from store.recordings.recording import Recording

NUMBERED = ("message", "position")
"""The numbers of rows, which count the messages of one recording."""
SHOWN = 12
EVERY = slice(None)

GROUP_MESSAGES = (20_000, 300)
"""Rides are measured from groups of so many messages: the first where one process judges, the second elsewhere."""

Way = tuple[str, Sequence[slice], int]
"""The name of a way, the parts of the fleet, and the number of processes that judge the recordings."""


def ways(lifts: int) -> list[Way]:
    """Return the ways to simulate the world: whole, whole again, in equal parts, and cut through buildings."""
    odd = [slice(begin, end) for begin, end in pairwise([0, lifts // 7 + 1, lifts // 2 + 3, lifts])]
    parts: list[Way] = [(f"{n} parts", fleet_parts(lifts, n), 1) for n in (2, 3)]
    return [("once", [EVERY], 1), ("again", [EVERY], 2), *parts, ("cut anywhere", odd, 1)]


def hashes(scenario: Scenario, parts: Sequence[slice], judges: int, place: Path) -> dict[str, str]:
    """Return the hashes of one way of simulating the world, by output."""
    folders = [place / str(number) for number in range(len(parts))]
    sent = processes.each(_simulate, [(scenario, *each) for each in zip(parts, folders, strict=True)])
    found = {f"{name}.parquet": _of_table(folders, name) for name in (*TABLES, "facts", "labels")}
    lines = [line for folder in folders for line in replay.judge(folder, RULES, (), judges).lines]
    found[f"alerts ({len(lines)})"] = _of(sorted(lines))
    found["rides"] = _of_rides(folders, GROUP_MESSAGES[judges > 1 or len(parts) > 2])
    topics = {topic: digest for digests in sent for topic, digest in digests.items()}
    found["packets"] = _of(f"{topic} {digest}".encode() for topic, digest in sorted(topics.items()))
    return found


def _simulate(scenario: Scenario, part: slice, folder: Path) -> dict[str, str]:
    """Record a part of the fleet; return a hash of the packets of each of its topics."""
    write_recording(scenario, None, folder, part)
    simulation, topics = Simulation(scenario, scenario.start_ns, part), defaultdict(hashlib.sha256)
    for packet in _packets(simulation, scenario.seconds):
        topics[packet.topic].update(b"%d %d " % (packet.sent_ns, packet.retain) + packet.payload)
    return {topic: digest.hexdigest() for topic, digest in topics.items()}


def _packets(simulation: Simulation, seconds: int) -> Iterator[Packet]:
    for _ in range(seconds):
        yield from simulation.step()
    yield from simulation.remaining_packets()


def _of_table(folders: Sequence[Path], name: str) -> str:
    rows = pl.concat([pl.read_parquet(folder / f"{name}.parquet") for folder in folders]).drop(NUMBERED, strict=False)
    by = "lift_id" if "lift_id" in rows.columns else "topic"
    octets = io.BytesIO()
    rows.sort(by, maintain_order=True).write_parquet(octets, compression="uncompressed", statistics=False)
    return _of([octets.getbuffer()])


def _of_rides(folders: Sequence[Path], messages: int) -> str:
    """Return a hash of every number of the rides of these recordings, by lift and time."""
    found: list[tuple[str, int, bytes]] = []

    def keep(lift_ids: Sequence[str], rides: RideTable) -> None:
        for k, lift in enumerate(rides.lift.tolist()):
            found.append((lift_ids[lift], int(rides.start_ns[k]), rides.values[k].tobytes()))

    for folder in folders:
        recording = Recording(folder)
        run = Replay(recording.facts(), RULES, on_rides=keep)
        for group in wider(recording.groups(), messages):
            run.step(group)
        run.finish()
    return _of(f"{lift_id} {start_ns} ".encode() + values for lift_id, start_ns, values in sorted(found))


def _of(pieces: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="bad-gateway", help="the world (default bad-gateway, with faults)")
    parser.add_argument("--lifts", type=int, help="default 60")
    parser.add_argument("--minutes", type=float, help="default 12")
    parser.add_argument("--long", action="store_true", help="200 lifts and 30 minutes, where not given otherwise")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vibration", action=argparse.BooleanOptionalAction, default=False)
    asked = parser.parse_args()
    lifts, minutes = (200, 30.0) if asked.long else (60, 12.0)
    asked.lifts, asked.minutes = asked.lifts or lifts, asked.minutes or minutes
    changes = {"lifts": asked.lifts, "seed": asked.seed, "hours": asked.minutes / 60, "vibration": asked.vibration}
    scenario = library.read(asked.scenario, changes | {"form": "cbor", "faults_per_hour": 2.0 * asked.lifts})
    tried, columns = ways(asked.lifts), []
    for _, parts, judges in tried:
        with tempfile.TemporaryDirectory() as place:
            columns.append(hashes(scenario, parts, judges, Path(place)))
    print(f"{asked.scenario}: {asked.lifts} lifts, {asked.minutes:g} minutes, seed {asked.seed}; sha256, begun\n")
    print(f"{'':<22}" + "".join(f"{title:<{SHOWN + 3}}" for title, *_ in tried))
    for what in columns[0]:
        print(f"{what:<22}" + "".join(f"{column.get(what, 'none')[:SHOWN]:<{SHOWN + 3}}" for column in columns))
    same = all(column == columns[0] for column in columns)
    print(f"\n{'the same in every way' if same else 'NOT THE SAME'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
