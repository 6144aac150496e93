"""Alerts: the list, one with its story, and what people do to them. What an alert does not allow is a problem (409)."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from alerts.alert import Transition
from alerts.book import COMMENTED, Answer, Refused
from alerts.wire import to_json
from dashboards.api import schema
from dashboards.api.answer import JSON, Json, problems, takes
from dashboards.api.desk import Desk
from dashboards.http.problem import Problem, missing, unfit
from store.records.repository import AlertFilter, History
from telemetry.instant import rfc3339

Several = Query(max_length=50, description="May be given more than once: any of them")


def alerts(desk: Desk) -> APIRouter:
    """Return the routes of alerts."""
    router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])

    @router.get("", response_model=schema.Alerts, responses=problems(400, 422, 503))
    def list_alerts(
        state: Annotated[list[schema.AlertState], Several] = [],  # noqa: B006
        lift_id: Annotated[list[schema.LiftId], Several] = [],  # noqa: B006
        rule: Annotated[list[schema.Slug], Several] = [],  # noqa: B006
        severity: Annotated[list[schema.SeverityName], Several] = [],  # noqa: B006
        district: Annotated[list[schema.DistrictName], Several] = [],  # noqa: B006
        since: schema.Since = None,
        until: schema.Until = None,
        limit: schema.Limit = schema.LIMIT_DEFAULT,
        cursor: schema.Cursor = None,
    ) -> Json:
        """List alerts, newest onset first."""
        wanted = AlertFilter(
            tuple(state), tuple(lift_id), tuple(rule), tuple(severity), tuple(district), from_ns=since, to_ns=until
        )
        page = desk.records().alerts(wanted, limit=limit, cursor=cursor)
        return Json({"items": [to_json(alert) for alert in page.items], "next": page.next})

    @router.get("/{alert_id}", response_model=schema.AlertWithStory, responses=problems(404, 422, 503))
    def get_alert(alert_id: schema.AlertIdInPath) -> Json:
        """Return one alert with all its transitions and comments."""
        history = desk.records().alert(alert_id)
        if history is None:
            raise missing("alert", alert_id)
        return Json(_story(history))

    _add_deeds(router, desk)
    return router


def _add_deeds(router: APIRouter, desk: Desk) -> None:
    """Add the routes of what people do; doing the same again changes nothing, but for comments."""

    def deed(path: str, refusable: bool = True) -> Any:
        statuses = (400, 403, 404, *([409] if refusable else []), 413, 415, 422, 503)
        return router.post(
            f"/{{alert_id}}/{path}",
            response_model=schema.Alert,
            responses=problems(*statuses),
            dependencies=[Depends(takes(JSON))],
        )

    @deed("ack")
    def ack(alert_id: schema.AlertIdInPath, body: schema.Deed) -> Json:
        """Acknowledge: somebody looks after it."""
        return _do(desk, alert_id, Answer("ack", body.by, body.note))

    @deed("assign")
    def assign(alert_id: schema.AlertIdInPath, body: schema.Assignment) -> Json:
        """Assign to somebody, or (`to` null) to nobody."""
        return _do(desk, alert_id, Answer("assign", body.by, to=body.to))

    @deed("comment", refusable=False)
    def comment(alert_id: schema.AlertIdInPath, body: schema.Comment) -> Json:
        """Add a comment; each is kept."""
        return _do(desk, alert_id, Answer("comment", body.by, body.note))

    @deed("resolve")
    def resolve(alert_id: schema.AlertIdInPath, body: schema.Deed) -> Json:
        """Close it; refused while the condition of a rule that clears by itself still holds."""
        return _do(desk, alert_id, Answer("resolve", body.by, body.note))

    @deed("shelve")
    def shelve(alert_id: schema.AlertIdInPath, body: schema.Shelving) -> Json:
        """Deliver it to nobody until then; at most 8 hours ahead, and never a critical alert."""
        return _do(desk, alert_id, Answer("shelve", body.by, body.note, until_ns=body.until))

    @deed("unshelve")
    def unshelve(alert_id: schema.AlertIdInPath, body: schema.Deed) -> Json:
        """End its shelving before its time: it is delivered again, unless its cause holds it back."""
        return _do(desk, alert_id, Answer("unshelve", body.by, body.note))


def _do(desk: Desk, alert_id: str, answer: Answer) -> Json:
    """Apply what a person did; return the alert as it is then."""
    try:
        done = desk.records().answer(alert_id, answer, time.time_ns())
    except Refused as refused:
        if refused.reason == "until":
            raise unfit("until", str(refused)) from None
        raise Problem(409, refused.reason, str(refused)) from None
    if done is None:
        raise missing("alert", alert_id)
    desk.watch.look()
    return Json(to_json(done))


def _story(history: History) -> dict[str, Any]:
    told = [_told(transition) for transition in history.transitions]
    return {
        **to_json(history.alert),
        "transitions": told,
        "comments": [each for each in told if each["kind"] == COMMENTED],
    }


def _told(transition: Transition) -> dict[str, Any]:
    return {name: value for name, value in asdict(transition).items() if name in ("kind", "by", "note", "to")} | {
        "at": rfc3339(transition.at_ns)
    }
