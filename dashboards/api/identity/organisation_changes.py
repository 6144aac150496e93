"""Changes of organisations, by the API and by the form of a page: those that can hide a danger have a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboards.api.change_requests import make_change, require_reason, versions
from dashboards.api.context import AppContext
from dashboards.api.responses import OrjsonResponse
from dashboards.sign_in.administration import Administration
from registry.organisations import DISTRICTS, Organisation, guarded_fields
from store.records.changes.change_request import ORGANISATION, organisation_change
from store.records.repository import VersionConflict


def add_organisation(
    context: AppContext, acting: Administration, given: Mapping[str, Any], reason: str | None
) -> tuple[Organisation, OrjsonResponse | None]:
    """Create an organisation; return it, and a response (202) where its districts wait for a second person."""
    fields = acting.checked_addition(given)
    districts = fields.pop(DISTRICTS, ())
    if districts:
        require_reason(acting.identity.scope, ORGANISATION, reason)  # before there is an organisation without districts
    added = acting.add_organisation(fields)
    waiting = _guarded(context, acting, added, {DISTRICTS: districts}, None, reason) if districts else None
    return acting.organisation(added.organisation_id), waiting


def change_organisation(
    context: AppContext,
    acting: Administration,
    organisation_id: str,
    given: Mapping[str, Any],
    expected: frozenset[str] | None,
    reason: str | None,
) -> OrjsonResponse | None:
    """Change fields of an organisation: None where the change was applied, a response (202) where it waits."""
    before = acting.organisation(organisation_id)
    changes = acting.checked_change(before, given)
    if guarded_fields(before, changes):
        return _guarded(context, acting, before, changes, expected, reason)
    acting.change_organisation(organisation_id, changes, expected)
    return None


def _guarded(
    context: AppContext,
    acting: Administration,
    before: Organisation,
    changes: Mapping[str, Any],
    expected: frozenset[str] | None,
    reason: str | None,
) -> OrjsonResponse | None:
    """Make changes that can hide a danger; raises VersionConflict where the organisation was changed meanwhile."""
    if expected is not None and str(before.revision) not in expected:
        raise VersionConflict(str(before.revision))
    wanted = organisation_change(before, changes, versions(expected), reason)
    return make_change(context, acting.identity.scope, acting.by, wanted)
