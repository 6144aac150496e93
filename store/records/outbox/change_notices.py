"""Notifications to the authority of changes that can hide a danger, in the transaction of the change.

Whoever may approve in an authority of the lift's district, and has a verified way, is notified of each state of a
request; of a change of an organisation its own people are, and the authorities of the districts concerned.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, select

from alerts.notification import CHANGE, Notification, NotifiedLift
from registry.actor import Actor
from registry.lift_facts import name_in_language
from registry.organisations import DISTRICTS, KIND, SETTINGS
from registry.roles import OrganisationKind, Role, Verb, verbs_of
from registry.thresholds import ASKING_FACTS, DISTRICT, THRESHOLD_FACTS
from store.records.changes.change_request import ENDED, FACTS, FORMER, ChangeRequest, WantedChange
from store.records.database import Database
from store.records.identity.organisations import load_organisations
from store.records.identity.tables import memberships, organisations, people
from store.records.outbox.stored_notifications import insert_notifications
from store.records.outbox.tables import ways
from store.records.schema import lifts

INFORMED = [role for role in Role if Verb.APPROVE in verbs_of(OrganisationKind.AUTHORITY, role)]
STATES_ZH = {"waiting": "待批准", "applied": "已生效", "declined": "已拒绝", "ended": "已结束"}
ACTIONS = {
    "facts": ("thresholds", "修改阈值"),
    "delete": ("deletion of the lift", "删除电梯"),
    "maintenance": ("maintenance window", "维护时段"),
    "shelve": ("shelving of an alert", "搁置报警"),
}
FIELDS_CHANGED = {
    DISTRICTS: ("districts", "辖区"),
    KIND: ("kind", "类别"),
    SETTINGS: ("a second person is no longer asked for", "不再要求第二人批准"),
}
FACTS_CHANGED = (
    (THRESHOLD_FACTS, ACTIONS[FACTS]),
    ((DISTRICT,), ("district", "变更区县")),
    (ASKING_FACTS, ("owner or maintenance firm", "变更产权单位或维保单位")),
)
"""The words of a change of facts, by the facts that it sets."""
THRESHOLD_NAMES = {
    "floors": ("landings", "层站高度"),
    "rated_speed_mps": ("rated speed", "额定速度"),
    "position_source": ("source of the position", "位置来源"),
    "door_zone_m": ("door zone", "门区半高"),
    "parks_door_open": ("parking with open door", "开门待机"),
}


def notify_authorities(
    database: Database,
    connection: Connection,
    asked: ChangeRequest,
    now_ns: int,
    returned: Collection[str] = (),
    districts: Collection[str] = (),
) -> None:
    """Add a notification of the state of a request for each person to be informed.

    `returned` are the thresholds that have their former values again at the end of a temporary change. The
    authorities of the lift's district at the request and in the registry, and of further `districts`, are informed.
    """
    wanted = asked.wanted
    if wanted.organisation_id is not None:
        _notify(database, connection, asked, _informed_of_organisation(connection, wanted), None, now_ns)
        return
    text = connection.execute(select(lifts.c.facts).where(lifts.c.lift_id == wanted.lift_id)).scalar()
    facts = orjson.loads(text) if text is not None else {}
    district = facts.get("district", wanted.district)
    concerned = {district, wanted.district, *districts}
    informed = _informed(connection, concerned)
    lift = NotifiedLift(
        wanted.lift_id, district, facts.get("name"), facts.get("address"), timezone=facts.get("timezone")
    )
    _notify(database, connection, asked, informed, lift, now_ns, returned)


def _notify(
    database: Database,
    connection: Connection,
    asked: ChangeRequest,
    informed: Collection[str],
    lift: NotifiedLift | None,
    now_ns: int,
    returned: Collection[str] = (),
) -> None:
    """Add the notifications of these people."""
    if not informed:
        return
    sentence = _sentence(asked, returned)
    added = [
        Notification(f"change:{asked.id}:{asked.state}:{each}", each, "", CHANGE, "major", now_ns, lift, sentence)
        for each in informed
    ]
    insert_notifications(database, connection, added, now_ns)


def _sentence(asked: ChangeRequest, returned: Collection[str]) -> dict[str, str]:
    """Return the sentence of a notification in both languages."""
    reason = asked.wanted.reason
    english, chinese = _action_words(asked.wanted)
    end_en, end_zh = _end_words(returned) if asked.state == ENDED else ("", "")
    return {
        "en": f"A change that can hide a danger is {asked.state}{end_en}: {english}, by {_who(asked.by, 'en')}:"
        f" {reason or 'no reason given'}",
        "zh": f"可能掩盖危险的更改{STATES_ZH[asked.state]}{end_zh}：{chinese}，{_who(asked.by, 'zh')}："
        f"{reason or '未说明原因'}",
    }


def _action_words(wanted: WantedChange) -> tuple[str, str]:
    """Return in both languages what is changed."""
    if wanted.organisation_id is not None:
        return _organisation_words(wanted.detail)
    if wanted.action != FACTS:
        return ACTIONS[wanted.action]
    found = [words for facts, words in FACTS_CHANGED if wanted.detail.keys() & set(facts)]
    english, chinese = zip(*found, strict=True)
    return " and ".join(english), "、".join(chinese)


def _organisation_words(detail: Mapping[str, Any]) -> tuple[str, str]:
    """Return in both languages whose fields are changed, and from what to what."""
    former = detail[FORMER]
    english, chinese = [], []
    for name, (en, zh) in FIELDS_CHANGED.items():
        if name in former:
            values = "" if name == SETTINGS else f" {_shown(former[name])} → {_shown(detail[name])}"
            english.append(f"{en}{values}")
            chinese.append(f"{zh}{values}")
    of_en, of_zh = (name_in_language(former["name"], language) for language in ("en", "zh"))
    return f"{of_en}: {' and '.join(english)}", f"{of_zh}：{'、'.join(chinese)}"


def _shown(value: str | Collection[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "–"


def _who(by: Actor, language: str) -> str:
    """Return the name of a person with the organisation, each in a language."""
    name = name_in_language(by.name, language)
    return name if by.organisation is None else f"{name} ({name_in_language(by.organisation, language)})"


def _end_words(returned: Collection[str]) -> tuple[str, str]:
    """Return in both languages which thresholds have their former values again."""
    if not returned:
        return " (no former value was restored)", "（未恢复任何原值）"
    names = [THRESHOLD_NAMES[fact] for fact in sorted(returned)]
    english, chinese = ", ".join(en for en, _ in names), "、".join(zh for _, zh in names)
    return f" (former values restored: {english})", f"（已恢复原值：{chinese}）"


def _informed_of_organisation(connection: Connection, wanted: WantedChange) -> list[str]:
    """Return the people to be informed of a change of an organisation: its own, and of each district that it gains or
    loses those of the authorities."""
    former = set(wanted.detail[FORMER].get(DISTRICTS, ()))
    changed = former ^ set(wanted.detail[DISTRICTS]) if DISTRICTS in wanted.detail[FORMER] else set()
    return _informed(connection, changed, {wanted.organisation_id or ""})


def _informed(connection: Connection, districts: Collection[str], organisation_ids: Collection[str] = ()) -> list[str]:
    """Return the people of the authorities of districts, and of organisations, who may approve and have a verified
    way."""
    ids = {each for district in districts for each in _authorities(connection, district)} | set(organisation_ids)
    reached = select(ways.c.person_id).where(ways.c.verified_ns.is_not(None))
    query = select(memberships.c.person_id).join(people, people.c.id == memberships.c.person_id)
    query = query.where(memberships.c.organisation_id.in_(ids), memberships.c.role.in_(INFORMED))
    query = query.where(people.c.is_disabled.is_(False), people.c.id.in_(reached))
    return sorted(set(connection.scalars(query)))


def _authorities(connection: Connection, district: str) -> list[str]:
    """Return the authorities of a district."""
    named = select(organisations.c.id).where(
        organisations.c.kind == OrganisationKind.AUTHORITY,
        organisations.c.closed_ns.is_(None),
        organisations.c.districts.contains(orjson.dumps(district).decode(), autoescape=True),
    )
    found = load_organisations(connection, set(connection.scalars(named)))
    return [each.organisation_id for each in found.values() if district in each.districts]
