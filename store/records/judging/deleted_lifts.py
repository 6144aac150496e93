"""Deleted lifts: whoever was responsible for a lift when it was deleted stays so for the incidents that it had then.

lift deleted ─► an incident has it that is open, or can be reopened ─► facts kept ─► not to be reopened any more
             └─ none ─► nothing is kept                                                  └─► facts removed
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, false, or_, select, update

from registry.lift_facts import LiftFacts
from registry.scope import NAMING_FACTS, LiftScope
from store.records.database import Database
from store.records.incidents.tables import incident_lifts, incidents
from store.records.judging.stored_facts import FACTS_AT_ONCE, load_facts, read_facts
from store.records.monitors.ended_health import delete_health
from store.records.schema import deleted_lifts, lifts, refusals

REOPENABLE_NS = 24 * 3600 * 1_000_000_000
"""An incident that was closed can be opened again for this time, and people are called about it again then."""


def remove_lift(
    database: Database, connection: Connection, lift_id: str, facts: LiftFacts | None, revision: int, now_ns: int
) -> None:
    """Delete a lift with its refusals and its health; keep its facts where it has an incident that can call people.

    `facts` are None for a lift that was not registered: facts that are kept of it stay.
    """
    connection.execute(delete(lifts).where(lifts.c.lift_id == lift_id))
    connection.execute(delete(refusals).where(refusals.c.lift_id == lift_id))
    delete_health(database, connection, lift_id)
    values: dict[str, Any] = {"revision": revision}
    if facts is not None:
        kept = {"facts": orjson.dumps(facts).decode(), **{fact: getattr(facts, fact) for fact in NAMING_FACTS}}
        values |= {"deleted_ns": now_ns, **(kept if _needs_facts(connection, lift_id, now_ns) else dict.fromkeys(kept))}
    row = database.insert(deleted_lifts).values(lift_id=lift_id, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["lift_id"], set_=values))


def load_facts_when_deleted(connection: Connection, opened_ns: Mapping[str, int]) -> dict[str, LiftFacts]:
    """Return the facts of those of these lifts that were deleted after an incident of theirs was opened.

    `opened_ns` is the opening of the oldest of its incidents for each lift. A lift that was registered again is left
    out.
    """
    found: dict[str, LiftFacts] = {}
    wanted, columns = sorted(opened_ns), deleted_lifts.c
    for start in range(0, len(wanted), FACTS_AT_ONCE):
        some = columns.lift_id.in_(wanted[start : start + FACTS_AT_ONCE])
        query = select(columns.lift_id, columns.deleted_ns, columns.facts).where(some, columns.facts.is_not(None))
        for row in connection.execute(query.where(is_deleted())):
            if row.deleted_ns >= opened_ns[row.lift_id]:
                found[row.lift_id] = read_facts(row.facts)
    return found


def load_facts_of_incidents(connection: Connection, opened_ns: Mapping[str, int]) -> dict[str, LiftFacts]:
    """Return the facts of lifts of incidents: as registered, or as they were when the lift was deleted."""
    return load_facts_when_deleted(connection, opened_ns) | load_facts(connection, opened_ns)


def was_named_when_deleted(scope: LiftScope) -> ColumnElement[bool]:
    """Return the condition on `incident_lifts` that a lift named an organisation when it was deleted from an incident.

    The lift was deleted after the incident was opened, and is not registered again.
    """
    about = incidents.alias("incident_of_deleted_lift")
    same = and_(about.c.id == incident_lifts.c.incident_id, deleted_lifts.c.lift_id == incident_lifts.c.lift_id)
    found = exists().where(same, naming_when_deleted(scope), deleted_lifts.c.deleted_ns >= about.c.opened_ns)
    return found.correlate(incident_lifts)


def naming_when_deleted(scope: LiftScope) -> ColumnElement[bool]:
    """Return the condition on `deleted_lifts` that a lift is not registered, and named an organisation of the scope."""
    return and_(or_(false(), *(deleted_lifts.c[fact].in_(sorted(scope.names)) for fact in scope.facts)), is_deleted())


def keep_in_incident(connection: Connection, lift_ids: Collection[str], from_ns: int, to_ns: int) -> None:
    """Move forward the deletion of lifts that came from an incident opened at `from_ns` into one opened at `to_ns`.

    A lift that was deleted between the two counts as deleted at `to_ns`: the organisations that it named last stay
    responsible.
    """
    columns = deleted_lifts.c
    theirs = columns.lift_id.in_(sorted(lift_ids)) & columns.facts.is_not(None)
    was_before = (columns.deleted_ns >= from_ns) & (columns.deleted_ns < to_ns)
    connection.execute(update(deleted_lifts).where(theirs, was_before).values(deleted_ns=to_ns))


def forget_deleted_lifts(connection: Connection, now_ns: int) -> int:
    """Remove the facts of deleted lifts without an incident that people are called about; return how many."""
    is_unneeded = deleted_lifts.c.lift_id.not_in(_lifts_of_called(now_ns))
    unneeded = update(deleted_lifts).where(deleted_lifts.c.facts.is_not(None), is_unneeded)
    return connection.execute(unneeded.values(facts=None, **dict.fromkeys(NAMING_FACTS))).rowcount


def _lifts_of_called(now_ns: int) -> Select[tuple[str]]:
    """Return the query of the lifts of incidents that people are called about, now or when reopened."""
    closed_ns = incidents.c.closed_ns
    of_lifts = select(incident_lifts.c.lift_id).join(incidents, incidents.c.id == incident_lifts.c.incident_id)
    return of_lifts.where(closed_ns.is_(None) | (closed_ns > now_ns - REOPENABLE_NS))


def _needs_facts(connection: Connection, lift_id: str, now_ns: int) -> bool:
    is_found = _lifts_of_called(now_ns).where(incident_lifts.c.lift_id == lift_id).limit(1)
    return connection.execute(is_found).first() is not None


def is_deleted() -> ColumnElement[bool]:
    """Return the condition that a lift is not registered; one that still sends is listed without being registered."""
    return ~exists().where(lifts.c.lift_id == deleted_lifts.c.lift_id, lifts.c.registered).correlate(deleted_lifts)
