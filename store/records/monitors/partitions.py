"""The partitions of the fleet: the number of monitors that share these records, fixed by the first.

Each monitor has its own position, snapshot, live picture, cursors and deliveries, which bear the partition's name. Its
share of the lifts follows from the number of partitions, so a monitor of another number is refused.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from registry.partition import EVERY_LIFT, Partition
from store.records.database import Database, read_counter
from store.records.incidents.tables import incident_entries
from store.records.schema import ALERT, INCIDENT, counters, deliveries, is_waiting, live, snapshots, transitions

COUNT = "partitions"


class PartitionMismatch(Exception):
    """The records were begun with another number of partitions; the text names the remedy."""


class PartitionStore:
    """The part of the records about partitions. `partition` is the one that this monitor claimed."""

    _database: Database
    partition: Partition = EVERY_LIFT

    def claim(self, partition: Partition) -> None:
        """Claim `partition` for this monitor; raise `PartitionMismatch` where the records have another number."""
        with self._database.writing() as connection:
            count = read_counter(connection, COUNT)
            if not count:
                self._database.set_counter(connection, COUNT, partition.of)
                if partition.of > 1:
                    self._divide(connection, partition.of)
        if count not in (0, partition.of):
            raise PartitionMismatch(
                f"the records at {self._database.name} were begun with {count} partitions, and this monitor is"
                f" {partition.name}: set monitor.partition to k/{count}, k from 0 to {count - 1}, or give all monitors"
                f" of k/{partition.of} records of their own (records.url)"
            )
        self.partition = partition

    def partition_count(self) -> int:
        """Return the number of partitions, 0 before the first monitor."""
        with self._database.reading() as connection:
            return read_counter(connection, COUNT)

    def _divide(self, connection: Connection, count: int) -> None:
        """Divide the cursors and waiting deliveries of unpartitioned records among `count` partitions.

        The snapshot and position, which several monitors wrote by turns, are dropped: each reads its journal again.
        """
        parts = [Partition(number, count) for number in range(count)]
        whole = cursor_name(EVERY_LIFT, "")
        found = connection.execute(select(counters).where(counters.c.name.startswith(whole, autoescape=True))).all()
        for row in found:
            for part in parts:
                self._database.set_counter(connection, cursor_name(part, row.name.removeprefix(whole)), row.value)
        names = [row.name for row in found]
        connection.execute(delete(counters).where(counters.c.name.in_([*names, position_name(EVERY_LIFT)])))
        connection.execute(delete(snapshots).where(snapshots.c.partition == EVERY_LIFT.name))
        connection.execute(delete(live).where(live.c.partition == EVERY_LIFT.name))
        for subject, table in ((ALERT, transitions), (INCIDENT, incident_entries)):
            waiting = select(deliveries.c.id, table.c.lift_id).where(
                is_waiting, deliveries.c.subject == subject, deliveries.c.number == table.c.id
            )
            for delivery_id, lift_id in connection.execute(waiting).all():
                (name,) = (part.name for part in parts if part.has(lift_id))
                connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(partition=name))


def cursor_name(partition: Partition, reader: str) -> str:
    """Return the name of the counter that holds the cursor of a reader of a partition's transitions."""
    return f"announced:{partition.name}:{reader}"


def position_name(partition: Partition) -> str:
    """Return the name of the counter that holds a partition's position in its journal."""
    return f"judged:{partition.name}"
