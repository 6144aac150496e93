"""The snapshot of a monitor's state of judging, with the position that it belongs to: one row for each partition.

    journal   ──1──2──3──4──5──6──▶      position 6, snapshot of 4: after a restart judging loads the snapshot,
                                         reads on from 5, and what it finds up to 6 again is a repeat

Most snapshots are in a file beside the journal (`store.snapshot_file`): the state of a large fleet would block other
writers of a database for seconds. In the records are those that must be in the transaction of the findings.

The state is bytes that `ingest.state.State.pack` makes; `State.unpacked` begins anew where it cannot read them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select

from registry.partition import Partition
from store.records.database import Database, read_counter
from store.records.monitors.partitions import position_name
from store.records.schema import snapshots


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of judging after `position`."""

    position: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Resume:
    """Where judging continues: load the snapshot, read the journal after its position.

    `position` is the last one with committed transitions: findings up to it are repeats. `generation` is the one that
    the monitor gave with the last snapshot in the records.
    """

    position: int
    snapshot: Snapshot | None
    generation: int = 0


def read_resume(connection: Connection, partition: Partition) -> Resume:
    """Return where the monitor of a partition continues."""
    row = connection.execute(select(snapshots).where(snapshots.c.partition == partition.name)).first()
    position = read_counter(connection, position_name(partition))
    generation = read_counter(connection, _generation(partition))
    return Resume(position, None if row is None else Snapshot(row.position, bytes(row.state)), generation)


def store_snapshot(database: Database, connection: Connection, partition: Partition, snapshot: Snapshot) -> None:
    """Replace the snapshot of a partition, in the transaction that commits what was found up to then."""
    values = {"partition": partition.name, **asdict(snapshot)}
    row = database.insert(snapshots).values(**values)
    connection.execute(row.on_conflict_do_update(index_elements=["partition"], set_=values))


def store_generation(database: Database, connection: Connection, partition: Partition, generation: int) -> None:
    """Set the generation of a partition: a commit that is repeated after a lost answer sets the same."""
    database.set_counter(connection, _generation(partition), generation)


def _generation(partition: Partition) -> str:
    return f"snapshots:{partition.name}"
