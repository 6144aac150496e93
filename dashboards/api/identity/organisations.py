"""Routes of organisations. A rename or a merge loses no lift: their facts get the present name in the background."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Request

from dashboards.api.access import needs
from dashboards.api.change_requests import WAITING_RESPONSE, Reason
from dashboards.api.context import AppContext
from dashboards.api.identity.bodies import organisation_body, paged
from dashboards.api.identity.organisation_changes import add_organisation, change_organisation
from dashboards.api.responses import JSON, OrjsonResponse, problem_responses, require_media_type, versioned_responses
from dashboards.api.schema import identity_bodies, parameters
from dashboards.http.preconditions import IfMatch, etag, expected_versions
from dashboards.sign_in.administration import Administration
from dashboards.sign_in.requests import identity_of
from registry.organisations import Organisation
from registry.roles import Verb

OrganisationIdInPath = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]


def organisations(context: AppContext) -> APIRouter:
    """Return the routes of organisations."""
    router = APIRouter(prefix="/api/v1/organisations", tags=["organisations"])
    json_body = Depends(require_media_type(JSON))
    own, every = needs(Verb.MANAGE_PEOPLE), needs(Verb.MANAGE_ORGANISATIONS)
    changed = versioned_responses(400, 403, 404, 409, 412, 413, 415, 422, 503)

    def administration(request: Request) -> Administration:
        return Administration(context.records(), identity_of(request))

    @router.get(
        "",
        response_model=identity_bodies.OrganisationList,
        responses=problem_responses(400, 403, 422, 503),
        dependencies=[own],
    )
    def list_organisations(
        request: Request, limit: parameters.Limit = parameters.LIMIT_DEFAULT, cursor: parameters.Cursor = None
    ) -> OrjsonResponse:
        """List organisations by name."""
        found = administration(request).organisations()
        key = lambda each: [each.name, each.organisation_id]  # noqa: E731
        return OrjsonResponse(paged(found, key, limit, cursor, "organisations", organisation_body))

    @router.post(
        "",
        status_code=201,
        response_model=identity_bodies.OrganisationBody,
        responses=versioned_responses(400, 403, 409, 413, 415, 422, 503, success=201) | WAITING_RESPONSE,
        dependencies=[json_body, every],
    )
    def post_organisation(
        request: Request, body: identity_bodies.OrganisationChange, reason: Reason = None
    ) -> OrjsonResponse:
        """Create an organisation; `kind` and `name` are required.

        A signed-in account gives a reason for `districts`; they wait (202) where an operator asks for a second person,
        and the organisation is created without them.
        """
        added, waiting = add_organisation(context, administration(request), body.model_dump(exclude_unset=True), reason)
        return waiting or _answer(added, 201)

    @router.get(
        "/{organisation_id}",
        response_model=identity_bodies.OrganisationBody,
        responses=versioned_responses(403, 404, 422, 503),
        dependencies=[own],
    )
    def get_organisation(request: Request, organisation_id: OrganisationIdInPath) -> OrjsonResponse:
        """Return one organisation."""
        return _answer(administration(request).organisation(organisation_id))

    @router.patch(
        "/{organisation_id}",
        response_model=identity_bodies.OrganisationBody,
        responses=changed | WAITING_RESPONSE,
        dependencies=[json_body, own],
    )
    def patch_organisation(
        request: Request,
        organisation_id: OrganisationIdInPath,
        body: identity_bodies.OrganisationChange,
        later: BackgroundTasks,
        if_match: IfMatch = None,
        reason: Reason = None,
    ) -> OrjsonResponse:
        """Change fields of an organisation; the former name stays one of its names.

        A signed-in account gives a reason where the kind or the districts change, or a second person is no longer
        asked for; the change may wait (202).
        """
        acting, given = administration(request), body.model_dump(exclude_unset=True)
        waiting = change_organisation(context, acting, organisation_id, given, expected_versions(if_match), reason)
        later.add_task(context.records().rewrite_names, acting.by, time.time_ns())
        return waiting or _answer(acting.organisation(organisation_id))

    @router.post(
        "/{organisation_id}/merge",
        response_model=identity_bodies.OrganisationBody,
        responses=changed,
        dependencies=[json_body, every],
    )
    def merge_organisation(
        request: Request, organisation_id: OrganisationIdInPath, body: identity_bodies.Merge, later: BackgroundTasks
    ) -> OrjsonResponse:
        """Merge another organisation without districts into this one: its names and people move here; it is closed."""
        acting = administration(request)
        after = acting.merge(organisation_id, body.other_id)
        later.add_task(context.records().rewrite_names, acting.by, time.time_ns())
        return _answer(after)

    @router.post(
        "/{organisation_id}/close",
        response_model=identity_bodies.OrganisationBody,
        responses=changed,
        dependencies=[every],
    )
    def close_organisation(
        request: Request, organisation_id: OrganisationIdInPath, if_match: IfMatch = None
    ) -> OrjsonResponse:
        """Close an organisation without districts: its people see nothing any more, and its lifts stay."""
        return _answer(administration(request).set_closed(organisation_id, True, expected_versions(if_match)))

    @router.post(
        "/{organisation_id}/reopen",
        response_model=identity_bodies.OrganisationBody,
        responses=changed,
        dependencies=[every],
    )
    def reopen_organisation(
        request: Request, organisation_id: OrganisationIdInPath, if_match: IfMatch = None
    ) -> OrjsonResponse:
        """Open a closed organisation again."""
        return _answer(administration(request).set_closed(organisation_id, False, expected_versions(if_match)))

    return router


def _answer(organisation: Organisation, status: int = 200) -> OrjsonResponse:
    return OrjsonResponse(organisation_body(organisation), status, headers=etag(str(organisation.revision)))
