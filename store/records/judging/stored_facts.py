"""Facts of lifts in the rows of the registry."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

import orjson
from sqlalchemy import Connection, select

from registry.lift_facts import Floor, LiftFacts
from store.records.schema import lifts

FACTS_CACHED = 32_768
FACTS_AT_ONCE = 400
"""How many lifts a query names."""


@lru_cache(FACTS_CACHED)
def read_facts(text: str) -> LiftFacts:
    """Return the facts in a column of the registry."""
    values = orjson.loads(text)
    floors = tuple(Floor(**floor) for floor in values.pop("floors"))
    return LiftFacts(**values, floors=floors)


def load_facts(connection: Connection, lift_ids: Collection[str]) -> dict[str, LiftFacts]:
    """Return the facts of those of these lifts that are registered."""
    found: dict[str, LiftFacts] = {}
    wanted = sorted(lift_ids)
    for start in range(0, len(wanted), FACTS_AT_ONCE):
        some = lifts.c.lift_id.in_(wanted[start : start + FACTS_AT_ONCE])
        rows = connection.execute(select(lifts.c.lift_id, lifts.c.facts).where(some, lifts.c.registered))
        found |= {row.lift_id: read_facts(row.facts) for row in rows}
    return found


def stored_texts(connection: Connection, lift_ids: Sequence[str]) -> dict[str, str]:
    """Return the facts, as they are stored, of those of these lifts that are registered."""
    query = select(lifts.c.lift_id, lifts.c.facts).where(lifts.c.registered.is_(True), lifts.c.lift_id.in_(lift_ids))
    return {row.lift_id: row.facts for row in connection.execute(query)}
