"""The fleet's latest state, as the monitor last put it: a picture that is replaced, not a memory."""

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
class Live:
    """One monitor's picture: `lifts` is opaque here (`store.live`), `version` counts up over all monitors."""

    monitor: str
    version: int
    at_ns: int
    lifts: bytes
    counts: dict[str, float]


class LiveStates:
    """The picture's part of the records."""

    _database: Database

    def put_live(self, lifts: bytes, counts: Mapping[str, float], now_ns: int, monitor: str = MONITOR) -> int:
        """Replace a monitor's picture and return its version."""
        with self._database.writing(durable=False) as connection:
            version = self._database.count_up(connection, VERSION)
            fresh = {"version": version, "at_ns": now_ns, "lifts": lifts, "counts": orjson.dumps(dict(counts)).decode()}
            row = self._database.insert(live).values(monitor=monitor, **fresh)
            connection.execute(row.on_conflict_do_update(index_elements=["monitor"], set_=fresh))
            return version

    def live(self, since_version: int = 0) -> list[Live]:
        """Return the pictures that are newer than `since_version`, oldest first."""
        query = select(live).where(live.c.version > since_version).order_by(live.c.version)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Live(r.monitor, r.version, r.at_ns, bytes(r.lifts), orjson.loads(r.counts)) for r in rows]
