"""Rendering of pages about accounts, which no browser or proxy stores: sign-in, the own account, administration."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse

from dashboards.http.problem import Problem
from dashboards.pages.problems.texts import problem_texts
from dashboards.pages.routes import language_of, render
from registry.roles import OrganisationKind, Role


def render_private(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a template as a page that is not stored."""
    page = render(request, template, status=status, demo=False, **values)
    page.headers["Cache-Control"] = "no-store"
    return page


def render_administration(request: Request, template: str, problem: Problem | None, **values: Any) -> HTMLResponse:
    """Return a page of administration, with the problems of its form where the form was refused."""
    return render_private(
        request, template, status=200 if problem is None else problem.status_code,
        problems=[] if problem is None else problem_texts(problem, language_of(request)),
        kinds=list(OrganisationKind), roles=list(Role), **values,
    )  # fmt: skip
