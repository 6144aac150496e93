"""The registry of lifts and their facts. Every change increments the revision and is stamped with it, so that readers
can read the changes since the revision they have."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection, delete, func, select

from registry.actor import Actor
from registry.lift_facts import LiftFacts, search_text
from registry.scope import ALL_LIFTS, NAMING_FACTS, LiftScope
from registry.thresholds import different_thresholds, guarded_facts
from store.records.audit.acts import AuditActs
from store.records.audit.writing import AuditSubject, difference, write_audit
from store.records.changes.returning import end_changes_of, set_for_good
from store.records.database import REVISION, Database, Repository, read_counter
from store.records.identity.organisations import create_named_organisations
from store.records.judging.deleted_lifts import remove_lift
from store.records.judging.maintenance import WindowRecord, read_windows
from store.records.judging.stored_facts import read_facts, stored_texts
from store.records.judging.thresholds import carry_threshold_changes, note_threshold_changes
from store.records.schema import deleted_lifts, lifts, refusals
from store.records.scoping import lifts_in
from store.records.versions import lift_version, require_version

EVERYTHING = -1
UNREGISTERED_LIMIT = 1000
IMPORT_AT_ONCE = 1000
IMPORT_PAUSE_S = 0.01
"""A pause of an import between two transactions; a longer transaction is followed by a pause as long as itself."""
PUT_COLUMNS = ("district", "registered", "facts", "revision", "search", *NAMING_FACTS)

FactsChange = tuple[LiftFacts, LiftFacts]
"""The facts of a registered lift before and after a change."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A lift in the registry: entered by its owner (`registered`), or only seen in messages."""

    facts: LiftFacts
    registered: bool

    @property
    def version(self) -> str:
        """Return the version of the facts."""
        return lift_version(self.facts if self.registered else None)


