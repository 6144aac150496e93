"""The organisations of which a request sees the duty: the operator all, every other account its own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from fastapi import Depends, Request

from alerts.escalation.facts import DutyBook
from dashboards.api.access import scope_of
from dashboards.http.problem import not_found
from dashboards.sign_in.requests import identity_of
from registry.organisations import Organisation
from store.records.repository import Records


class DutyOwners:
    """The organisations of a request; `ids` limits queries to them, None is all."""

    def __init__(self, request: Request) -> None:
        membership = identity_of(request).membership
        self.records: Records = request.app.state.context.records()
        self.ids: Collection[str] | None = None
        if not scope_of(request).lifts.everything:
            self.ids = [] if membership is None else [membership.organisation.organisation_id]

    def organisations(self) -> list[Organisation]:
        """Return the organisations that are open."""
        every = self.records.organisations()
        return [each for each in every if each.closed_ns is None and self._sees(each.organisation_id)]

    def book(self, organisation_id: str) -> DutyBook:
        """Return the book of one of them; a problem (404) where there is none."""
        found = self.records.duty_book(organisation_id) if self._sees(organisation_id) else None
        if found is None:
            raise not_found("organisation", organisation_id)
        return found

    def _sees(self, organisation_id: str) -> bool:
        return self.ids is None or organisation_id in self.ids


RequestOwners = Annotated[DutyOwners, Depends(DutyOwners)]
