"""Every act on an incident of two tenants, as every role of every kind of organisation."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from alerts.incidents.actions import IncidentAction
from alerts.incidents.rescuing import RescueStep
from registry.roles import OrganisationKind, Role, Verb, verbs_of
from registry.scope import NAMING_FACTS
from store.records.repository import Records
from tests.dashboards.roles.documented import (
    BY,
    MINE,
    ROLES,
    THEIRS,
    Act,
    table,
)
from tests.dashboards.sample_fleet import T0_NS, facts

SHARED_ACTS: dict[str, tuple[Verb, str, dict[str, Any]]] = {
    "ack": (Verb.ACKNOWLEDGE, "ack", {}),
    "comment": (Verb.COMMENT, "comment", {"note": "seen"}),
    "link to an incident on which one may act": (Verb.ACKNOWLEDGE, "link", {"other": "{mine}"}),
    "link to another incident that one sees": (Verb.ACKNOWLEDGE, "link", {"other": "{made}"}),
    "stage of an own lift": (Verb.ACKNOWLEDGE, "stage", {"stage": "on-site", "lift_id": MINE}),
    "stage of the incident": (Verb.ACKNOWLEDGE, "stage", {"stage": "released"}),
    "retract a stage of an own lift": (
        Verb.ACKNOWLEDGE,
        "retract",
        {"stage": "on-site", "note": "no", "lift_id": MINE},
    ),
    "retract a stage of the incident": (Verb.ACKNOWLEDGE, "retract", {"stage": "released", "note": "no"}),
    "call-out, where nobody may be inside an own lift": (Verb.ACKNOWLEDGE, "call-out", {"who": "Bo"}),
    "accept the own call-out": (Verb.ACKNOWLEDGE, "accept", {"number": 2}),
    "accept the call-out of others": (Verb.ACKNOWLEDGE, "accept", {"number": 1}),
    "accept unasked, where nobody may be inside an own lift": (Verb.ACKNOWLEDGE, "accept", {}),
    "decline the own call-out": (Verb.ACKNOWLEDGE, "decline", {"number": 2, "reason": "far"}),
    "decline the call-out of others": (Verb.ACKNOWLEDGE, "decline", {"number": 1, "reason": "far"}),
    "no-answer of the own call-out": (Verb.ACKNOWLEDGE, "no-answer", {"number": 2}),
    "no-answer of the call-out of others": (Verb.ACKNOWLEDGE, "no-answer", {"number": 1}),
    "arrive on the own call-out": (Verb.ACKNOWLEDGE, "arrive", {"number": 2}),
    "arrive on the call-out of others": (Verb.ACKNOWLEDGE, "arrive", {"number": 1}),
    "arrive unasked, where nobody may be inside an own lift": (Verb.ACKNOWLEDGE, "arrive", {}),
    "assign": (Verb.ASSIGN, "assign", {"to": None}),
    "answer the reports of own lifts": (Verb.ACKNOWLEDGE, "answer", {"note": "seen"}),
    "close": (Verb.RESOLVE, "close", {"reason": "false-alarm", "answer": "seen"}),
    "reopen": (Verb.RESOLVE, "reopen", {}),
    "merge": (Verb.RESOLVE, "merge", {"other": "{mine}"}),
    "split": (Verb.RESOLVE, "split", {"alerts": ["a"]}),
}
"""The acts of the table of shared incidents, with verb, path and body."""


def open_shared_incident(records: Records) -> dict[str, str]:
    """Open an incident of both lifts in which `THEIRS` holds people and both firms are called out, and two others.

    Return their ids: "mine" of a lift that names "Mine" in every fact, "made" of one that "Mine" only made.
    """
    records.put_lift(facts("L007", **dict.fromkeys(NAMING_FACTS, "Mine")), BY, T0_NS)
    records.put_lift(facts("L009", **dict.fromkeys(NAMING_FACTS, "Theirs") | {"manufacturer": "Mine"}), BY, T0_NS)
    found = {}
    for name, lift_id in (("mine", "L007"), ("made", "L009"), ("shared", THEIRS), ("joined", MINE)):
        what = "entrapment" if lift_id == THEIRS else "out-of-order"
        called = records.report_by_call(lift_id, what, None, BY, T0_NS)
        assert called is not None
        found[name] = called.id
    assert records.merge_incidents(found["shared"], found.pop("joined"), BY, T0_NS) is not None
    for who in ("Theirs", "Mine"):
        step = IncidentAction("call-out", BY, rescue=RescueStep("call-out", who=who))
        assert records.act_on_incident(found["shared"], step, T0_NS) is not None
    return found


@pytest.mark.parametrize(("kind", "role"), ROLES)
def test_an_act_on_a_shared_incident_is_answered_where_it_concerns_no_lift_of_others(
    client: TestClient, records: Records, act: Act, kind: OrganisationKind, role: Role
) -> None:
    found = open_shared_incident(records)
    act(kind, role)
    rows = table("Acts on a shared incident")[1:]
    assert [row[0] for row in rows] == list(SHARED_ACTS)
    for name, partly in rows:
        verb, action, body = SHARED_ACTS[name]
        given = {key: value.format(**found) if key == "other" else value for key, value in body.items()}
        path = f"/api/v1/incidents/{found['shared']}/{action}"
        status = client.post(path, json=given, headers={"If-Match": '"another"'}).status_code
        may = verb in verbs_of(kind, role) and (partly == "yes" or kind is OrganisationKind.OPERATOR)
        assert status == (412 if may else 403), (name, status)
