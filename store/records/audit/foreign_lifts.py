"""Rows about an incident as a scope sees them, where some of its lifts, or a joined incident, are not in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection, select

from registry.scope import LiftScope
from store.records.audit.entry import AuditEntry
from store.records.incidents.scoping import incidents_seen
from store.records.schema import lifts
from store.records.scoping import lifts_in

INCIDENT_ACTS = "incident."
OF_ANOTHER = ("other", "new", "merged_into")
"""Values that are the id of another incident."""
OF_ANY_LIFT = ("summary", "truncated")
"""Values that may be those of a hidden lift, which the row does not name."""


def without_foreign_lifts(connection: Connection, entries: Sequence[AuditEntry], scope: LiftScope) -> list[AuditEntry]:
    """Return rows whose incidents have their lifts in the scope alone; rows of other actions are as they are."""
    if scope.everything:
        return list(entries)
    acts = [entry for entry in entries if entry.action.startswith(INCIDENT_ACTS)]
    if not acts:
        return list(entries)
    named = {lift_id for entry in acts for lift_id, _ in _lifts(entry)}
    joined = {name for entry in acts for name in _joined(entry)}
    hidden = joined - incidents_seen(connection, joined, scope)
    registered = select(lifts.c.lift_id).where(lifts.c.lift_id.in_(named))
    known, inside = set(connection.scalars(registered)), set(connection.scalars(registered.where(lifts_in(scope))))

    def is_inside(lift_id: str, district: str | None) -> bool:
        return lift_id in inside or (lift_id not in known and district in scope.districts)

    def shown(entry: AuditEntry) -> AuditEntry:
        return _without_incidents(_cut(entry, is_inside), hidden)

    return [shown(each) if each.action.startswith(INCIDENT_ACTS) else each for each in entries]


def _lifts(entry: AuditEntry) -> Iterator[tuple[str, str | None]]:
    """Yield the lifts that a row names, each with its district."""
    if entry.lift_id is not None:
        yield entry.lift_id, entry.district
    if asked := _read(entry.detail).get("lift_id"):
        yield asked, None
    for document in (_read(entry.before), _read(entry.after)):
        for lift in document.get("lifts") or ():
            yield lift["lift_id"], lift.get("district")


def _joined(entry: AuditEntry) -> Iterator[str]:
    """Yield the other incidents that a row names."""
    for document in map(_read, (entry.detail, entry.before, entry.after)):
        yield from (document[name] for name in OF_ANOTHER if document.get(name))
        links: list[str] = document.get("links") or []
        yield from links


def _without_incidents(entry: AuditEntry, hidden: Set[str]) -> AuditEntry:
    """Return a row without the ids of these incidents."""

    def cut(text: str | None) -> str | None:
        document = _read(text)
        links: list[str] = document.get("links") or []
        if not hidden & {*links, *(document.get(name) for name in OF_ANOTHER)}:
            return text
        kept = {name: None if name in OF_ANOTHER and value in hidden else value for name, value in document.items()}
        if links:
            kept["links"] = [link for link in links if link not in hidden]
        return orjson.dumps(kept).decode()

    return replace(entry, detail=cut(entry.detail), before=cut(entry.before), after=cut(entry.after))


def _cut(entry: AuditEntry, is_inside: Callable[[str, str | None], bool]) -> AuditEntry:
    """Return a row without the lifts that are not in the scope, and without what may be a value of theirs."""
    own = entry.lift_id is not None and is_inside(entry.lift_id, entry.district)

    def cut(text: str | None) -> str | None:
        document = _read(text)
        if not document:
            return text
        kept = {name: value for name, value in document.items() if name not in OF_ANY_LIFT}
        if isinstance(kept.get("lifts"), list):
            kept["lifts"] = [lift for lift in kept["lifts"] if is_inside(lift["lift_id"], lift.get("district"))]
        return orjson.dumps(kept).decode()

    asked = _read(entry.detail)
    if asked.get("lift_id") and not is_inside(asked["lift_id"], None):
        entry = replace(entry, detail=orjson.dumps(asked | {"lift_id": None}).decode())
    lift_id = entry.lift_id if own else None
    return replace(entry, lift_id=lift_id, before=cut(entry.before), after=cut(entry.after))


def _read(text: str | None) -> dict[str, Any]:
    """Return the object of a text of JSON; empty for anything else."""
    value = None if text is None else orjson.loads(text)
    return value if isinstance(value, dict) else {}
