"""Escalation policies of organisations, in the order in which they are tried. `of` limits every query."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection, Row, delete, select, update

from alerts.escalation.policy import EscalationPolicy
from alerts.escalation.policy_checks import policy_document, read_stored_policies
from registry.actor import Actor
from registry.fact_checks import FieldError
from store.records.audit.writing import AuditSubject, difference, write_audit
from store.records.database import Database
from store.records.duty.rosters import Organisations, belongs_to
from store.records.duty.tables import escalation_policies
from store.records.versions import require_version

ReadPolicy = Callable[[Sequence[EscalationPolicy]], tuple[EscalationPolicy, list[FieldError]]]
"""Reads a policy that may name others of its organisation, which are the argument."""
POLICIES_LIMIT = 100


class PolicyInUse(ValueError):
    """Another policy goes on with this one."""


class InvalidPolicy(ValueError):
    """A policy with errors in its fields."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = errors


class PolicyStore:
    """The part of the records that holds escalation policies."""

    _database: Database

    def policies(self, of: Organisations = None) -> list[EscalationPolicy]:
        """Return the policies of organisations, those of each in the order in which they are tried."""
        with self._database.reading() as connection:
            return load_policies(connection, of)

    def policy(self, policy_id: str, of: Organisations = None) -> EscalationPolicy | None:
        """Return one policy, None where these organisations have no such policy."""
        return next((each for each in self.policies(of) if each.policy_id == policy_id), None)

    def add_policy(
        self, read: ReadPolicy, organisation_id: str, position: int | None, by: Actor, now_ns: int
    ) -> EscalationPolicy:
        """Store a new policy, which gets an id, at a position from 1 (None: as the last). Raises InvalidPolicy."""
        with self._database.writing() as connection:
            others = load_policies(connection, [organisation_id])
            if len(others) >= POLICIES_LIMIT:
                raise InvalidPolicy([FieldError("policies", f"are {len(others)} already", "remove one first")])
            made = replace(_valid(read, others), policy_id=secrets.token_hex(8), organisation_id=organisation_id)
            document = policy_document(made)
            row = {"id": made.policy_id, "organisation_id": organisation_id, "position": 0, "revision": 0}
            connection.execute(escalation_policies.insert().values(**row, document=orjson.dumps(document).decode()))
            _reorder(connection, others, made, position)
            write_audit(connection, now_ns, by, "policy.add", [AuditSubject(made.policy_id, after=document)])
            return made

    def put_policy(
        self, policy_id: str, read: ReadPolicy, position: int | None, by: Actor, now_ns: int,
        expected: Collection[str] | None = None, of: Organisations = None,
    ) -> EscalationPolicy | None:  # fmt: skip
        """Replace a policy, at the same position (None) or another; None where it does not exist.

        Raises InvalidPolicy and VersionConflict. The others are read in the same transaction, so that two changes
        cannot close a ring together.
        """
        with self._database.writing() as connection:
            before = next((each for each in load_policies(connection, of) if each.policy_id == policy_id), None)
            if before is None:
                return None
            require_version(str(before.revision), expected)
            every = load_policies(connection, [before.organisation_id])
            others = [each for each in every if each.policy_id != policy_id]
            made = replace(_valid(read, every), policy_id=policy_id, organisation_id=before.organisation_id)
            made = replace(made, revision=before.revision + 1)
            document = policy_document(made)
            values = {"document": orjson.dumps(document).decode(), "revision": made.revision}
            changed = update(escalation_policies).where(escalation_policies.c.id == policy_id)
            connection.execute(changed.values(**values))
            _reorder(connection, others, made, every.index(before) + 1 if position is None else position)
            subject = AuditSubject(policy_id, None, *difference(policy_document(before), document))
            write_audit(connection, now_ns, by, "policy.change", [subject])
            return made

    def delete_policy(
        self, policy_id: str, by: Actor, now_ns: int, of: Organisations = None, expected: Collection[str] | None = None
    ) -> bool:
        """Delete a policy; return whether it existed. Raises VersionConflict, and PolicyInUse where another goes on
        with it."""
        with self._database.writing() as connection:
            every = load_policies(connection, of)
            before = next((each for each in every if each.policy_id == policy_id), None)
            if before is None:
                return False
            require_version(str(before.revision), expected)
            if user := next((each for each in every if each.then == policy_id), None):
                raise PolicyInUse(f"the policy {user.name!r} goes on with it; change that one first")
            connection.execute(delete(escalation_policies).where(escalation_policies.c.id == policy_id))
            subject = AuditSubject(policy_id, before=policy_document(before))
            write_audit(connection, now_ns, by, "policy.delete", [subject])
            return True


def load_policies(connection: Connection, of: Organisations) -> list[EscalationPolicy]:
    """Return the policies of organisations, those of each in their order."""
    columns = escalation_policies.c
    query = select(escalation_policies).where(belongs_to(columns.organisation_id, of))
    rows = connection.execute(query.order_by(columns.organisation_id, columns.position, columns.id)).all()
    return read_stored_policies([_stored(row) for row in rows])


def _valid(read: ReadPolicy, others: Sequence[EscalationPolicy]) -> EscalationPolicy:
    policy, errors = read(others)
    if errors:
        raise InvalidPolicy(errors)
    return policy


def _reorder(
    connection: Connection, others: Sequence[EscalationPolicy], made: EscalationPolicy, position: int | None
) -> None:
    """Number the policies of an organisation again, with `made` at a position."""
    order = [each.policy_id for each in others]
    order.insert(len(order) if position is None else position - 1, made.policy_id)
    for number, policy_id in enumerate(order, start=1):
        changed = update(escalation_policies).where(escalation_policies.c.id == policy_id)
        connection.execute(changed.values(position=number))


def _stored(row: Row[Any]) -> tuple[str, str, int, Any]:
    return row.id, row.organisation_id, row.revision, orjson.loads(row.document)
