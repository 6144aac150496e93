"""Every route as every role of every kind of organisation, on own and on foreign lifts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient

from registry.actor import Actor
from registry.roles import OrganisationKind, Role, Verb, verbs_of
from store.records.repository import AlertFilter, IncidentFilter, Records, WantedChange
from tests.dashboards.roles.documented import (
    ASKED,
    LATER,
    MINE,
    ROLES,
    THEIRS,
    Act,
)
from tests.dashboards.roles.tenants import identities

ACTION: dict[str, Any] = {"note": "seen"}
BODIES: dict[str, Any] = {
    "/assign": {"to": "Eve"}, "/shelve": {"until": LATER}, "/maintenance": {"until": LATER}, "/import": [],
    "/roles/{organisation_id}": {"role": "viewer"},
    "/fault": {"cause": "overspeed"}, "/calendar-links": {}, "/devices": {"lift_id": MINE}, "PATCH": {}, "/lifts": {},
}  # fmt: skip
"""Bodies that are valid, or that are refused only after the question of access."""
ADMINISTRATIVE = (Verb.MANAGE_PEOPLE, Verb.MANAGE_ORGANISATIONS, Verb.MANAGE_DUTY)
"""Verbs of routes that are refused before anything is looked for."""
Bodies = Mapping[str, Any]


def body_of(bodies: Bodies, method: str, path: str) -> Any:
    """Return the body of a request."""
    return next((body for end, body in bodies.items() if path.endswith(end) or method == end), ACTION)


def request(
    client: TestClient, records: Records, method: str, path: str, lift_id: str, bodies: Bodies, named: Mapping[str, str]
) -> int:
    """Send a request about a lift, its alert or its change request, and about the `named`; return the status."""
    path = path.replace("/organisations/{organisation_id}/{form}", "/organisations/{organisation_id}/details")
    path = path.replace("/devices/{device_id}/{form}", "/devices/{device_id}/revoke")
    found: dict[str, Any] = {}
    if "{alert_id}" in path:
        found["alert_id"] = records.alerts(AlertFilter(lift_id=(lift_id,))).items[0].id
    if "{incident_id}" in path:
        found["incident_id"] = records.incidents(IncidentFilter(lift_id=(lift_id,))).items[0].incident.id
    if "{request_id}" in path:
        asked = records.change_requests(time.time_ns(), lift_id=lift_id, state="waiting").items
        found["request_id"] = asked[0].id if asked else 0
    where = path.format(lift_id=lift_id, device_id=lift_id, number=1, **found, **named)
    query = {"stream": "speed"} if where.endswith("/series") else {}
    headers = {"Accept": "application/json" if where.startswith("/api") else "text/html", "If-Match": '"another"'}
    content = {} if method in ("GET", "DELETE") else {"json": body_of(bodies, method, path)}
    return client.request(method, where, params=query, headers=headers, **content).status_code


def cases(kind: OrganisationKind, role: Role) -> Iterator[tuple[str, str, str, int | None]]:
    """Yield the requests of a role about the own and the foreign lift, with the status of those that are refused."""
    for method, path, verb in ASKED:
        may = verb in verbs_of(kind, role)
        yield method, path, MINE, None if may else 403
        if "{" in path and kind is not OrganisationKind.OPERATOR and (may or verb not in ADMINISTRATIVE):
            yield method, path, THEIRS, 404


@pytest.mark.parametrize(("kind", "role"), ROLES)
def test_a_route_is_answered_where_its_verb_allows_and_a_foreign_lift_is_not_found(
    client: TestClient, records: Records, act: Act, kind: OrganisationKind, role: Role
) -> None:
    eve = Actor("Eve", "person:2", "Mine", "manager", None)
    for lift_id in (MINE, MINE, THEIRS):
        records.request_change(WantedChange(lift_id, "d", "facts", {}), eve, time.time_ns(), None)
    named = {MINE: identities(records, "Mine"), THEIRS: identities(records, "Theirs")}
    bodies = {
        **BODIES,
        "/tokens": {"name": "t", "expires": LATER, "organisation_id": named[MINE]["organisation_id"]},
        "/merge": {"other_id": named[THEIRS]["organisation_id"]},
    }
    act(kind, role)
    for method, path, lift_id, expected in cases(kind, role):
        status = request(client, records, method, path, lift_id, bodies, named[lift_id])
        if expected is None:
            assert status not in (401, 403, 404, 500), (method, path, status)
        else:
            assert status == expected, (method, path, lift_id, status)
