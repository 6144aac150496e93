"""Notifications to the authority of changes that can hide a danger, in the transaction of the change.

Whoever may approve in an authority of the lift's district, and has a verified way, is notified of each state of a
request.
"""

from __future__ import annotations

import orjson
from sqlalchemy import Connection, select

from alerts.notification import CHANGE, Notification, NotifiedLift
from registry.actor import Actor
from registry.roles import OrganisationKind, Role, Verb, verbs_of
from store.records.database import Database
from store.records.identity.organisations import load_organisations
from store.records.identity.tables import memberships, organisations, people
from store.records.outbox.stored_notifications import insert_notifications
from store.records.outbox.tables import ways
from store.records.schema import lifts

INFORMED = [role for role in Role if Verb.APPROVE in verbs_of(OrganisationKind.AUTHORITY, role)]
STATES_ZH = {"waiting": "待批准", "applied": "已生效", "declined": "已拒绝", "ended": "已到期，恢复原值"}
ACTIONS = {
    "facts": ("thresholds", "修改阈值"),
    "delete": ("deletion of the lift", "删除电梯"),
    "maintenance": ("maintenance window", "维护时段"),
    "shelve": ("shelving of an alert", "搁置报警"),
}


def notify_authorities(
    database: Database, connection: Connection, request: tuple[int, str, str, str, str], by: Actor,
    reason: str | None, now_ns: int,
) -> None:  # fmt: skip
    """Add a notification for each person to be informed; `request` is id, state, action, lift and district."""
    request_id, state, action, lift_id, district = request
    informed = _informed(connection, district)
    if not informed:
        return
    english, chinese = ACTIONS[action]
    who = by.name if by.organisation is None else f"{by.name} ({by.organisation})"
    sentence = {
        "en": f"A change that can hide a danger is {state}: {english}, by {who}: {reason or 'no reason given'}",
        "zh": f"可能掩盖危险的更改{STATES_ZH[state]}：{chinese}，{who}：{reason or '未说明原因'}",
    }
    lift = _lift(connection, lift_id, district)
    added = [
        Notification(f"change:{request_id}:{state}:{person_id}", person_id, "", CHANGE, "major", now_ns, lift, sentence)
        for person_id in informed
    ]
    insert_notifications(database, connection, added, now_ns)


def _informed(connection: Connection, district: str) -> list[str]:
    """Return the people of the authorities of a district who may approve and have a verified way."""
    named = select(organisations.c.id).where(
        organisations.c.kind == OrganisationKind.AUTHORITY,
        organisations.c.closed_ns.is_(None),
        organisations.c.districts.contains(orjson.dumps(district).decode(), autoescape=True),
    )
    found = load_organisations(connection, set(connection.scalars(named)))
    ids = [each.organisation_id for each in found.values() if district in each.districts]
    reached = select(ways.c.person_id).where(ways.c.verified_ns.is_not(None))
    query = select(memberships.c.person_id).join(people, people.c.id == memberships.c.person_id)
    query = query.where(memberships.c.organisation_id.in_(ids), memberships.c.role.in_(INFORMED))
    query = query.where(people.c.is_disabled.is_(False), people.c.id.in_(reached))
    return sorted(set(connection.scalars(query)))


def _lift(connection: Connection, lift_id: str, district: str) -> NotifiedLift:
    text = connection.execute(select(lifts.c.facts).where(lifts.c.lift_id == lift_id)).scalar()
    facts = orjson.loads(text) if text is not None else {}
    return NotifiedLift(lift_id, district, facts.get("name"), facts.get("address"), timezone=facts.get("timezone"))
