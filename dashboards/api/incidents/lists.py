"""Routes of the list of incidents and of its counts; both take the same filters."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from dashboards.api.access import RequestScope, needs
from dashboards.api.context import AppContext
from dashboards.api.incidents.answers import incident_document
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.api.schema import incident_bodies, parameters
from registry.roles import Verb
from store.records.repository import IncidentFilter

REPEATABLE = Query(max_length=50, description="May be given more than once: any of the values")
ORGANISATION = Query(min_length=1, max_length=200, description="A part of the name of a lift's firm or owner")
TEXT = Query(
    min_length=1,
    max_length=200,
    description="A part of a lift's id, name, address, firm, owner or district, or of the assignee's login",
)
UNASSIGNED = Query(description="With true, incidents that are assigned to nobody")
CONDITION = Query(description="`over`: incidents with alerts of which none fires, and in which nobody may be inside")
ORDER = Query(description="`opened`: newest first; `urgency`: those that may hold people first, then the most severe")


def incident_filter(
    state: Annotated[list[incident_bodies.IncidentState], REPEATABLE] = [],  # noqa: B006
    kind: Annotated[list[incident_bodies.IncidentKind], REPEATABLE] = [],  # noqa: B006
    lift_id: Annotated[list[parameters.LiftId], REPEATABLE] = [],  # noqa: B006
    district: Annotated[list[parameters.DistrictName], REPEATABLE] = [],  # noqa: B006
    firm: Annotated[list[parameters.PersonName], REPEATABLE] = [],  # noqa: B006
    severity: Annotated[list[parameters.SeverityName], REPEATABLE] = [],  # noqa: B006
    owner: Annotated[list[parameters.PersonName], REPEATABLE] = [],  # noqa: B006
    organisation: Annotated[str | None, ORGANISATION] = None,
    q: Annotated[str | None, TEXT] = None,
    unassigned: Annotated[bool, UNASSIGNED] = False,
    condition: Annotated[incident_bodies.IncidentCondition | None, CONDITION] = None,
    since: parameters.Since = None,
    until: parameters.Until = None,
) -> IncidentFilter:
    """Return the conditions that the parameters of a request have."""
    return IncidentFilter(
        state=tuple(state), kind=tuple(kind), lift_id=tuple(lift_id), district=tuple(district), firm=tuple(firm),
        severity=tuple(severity), owner=tuple(owner), organisation=organisation, text=q, is_unassigned=unassigned,
        is_over=condition == "over", from_ns=since, to_ns=until,
    )  # fmt: skip


Wanted = Annotated[IncidentFilter, Depends(incident_filter)]


def add_lists(router: APIRouter, context: AppContext) -> None:
    """Add the routes; they come before those of one incident, since these paths have the form of theirs."""

    @router.get(
        "",
        response_model=incident_bodies.IncidentList,
        responses=problem_responses(400, 403, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def list_incidents(
        scope: RequestScope,
        wanted: Wanted,
        sort: Annotated[incident_bodies.IncidentOrder, ORDER] = "opened",
        limit: parameters.Limit = parameters.LIMIT_DEFAULT,
        cursor: parameters.Cursor = None,
    ) -> OrjsonResponse:
        """List incidents; by urgency those that may hold people come first, then the most severe and unacknowledged."""
        by_urgency = sort == "urgency"
        page = context.records().incidents(wanted, limit=limit, cursor=cursor, scope=scope.lifts, by_urgency=by_urgency)
        return OrjsonResponse({"items": [incident_document(each) for each in page.items], "next": page.next})

    @router.get(
        "/counts",
        response_model=incident_bodies.IncidentCountsBody,
        responses=problem_responses(403, 422, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def count_incidents(scope: RequestScope, wanted: Wanted) -> OrjsonResponse:
        """Count the incidents that the filters leave; of them the critical, the waiting, those with people inside."""
        return OrjsonResponse(asdict(context.records().count_incidents(wanted, scope.lifts)))

    @router.get(
        "/organisations",
        response_model=incident_bodies.OrganisationNames,
        responses=problem_responses(403, 503),
        dependencies=[needs(Verb.SEE)],
    )
    def list_organisations(scope: RequestScope) -> OrjsonResponse:
        """List names of the firms and the owners of lifts, for the filter `organisation`."""
        return OrjsonResponse({"items": context.records().names_of_lifts(("maintenance_firm", "owner"), scope.lifts)})
