"""Who can be assigned an incident: people of the own organisation, and by an operator anybody."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from dashboards.api.access import RequestScope, needs
from dashboards.api.context import AppContext
from dashboards.api.incidents.answers import incident_history
from dashboards.api.responses import OrjsonResponse, problem_responses
from dashboards.api.schema import incident_bodies, parameters
from dashboards.http.problem import invalid_field
from registry.people import Person
from registry.roles import Verb, verbs_of
from registry.scope import Scope


def add_assignees(router: APIRouter, context: AppContext) -> None:
    """Add the route."""

    @router.get(
        "/{incident_id}/assignees",
        response_model=incident_bodies.AssigneeList,
        responses=problem_responses(403, 404, 422, 503),
        dependencies=[needs(Verb.ASSIGN)],
    )
    def list_assignees(incident_id: parameters.IncidentIdInPath, scope: RequestScope) -> OrjsonResponse:
        """List people who can act on the incident: of the own organisation, and for an operator of its lift's firm."""
        incident = incident_history(context, scope, incident_id).visible.incident
        if scope.actor is None:
            return OrjsonResponse({"items": []})
        names = {scope.actor.organisation}
        if scope.lifts.everything:
            view = context.poller.current_view()
            row = view.lift_index.row_of.get(incident.lift_id)
            facts = None if row is None else view.lift_index.facts[row]
            names.add(facts.maintenance_firm if facts else None)
        found = [each for person in context.records().people() for each in _items(person, names)]
        return OrjsonResponse({"items": found})


def assignee(context: AppContext, scope: Scope, login: str | None) -> str | None:
    """Return the login of the person whom an incident is assigned to; a problem (422) where it is nobody's."""
    if login is None or scope.actor is None:
        return login
    person = context.records().person_of_login(login)
    ours = [] if person is None else [each.organisation.name for each in person.memberships]
    is_theirs = scope.lifts.everything or scope.actor.organisation in ours
    if person is None or person.is_disabled or person.is_machine or not is_theirs:
        raise invalid_field("to", "is no person of your organisation; write the login of one, as in /account")
    return person.login


def _items(person: Person, names: set[str | None]) -> list[dict[str, Any]]:
    """Return a person once, where one of these organisations lets the person act."""
    acting = [
        each.organisation.name
        for each in person.memberships
        if each.organisation.name in names and Verb.ACKNOWLEDGE in verbs_of(each.organisation.kind, each.role)
    ]
    if not acting or person.is_disabled or person.is_machine:
        return []
    return [{"login": person.login, "name": person.name, "organisation": acting[0]}]
