"""The end of the health of a lift in a district, where the lift is deleted or moved; its publisher clears it."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from store.records.database import Database
from store.records.monitors.health_tables import ended_health, health, health_days

VERSION = "health"


def delete_health(database: Database, connection: Connection, lift_id: str) -> None:
    """Delete the health of a lift that is deleted."""
    database.count_up(connection, VERSION)  # from here on no other transaction writes a health
    end_elsewhere(database, connection, lift_id, None)
    connection.execute(delete(health).where(health.c.lift_id == lift_id))
    connection.execute(delete(health_days).where(health_days.c.lift_id == lift_id))


def end_elsewhere(database: Database, connection: Connection, lift_id: str, district: str | None) -> None:
    """Note that the health of a lift ends in the district where it was, unless that is `district`, where it begins."""
    before = connection.execute(select(health.c.district).where(health.c.lift_id == lift_id)).scalar()
    if before == district:
        return
    if district is not None:
        begins = (ended_health.c.lift_id == lift_id) & (ended_health.c.district == district)
        connection.execute(delete(ended_health).where(begins))
    if before is not None:
        version = database.count_up(connection, VERSION)
        row = database.insert(ended_health).values(lift_id=lift_id, district=before, version=version)
        connection.execute(row.on_conflict_do_update(index_elements=["lift_id", "district"], set_={"version": version}))
