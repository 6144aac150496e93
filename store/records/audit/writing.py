"""Writing the audit log, in the transaction that makes the change.

The head of the chain is locked until the commit, so that rows of several processes continue one chain. A text beyond
its limit is replaced by its beginning, its length and its hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select, update

from registry.actor import Actor
from store.records.audit.chain import DISTRICT, HEAD, Link, chained
from store.records.schema import audit, audit_ends, clean_text, lifts

DONE, REFUSED = "done", "refused"
TEXT_LIMIT, KEPT_CHARACTERS = 16_384, 4_096
NAME_LIMIT = 400
"""Characters of a subject, an address or another name."""


@dataclass(frozen=True, slots=True)
class AuditSubject:
    """The subject of an action: `detail` is the request; `before` and `after` are the values that it changed.

    A value is anything that orjson encodes; None is stored as unknown. `district` is that of a lift that is deleted by
    the action; of any other lift it is read from the registry.
    """

    subject: str
    detail: object = None
    before: object = None
    after: object = None
    lift_id: str | None = None
    district: str | None = None


@dataclass(frozen=True, slots=True)
class CountedAct:
    """The actor, the action and the object: acts that are equal are counted together."""

    by: Actor
    action: str
    subject: str
    lift_id: str | None = None
    outcome: str = DONE


@dataclass(frozen=True, slots=True)
class CountedRow:
    """A row that is due: an act with its count and with the values and the span of time that it named."""

    act: CountedAct
    at_ns: int
    count: int
    subject: AuditSubject


def write_audit(
    connection: Connection,
    now_ns: int,
    by: Actor,
    action: str,
    subjects: Iterable[AuditSubject],
    outcome: str = DONE,
) -> None:
    """Write one row for each subject of an action."""
    subjects = list(subjects)
    districts = _districts(connection, {each.lift_id for each in subjects if each.lift_id is not None})
    who = {"at_ns": now_ns, "outcome": outcome, "action": _name(action), **_actor_columns(by)}
    rows = list(chained(lock_head(connection), [{**who, **_subject_columns(each, districts)} for each in subjects]))
    if rows:
        connection.execute(audit.insert(), rows)
        move_end(connection, HEAD, Link(rows[-1]["id"], rows[-1]["hash"]))


def lock_head(connection: Connection) -> Link:
    """Return the head of the chain; no other transaction can lock it until the commit."""
    return read_end(connection, HEAD, lock=True)


def read_end(connection: Connection, end: str, lock: bool = False) -> Link:
    """Return the anchor or the head of the chain."""
    query = select(audit_ends.c.row_id, audit_ends.c.hash).where(audit_ends.c.end == end)
    row = connection.execute(query.with_for_update() if lock else query).one()
    return Link(row.row_id, bytes(row.hash))


def move_end(connection: Connection, end: str, to: Link) -> None:
    """Set the anchor or the head of the chain."""
    connection.execute(update(audit_ends).where(audit_ends.c.end == end).values(row_id=to.id, hash=to.hash))


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of `before` and of `after` under the names at which the two differ."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def _actor_columns(by: Actor) -> dict[str, str | None]:
    columns = asdict(by)
    columns["by"] = columns.pop("name")
    return {name: _name(value) for name, value in columns.items()}


def _subject_columns(each: AuditSubject, districts: Mapping[str | None, str]) -> dict[str, str | None]:
    texts = {name: _text(getattr(each, name)) for name in ("detail", "before", "after")}
    district = each.district or districts.get(each.lift_id)
    return {"subject": _name(each.subject), "lift_id": _name(each.lift_id), DISTRICT: district, **texts}


def _districts(connection: Connection, lift_ids: Set[str]) -> dict[str | None, str]:
    """Return the district of each of these lifts that the registry has."""
    if not lift_ids:
        return {}
    query = select(lifts.c.lift_id, lifts.c.district).where(lifts.c.lift_id.in_(sorted(lift_ids)))
    return {row.lift_id: row.district for row in connection.execute(query)}


def _name(text: str | None) -> str | None:
    return None if text is None else clean_text(text)[:NAME_LIMIT]


def _text(value: object) -> str | None:
    """Return a value as JSON, or, beyond the limit, a JSON object with the beginning of that."""
    if value is None:
        return None
    text = orjson.dumps(value).decode()
    if len(text) <= TEXT_LIMIT:
        return text
    cut = {"truncated": text[:KEPT_CHARACTERS], "characters": len(text), "sha256": _sha256(text)}
    return orjson.dumps(cut).decode()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
