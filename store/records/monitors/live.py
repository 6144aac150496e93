"""The latest state of the fleet: a row for each partition, replaced by its monitor about once a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import select

from registry.partition import Partition
from store.records.database import Database
from store.records.schema import live

VERSION = "live"


@dataclass(frozen=True, slots=True)
class LiveState:
    """The latest state of one partition: `lifts` is encoded by `store.live`, `version` increases over all of them."""

    partition: str
    version: int
    at_ns: int
    lifts: bytes
    counts: dict[str, float]


class LiveStore:
    """The part of the records that holds the latest state."""

    _database: Database
    partition: Partition

    def put_live(self, lifts: bytes, counts: Mapping[str, float], now_ns: int) -> int:
        """Replace the state of the own partition's lifts and return its version."""
        with self._database.writing(durable=False) as connection:
            version = self._database.count_up(connection, VERSION)
            fresh = {"version": version, "at_ns": now_ns, "lifts": lifts, "counts": orjson.dumps(dict(counts)).decode()}
            row = self._database.insert(live).values(partition=self.partition.name, **fresh)
            connection.execute(row.on_conflict_do_update(index_elements=["partition"], set_=fresh))
            return version

    def live(self, since_version: int = 0) -> list[LiveState]:
        """Return the states newer than `since_version`, oldest first."""
        query = select(live).where(live.c.version > since_version).order_by(live.c.version)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [LiveState(r.partition, r.version, r.at_ns, bytes(r.lifts), orjson.loads(r.counts)) for r in rows]
