"""The running monitors by partition: a monitor runs if it has replaced its live table within the last seconds.

    0/2   table ─ table ─ table ─ table      runs
    1/2   table ─ table ─ …… silent_s ……     does not run: its lifts are blind
    2/3   never a table                      does not run

Seconds are counted by this process's clock from the moment at which it read a new table, since the monitor may be on a
machine with another clock. Only the age of a table that existed at the first reading is taken from its own time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from store.records.repository import LiveState

MONITOR_SILENT_S = 15.0
"""A monitor writes its live table each second; one that is busy or waits for the records may be some seconds late."""


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """A partition, whether its monitor runs, when the monitor last wrote (None: never), and the seconds since then."""

    partition: str
    is_running: bool
    wrote_ns: int | None
    silent_s: float = 0.0


class PartitionWatch:
    """Watches the live tables of all partitions."""

    def __init__(self, silent_s: float = MONITOR_SILENT_S) -> None:
        self._silent_s = silent_s
        self._seen: dict[str, tuple[int, float]] = {}
        self._first_look = True

    def look(self, tables: Iterable[LiveState], count: int, now_s: float, now_ns: int) -> tuple[PartitionStatus, ...]:
        """Return the status of each of `count` partitions, and of any other that has a live table."""
        latest = {table.partition: table for table in tables}
        for name, table in latest.items():
            if self._seen.get(name, (0, 0.0))[0] != table.version:
                age_s = max(0.0, (now_ns - table.at_ns) / 1e9) if self._first_look else 0.0
                self._seen[name] = (table.version, now_s - age_s)
        self._first_look = False
        names = sorted({f"{number}/{count}" for number in range(count)} | latest.keys(), key=_number)
        return tuple(self._status(name, latest.get(name), now_s) for name in names)

    def _status(self, name: str, table: LiveState | None, now_s: float) -> PartitionStatus:
        if table is None:
            return PartitionStatus(name, is_running=False, wrote_ns=None)
        silent_s = now_s - self._seen[name][1]
        return PartitionStatus(name, silent_s <= self._silent_s, table.at_ns, silent_s)


def _number(name: str) -> int:
    return int(name.partition("/")[0])
