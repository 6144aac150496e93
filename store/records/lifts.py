"""The registry of lifts and their facts. Every change increments the revision and is stamped with it, so that readers
can read the changes since the revision they have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, delete, func, select

from registry.lift_facts import Floor, LiftFacts
from store.records.audit import write_audit
from store.records.database import REVISION, Database, Repository, read_counter
from store.records.maintenance import WindowRecord, read_windows
from store.records.schema import deleted_lifts, lifts, refusals
from store.records.versions import lift_version, require_version

EVERYTHING = -1
UNREGISTERED_LIMIT = 1000
FACTS_CACHED = 32_768


@dataclass(frozen=True, slots=True)
class Registered:
    """A lift in the registry: entered by its owner (`registered`), or only seen in messages."""

    facts: LiftFacts
    registered: bool


@dataclass(frozen=True, slots=True)
class RegistryChanges:
    """Changes of the registry up to `revision`: lifts and windows that are new or different, and deleted lifts."""

    revision: int
    lifts: list[Registered]
    deleted: list[str]
    windows: list[WindowRecord]


class LiftStore:
    """The part of the records that holds the registry."""

    _database: Database

    def revision(self) -> int:
        """Return the revision of the registry."""
        with self._database.reading() as connection:
            return read_counter(connection, REVISION)

    def registry(self) -> tuple[int, list[Registered]]:
        """Return the revision and every lift, in the order of their ids."""
        found = self.registry_since(EVERYTHING)
        return found.revision, found.lifts

    def registered(self) -> list[LiftFacts]:
        """Return the facts of the registered lifts, in the order of their ids."""
        return [entry.facts for entry in self.registry_since(EVERYTHING).lifts if entry.registered]

    def registry_since(self, revision: int) -> RegistryChanges:
        """Return the changes after `revision` (`EVERYTHING`: all); concurrent changes may be returned twice."""
        changed = select(lifts.c.facts, lifts.c.registered).where(lifts.c.revision > revision).order_by(lifts.c.lift_id)
        gone = select(deleted_lifts.c.lift_id).where(deleted_lifts.c.revision > revision)
        gone = gone.where(deleted_lifts.c.lift_id.not_in(select(lifts.c.lift_id)))
        with self._database.reading() as connection:
            now = read_counter(connection, REVISION)
            rows = connection.execute(changed).all()
            names = list(connection.scalars(gone)) if revision >= 0 else []
            windows = read_windows(connection, revision)
        return RegistryChanges(now, [Registered(_facts(row.facts), row.registered) for row in rows], names, windows)

    def lift(self, lift_id: str) -> Registered | None:
        """Return one lift, or None where it does not exist."""
        with self._database.reading() as connection:
            return _find(connection, lift_id)

    def put_lift(self, facts: LiftFacts, by: str, now_ns: int, *, create_only: bool = False) -> bool:
        """Register a lift or replace its facts; return whether it is newly registered.

        With `create_only` a lift that is registered already stays as it is.
        """
        with self._database.writing() as connection:
            before = _find(connection, facts.lift_id)
            is_new = before is None or not before.registered
            if is_new or not create_only:
                self._put(connection, [facts], by, now_ns, "lift.put")
            return is_new

    def put_lifts(self, many: Sequence[LiftFacts], by: str, now_ns: int) -> None:
        """Register many lifts or replace their facts, all of them or none."""
        with self._database.writing() as connection:
            self._put(connection, many, by, now_ns, "lift.import")

    def patch_lift(
        self,
        lift_id: str,
        changes: Mapping[str, Any],
        by: str,
        now_ns: int,
        expected: Collection[str] | None = None,
    ) -> LiftFacts | None:
        """Change some facts of a lift and return all of them; None where the lift does not exist.

        Raises VersionConflict where the lift's version is none of the `expected`.
        """
        with self._database.writing() as connection:
            before = _find(connection, lift_id)
            if before is None:
                return None
            require_version(_version(before), expected)
            after = replace(before.facts, **changes)
            if after != before.facts or not before.registered:
                self._put(connection, [after], by, now_ns, "lift.patch")
            return after

    def delete_lift(self, lift_id: str, by: str, now_ns: int, expected: Collection[str] | None = None) -> bool:
        """Delete a lift from the registry and keep its alerts; return whether it existed. Raises as `patch_lift`."""
        with self._database.writing() as connection:
            before = _find(connection, lift_id)
            if before is not None:
                require_version(_version(before), expected)
            gone = connection.execute(delete(lifts).where(lifts.c.lift_id == lift_id)).rowcount > 0
            if gone:
                revision = self._database.count_up(connection, REVISION)
                row = self._database.insert(deleted_lifts).values(lift_id=lift_id, revision=revision)
                upsert = row.on_conflict_do_update(index_elements=["lift_id"], set_={"revision": revision})
                connection.execute(upsert)
                connection.execute(delete(refusals).where(refusals.c.lift_id == lift_id))
                write_audit(connection, now_ns, by, "lift.delete", [(lift_id, {})])
            return gone

    def add_unregistered(self, lifts_seen: Iterable[tuple[str, str]], gave_way: Sequence[str] = ()) -> int:
        """Add unregistered lifts (id, district) up to a limit, in place of those that `gave_way`; return how many
        exceeded it."""
        wanted = dict(lifts_seen)
        if not wanted:
            return 0
        with self._database.writing() as connection:
            self._remove_unregistered(connection, gave_way)
            known = set(connection.scalars(select(lifts.c.lift_id).where(lifts.c.lift_id.in_(wanted))))
            count = select(func.count()).select_from(lifts).where(lifts.c.registered.is_(False))
            room = max(0, UNREGISTERED_LIMIT - connection.execute(count).scalar_one())
            new = [LiftFacts(lift_id, district) for lift_id, district in wanted.items() if lift_id not in known]
            if new[:room]:
                revision = self._database.count_up(connection, REVISION)
                connection.execute(lifts.insert(), [_row(facts, False, revision) for facts in new[:room]])
            return len(new[room:])

    def _remove_unregistered(self, connection: Connection, gave_way: Sequence[str]) -> None:
        """Remove unregistered lifts; one that somebody has registered meanwhile stays."""
        asked = select(lifts.c.lift_id).where(lifts.c.lift_id.in_(gave_way), lifts.c.registered.is_(False))
        gone = list(connection.scalars(asked)) if gave_way else []
        if not gone:
            return
        connection.execute(delete(lifts).where(lifts.c.lift_id.in_(gone)))
        connection.execute(delete(refusals).where(refusals.c.lift_id.in_(gone)))
        revision = self._database.count_up(connection, REVISION)
        row = self._database.insert(deleted_lifts)
        upsert = row.on_conflict_do_update(index_elements=["lift_id"], set_={"revision": row.excluded.revision})
        connection.execute(upsert, [{"lift_id": lift_id, "revision": revision} for lift_id in gone])

    def _put(self, connection: Connection, many: Sequence[LiftFacts], by: str, now_ns: int, action: str) -> None:
        if not many:
            return
        row = self._database.insert(lifts)
        fresh = {name: row.excluded[name] for name in ("district", "registered", "facts", "revision")}
        upsert = row.on_conflict_do_update(index_elements=["lift_id"], set_=fresh)
        revision = self._database.count_up(connection, REVISION)
        connection.execute(upsert, [_row(facts, True, revision) for facts in many])
        write_audit(connection, now_ns, by, action, [(facts.lift_id, facts) for facts in many])


class LiftRecords(Repository, LiftStore):
    """The registry alone, for who needs no alerts and should not wait until all that belongs to them is imported."""


def _find(connection: Connection, lift_id: str) -> Registered | None:
    row = connection.execute(select(lifts.c.facts, lifts.c.registered).where(lifts.c.lift_id == lift_id)).first()
    return None if row is None else Registered(_facts(row.facts), row.registered)


def _version(lift: Registered) -> str:
    return lift_version(lift.facts if lift.registered else None)


def _row(facts: LiftFacts, registered: bool, revision: int) -> dict[str, Any]:
    return {
        "lift_id": facts.lift_id,
        "district": facts.district,
        "registered": registered,
        "facts": orjson.dumps(facts).decode(),
        "revision": revision,
    }


@lru_cache(FACTS_CACHED)
def _facts(text: str) -> LiftFacts:
    values = orjson.loads(text)
    floors = tuple(Floor(**floor) for floor in values.pop("floors"))
    return LiftFacts(**values, floors=floors)
