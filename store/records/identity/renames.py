"""Former names of organisations in the facts of lifts are replaced by the present ones, a few lifts at a time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from registry.actor import Actor
from registry.lift_facts import LiftFacts
from registry.scope import NAMING_FACTS
from store.records.identity.tables import organisation_names, organisations
from store.records.judging.stored_facts import read_facts
from store.records.lifts import IMPORT_AT_ONCE, IMPORT_PAUSE_S, LiftStore
from store.records.schema import lifts


class LiftRenames(LiftStore):
    """The registry of lifts, in which organisations are renamed."""

    def rewrite_names(self, by: Actor, now_ns: int) -> int:
        """Replace former names of organisations in the facts of lifts; return the number of lifts changed.

        Each transaction is short and leaves time for other writers; a failure leaves the lifts done so far as they
        are, and the next call goes on.
        """
        total, changed = 0, 1
        while changed and (outdated := self._outdated()):
            with self._database.writing() as connection:
                begun_s = time.monotonic()
                changed = self._rename(connection, outdated, by, now_ns)
            total += changed
            time.sleep(max(IMPORT_PAUSE_S, time.monotonic() - begun_s))
        return total

    def _outdated(self) -> list[str]:
        """Return some lifts that have a former name."""
        former = _names().where(organisation_names.c.name != organisations.c.name)
        names = former.with_only_columns(organisation_names.c.name)
        having = or_(*(lifts.c[fact].in_(names) for fact in NAMING_FACTS))
        with self._database.reading() as connection:
            return list(connection.scalars(select(lifts.c.lift_id).where(having).limit(IMPORT_AT_ONCE)))

    def _rename(self, connection: Connection, lift_ids: list[str], by: Actor, now_ns: int) -> int:
        """Replace the former names in some lifts as they are now."""
        names = {row.name: row.present for row in connection.execute(_names())}
        query = select(lifts.c.facts).where(lifts.c.lift_id.in_(lift_ids), lifts.c.registered.is_(True))
        before = [read_facts(text) for text in connection.scalars(query)]
        after = [renamed(facts, names) for facts in before]
        changed = [new for new, old in zip(after, before, strict=True) if new != old]
        self._put(connection, changed, by, now_ns, "lift.rename")
        return len(changed)


def renamed(facts: LiftFacts, names: Mapping[str, str]) -> LiftFacts:
    """Return facts in which former names are replaced by the present ones in `names`."""
    there = {fact: getattr(facts, fact) for fact in NAMING_FACTS}
    changes: dict[str, Any] = {fact: names[name] for fact, name in there.items() if name in names}
    return replace(facts, **changes) if changes else facts


def _names() -> Select[Any]:
    """Return the query of every name of organisations with the present one."""
    query = select(organisation_names.c.name, organisations.c.name.label("present"))
    return query.join(organisations, organisations.c.id == organisation_names.c.organisation_id)