@dataclass(frozen=True, slots=True)
class RegistryChanges:
    """Changes of the registry up to `revision`: lifts and windows that are new or different, and deleted lifts.

    They are complete where no change is newer than `revision`.
    """

    revision: int
    lifts: list[Registered]
    deleted: list[str]
    windows: list[WindowRecord]
    is_complete: bool = True


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

    def registry_since(self, revision: int, limit: int | None = None) -> RegistryChanges:
        """Return the changes after `revision` (`EVERYTHING`: all); concurrent changes may be returned twice.

        With a `limit` only the earliest changes of about so many lifts, up to a revision that is not the newest.
        """
        with self._database.reading() as connection:
            newest = read_counter(connection, REVISION)
            upto = newest if limit is None else _slice_end(connection, revision, limit, newest)
            rows = connection.execute(
                select(lifts.c.facts, lifts.c.registered)
                .where(lifts.c.revision > revision, lifts.c.revision <= upto)
                .order_by(lifts.c.lift_id)
            ).all()
            gone = select(deleted_lifts.c.lift_id).where(
                deleted_lifts.c.revision > revision,
                deleted_lifts.c.revision <= upto,
                deleted_lifts.c.lift_id.not_in(select(lifts.c.lift_id)),
            )
            names = list(connection.scalars(gone)) if revision >= 0 else []
            windows = read_windows(connection, revision, upto)
        changed = [Registered(read_facts(row.facts), row.registered) for row in rows]
        return RegistryChanges(upto, changed, names, windows, is_complete=upto >= newest)

    def lift(self, lift_id: str, scope: LiftScope = ALL_LIFTS) -> Registered | None:
        """Return one lift, or None where it does not exist in the scope."""
        with self._database.reading() as connection:
            return find_lift(connection, lift_id, scope)

    def facts_of(self, lift_ids: Sequence[str]) -> dict[str, LiftFacts]:
        """Return the facts of those of these lifts that are registered."""
        found: dict[str, str] = {}
        with self._database.reading() as connection:
            for start in range(0, len(lift_ids), IMPORT_AT_ONCE):
                found |= stored_texts(connection, lift_ids[start : start + IMPORT_AT_ONCE])
        return {lift_id: read_facts(text) for lift_id, text in found.items()}

    def put_lift(self, facts: LiftFacts, by: Actor, now_ns: int, *, create_only: bool = False) -> bool:
        """Register a lift or replace its facts; return whether it is newly registered.

        With `create_only` a lift that is registered already stays as it is.
        """
        with self._database.writing() as connection:
            before = find_lift(connection, facts.lift_id)
            is_new = before is None or not before.registered
            if is_new or not create_only:
                self._put(connection, [facts], by, now_ns, "lift.put")
            return is_new

    def put_lifts(
        self,
        many: Sequence[LiftFacts],
        by: Actor,
        now_ns: int,
        progress: Callable[[int], object] = lambda taken: None,
        record: Callable[[Sequence[FactsChange]], object] = lambda changed: None,
    ) -> None:
        """Register many lifts or replace their facts, in short transactions with time for other writers in between.

        `progress` is called with the number of lifts taken so far after each transaction, and `record` in each with the
        changes of thresholds and districts. A failure leaves those as they are: the same lifts again change nothing.
        """
        for start in range(0, len(many), IMPORT_AT_ONCE):
            some = [(facts, _text(facts)) for facts in many[start : start + IMPORT_AT_ONCE]]
            with self._database.writing() as connection:
                begun_s = time.monotonic()
                stored = stored_texts(connection, [facts.lift_id for facts, _ in some])
                different = [(facts, text) for facts, text in some if stored.get(facts.lift_id) != text]
                record(self._put_texts(connection, different, stored, by, now_ns, "lift.import"))
            progress(start + len(some))
            if start + len(some) < len(many):
                time.sleep(max(IMPORT_PAUSE_S, time.monotonic() - begun_s))

    def patch_lift(
        self,
        lift_id: str,
        changes: Mapping[str, Any],
        by: Actor,
        now_ns: int,
        expected: Collection[str] | None = None,
    ) -> LiftFacts | None:
        """Change some facts of a lift and return all of them; None where the lift does not exist.

        Raises VersionConflict where the lift's version is none of the `expected`.
        """
        with self._database.writing() as connection:
            before = find_lift(connection, lift_id)
            if before is None:
                return None
            require_version(before.version, expected)
            after = replace(before.facts, **changes)
            if after != before.facts or not before.registered:
                self._put(connection, [after], by, now_ns, "lift.patch")
            return after

    def delete_lift(self, lift_id: str, by: Actor, now_ns: int, expected: Collection[str] | None = None) -> bool:
        """Delete a lift from the registry and keep its alerts; return whether it existed. Raises as `patch_lift`."""
        with self._database.writing() as connection:
            before = find_lift(connection, lift_id)
            if before is not None:
                require_version(before.version, expected)
                end_changes_of(self._database, connection, lift_id, now_ns)
                revision, facts = self._database.count_up(connection, REVISION), before.facts
                remove_lift(self._database, connection, lift_id, facts if before.registered else None, revision, now_ns)
                subject = AuditSubject(lift_id, before=facts, lift_id=lift_id, district=facts.district)
                write_audit(connection, now_ns, by, "lift.delete", [subject])
            return before is not None

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
                connection.execute(lifts.insert(), [_row(facts, _text(facts), False, revision) for facts in new[:room]])
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

    def _put(self, connection: Connection, many: Sequence[LiftFacts], by: Actor, now_ns: int, action: str) -> None:
        stored = stored_texts(connection, [facts.lift_id for facts in many])
        self._put_texts(connection, [(facts, _text(facts)) for facts in many], stored, by, now_ns, action)

    def _put_texts(
        self,
        connection: Connection,
        many: Sequence[tuple[LiftFacts, str]],
        stored: Mapping[str, str],
        by: Actor,
        now_ns: int,
        action: str,
    ) -> list[FactsChange]:
        """Write facts and their texts; return the changes of a threshold or the district. `stored` are the former
        texts."""
        if not many:
            return []
        known = [(read_facts(stored[facts.lift_id]), facts) for facts, _ in many if facts.lift_id in stored]
        different = {after.lift_id: different_thresholds(before, after) for before, after in known}
        set_for_good(self._database, connection, different, now_ns)
        create_named_organisations(connection, [facts for facts, _ in many])
        row = self._database.insert(lifts)
        fresh = {name: row.excluded[name] for name in PUT_COLUMNS}
        upsert = row.on_conflict_do_update(index_elements=["lift_id"], set_=fresh)
        revision = self._database.count_up(connection, REVISION)
        connection.execute(upsert, [_row(facts, text, True, revision) for facts, text in many])
        note_threshold_changes(connection, [lift_id for lift_id, facts in different.items() if facts], now_ns)
        carry_threshold_changes(connection, [facts.lift_id for facts, _ in many if facts.lift_id not in stored], now_ns)
        subjects = [_audit_subject(facts.lift_id, stored.get(facts.lift_id), text) for facts, text in many]
        write_audit(connection, now_ns, by, action, subjects)
        return [(before, after) for before, after in known if guarded_facts(before, after, ())]


class LiftRecords(Repository, LiftStore, AuditActs):
    """The registry, and the writing of its audit log, for commands without alerts: these modules are not imported."""


def find_lift(connection: Connection, lift_id: str, scope: LiftScope = ALL_LIFTS) -> Registered | None:
    """Return one lift, or None where it does not exist in the scope."""
    query = select(lifts.c.facts, lifts.c.registered).where(lifts.c.lift_id == lift_id, lifts_in(scope))
    row = connection.execute(query).first()
    return None if row is None else Registered(read_facts(row.facts), row.registered)


def _slice_end(connection: Connection, revision: int, limit: int, newest: int) -> int:
    """Return the revision up to which about `limit` lifts changed after `revision`, `newest` where that is all."""
    later = select(lifts.c.revision).where(lifts.c.revision > revision).order_by(lifts.c.revision)
    return connection.execute(later.offset(limit - 1).limit(1)).scalar() or newest


def _audit_subject(lift_id: str, before: str | None, after: str) -> AuditSubject:
    """Return all facts of a lift that was not registered, or those that differ."""
    if before is None:
        return AuditSubject(lift_id, after=orjson.Fragment(after), lift_id=lift_id)
    return AuditSubject(lift_id, None, *difference(orjson.loads(before), orjson.loads(after)), lift_id)


def _text(facts: LiftFacts) -> str:
    return orjson.dumps(facts).decode()


def _row(facts: LiftFacts, text: str, registered: bool, revision: int) -> dict[str, Any]:
    return {
        "lift_id": facts.lift_id,
        "district": facts.district,
        "registered": registered,
        "facts": text,
        "revision": revision,
        "search": search_text(facts.lift_id, facts),
        **{fact: getattr(facts, fact) for fact in NAMING_FACTS},
    }
