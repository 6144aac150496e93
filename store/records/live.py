"""The latest state of the fleet, replaced by the monitor about once a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import select

from store.records.database import Database
from store.records.schema import live

MONITOR = "monitor"
VERSION = "live"


@dataclass(frozen=True, slots=True)
class LiveState:
    """The latest state from one monitor: `lifts` is encoded by `store.live`, `version` increases over all monitors."""

    monitor: str
    version: int
    at_ns: int
    lifts: bytes
    counts: dict[str, float]


class LiveStore:
    """The part of the records that holds the latest state."""

    _database: Database

    def put_live(self, lifts: bytes, counts: Mapping[str, float], now_ns: int, monitor: str = MONITOR) -> int:
        """Replace the state of a monitor's lifts and return its version."""
        with self._database.writing(durable=False) as connection:
            version = self._database.count_up(connection, VERSION)
            fresh = {"version": version, "at_ns": now_ns, "lifts": lifts, "counts": orjson.dumps(dict(counts)).decode()}
            row = self._database.insert(live).values(monitor=monitor, **fresh)
            connection.execute(row.on_conflict_do_update(index_elements=["monitor"], set_=fresh))
            return version

    def live(self, since_version: int = 0) -> list[LiveState]:
        """Return the states newer than `since_version`, oldest first."""
        query = select(live).where(live.c.version > since_version).order_by(live.c.version)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [LiveState(r.monitor, r.version, r.at_ns, bytes(r.lifts), orjson.loads(r.counts)) for r in rows]
