"""Routes of calls: who would be called for a lift, and who is on duty for an incident."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from alerts.escalation.facts import DutyBook, IncidentFacts, with_senders
from alerts.escalation.preview import preview
from alerts.incidents.incident import Incident
from dashboards.api.access import RequestScope, needs
from dashboards.api.context import AppContext
from dashboards.api.duty.documents import NEXT_WITHIN_NS, names_of, preview_json
from dashboards.api.duty.owners import DutyOwners, RequestOwners
from dashboards.api.incidents.answers import incident_history
from dashboards.api.lifts import stored_lift
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.api.schema import duty_bodies, incident_bodies, parameters
from registry.duty.shifts import now_and_next
from registry.roles import Verb
from registry.ways import TELEPHONES
from telemetry.instant import rfc3339


def duty_calls(context: AppContext) -> APIRouter:
    """Return the routes of calls."""
    router = APIRouter(prefix="/api/v1", tags=["duty"])

    @router.get(
        "/lifts/{lift_id}/calls",
        response_model=duty_bodies.CallsOfLift,
        responses=problem_responses(400, 403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def get_calls_of_lift(
        lift_id: parameters.LiftIdInPath,
        scope: RequestScope,
        owners: RequestOwners,
        kind: incident_bodies.IncidentKind = "entrapment",
        severity: parameters.SeverityName = "critical",
    ) -> OrjsonResponse:
        """Tell who would be called, in which order and by which ways, if an incident of this lift were opened now."""
        now_ns, lift = time.time_ns(), stored_lift(context, lift_id, scope)
        known = lift.facts if lift.registered else None
        address = (lift.facts.address or "").strip() or None
        facts = IncidentFacts("", kind, severity, lift_id, lift.facts.district, now_ns, building=address)
        books = owners.records.duty_books_of_lift(lift.facts.district, known, owners.ids)
        sendable = [with_senders(each, context.settings.way_kinds) for each in books]
        items = [preview_json(each, preview(each, facts, now_ns)) for each in sendable]
        return OrjsonResponse({"lift_id": lift_id, "kind": kind, "severity": severity, "items": items})

    @router.get(
        "/incidents/{incident_id}/on-duty",
        response_model=duty_bodies.OnDutyOfIncident,
        responses=problem_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def get_on_duty_of_incident(
        incident_id: parameters.IncidentIdInPath, scope: RequestScope, owners: RequestOwners
    ) -> OrjsonResponse:
        """Tell who is on duty for an incident, with telephone numbers."""
        visible = incident_history(context, scope, incident_id).visible
        books = _books(owners, visible.incident, visible.lift_ids)
        return OrjsonResponse(
            {
                "on_duty": _on_duty(owners, books),
                "telephones": _telephones(owners, books),
            }
        )

    return router


def _books(owners: DutyOwners, incident: Incident, lift_ids: frozenset[str]) -> dict[str, DutyBook]:
    """Return the books of the request's organisations that a visible lift of an incident concerns."""
    situation, acting = owners.records.call_situation([incident.id]), owners.records.acting_organisations()
    districts = {lift.lift_id: lift.district for lift in incident.lifts if lift.lift_id in lift_ids}
    ids = dict.fromkeys(
        each
        for lift_id, district in districts.items()
        for each in acting.concerned(district, situation.facts.get(lift_id))
        if owners.ids is None or each in owners.ids
    )
    return owners.records.duty_books(list(ids))


def _on_duty(owners: DutyOwners, books: Mapping[str, DutyBook]) -> list[dict[str, Any]]:
    now_ns = time.time_ns()
    found = [
        (book, roster, now_and_next(roster, now_ns, now_ns + NEXT_WITHIN_NS)[0])
        for book in books.values()
        for roster in book.rosters
    ]
    ways = owners.records.ways_of(sorted({each for _, _, shift in found for each in shift.people}))
    numbers = {
        person_id: [each.address for each in some if each.is_verified and each.kind in TELEPHONES]
        for person_id, some in ways.items()
    }
    return [
        {
            "organisation": book.name,
            "roster": roster.name,
            "until": rfc3339(shift.until_ns),
            "people": [
                {
                    "person_id": each,
                    "name": names_of(book).get(each),
                    "telephones": list(dict.fromkeys(numbers.get(each, []))),
                }
                for each in shift.people
            ],
        }
        for book, roster, shift in found
    ]


def _telephones(owners: DutyOwners, books: Mapping[str, DutyBook]) -> list[dict[str, str]]:
    """Return the duty telephones of the organisations."""
    return [
        {"organisation": each.name, "telephone": each.duty_telephone}
        for each in owners.organisations()
        if each.organisation_id in books and each.duty_telephone is not None
    ]
