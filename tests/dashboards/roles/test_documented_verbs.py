"""docs/roles.md has every verb, and every route with its verb."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from dashboards.api.access import Needs
from registry.roles import VERBS_OF_KIND, VERBS_OF_ROLE, Verb
from tests.dashboards.roles.documented import (
    ACCOUNT,
    PUBLIC,
    ROUTES,
    table,
)


@pytest.mark.parametrize(
    ("heading", "verbs"), [("Verbs of a role", VERBS_OF_ROLE), ("Verbs of a kind of organisation", VERBS_OF_KIND)]
)
def test_the_tables_of_verbs_are_those_of_the_code(heading: str, verbs: dict[str, frozenset[Verb]]) -> None:
    (_, *columns), *rows = table(heading)
    assert sorted(columns) == sorted(verbs)
    assert [row[0] for row in rows] == list(Verb)
    for verb, *cells in rows:
        assert [cell == "yes" for cell in cells] == [verb in verbs[column] for column in columns], verb


def test_besides_the_table_there_are_static_files_and_the_description_of_the_api_alone(app: FastAPI) -> None:
    others = {getattr(route, "path", None) for route in app.routes if not isinstance(route, APIRoute)}
    assert others == {"/static", "/api/openapi.json"}


def test_every_route_and_page_stands_in_the_table_with_its_verb(app: FastAPI) -> None:
    declared = set()
    for route in (each for each in app.routes if isinstance(each, APIRoute)):  # each is analysed once, when it is made
        verbs = [each.dependency.verb for each in route.dependencies if isinstance(each.dependency, Needs)]
        assert len(verbs) <= 1
        declared |= {(method, route.path, verbs[0] if verbs else None) for method in route.methods}
    assert declared == {(method, path, None if verb in (PUBLIC, ACCOUNT) else verb) for method, path, verb in ROUTES}
    assert {path for _, path, verb in ROUTES if verb == PUBLIC} == {
        "/healthz", "/readyz", "/offline", "/service-worker.js", "/code/{lift_id}", "/code/{lift_id}/arrival",
        "/code/{lift_id}/report", "/reports/{secret}", "/reports/{secret}/photo", "/answer/{secret}", "/sign-in",
        "/sign-in/oidc", "/sign-in/oidc/return",
        "/calendars/{secret}.ics", "/welcome", "/api/v1/session",
    }  # fmt: skip
