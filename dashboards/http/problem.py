"""Every error as a problem document (RFC 9457): what is wrong, which field, and what to do instead.

The client never meets a traceback: what is unexpected is logged here and answered as a plain 500.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from store.records.repository import BadCursor, RecordsUnavailable
from store.series.timeseries import TimeSeriesRefused, TimeSeriesUnavailable

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
FAULTS_LISTED = 20

Fault = dict[str, str]


class Problem(HTTPException):
    """An answer that is an error. `slug` names its kind for programs, `faults` the fields and their remedies."""

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        faults: Sequence[Fault] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.slug = slug
        self.faults = faults


def fault(field: str, detail: str) -> Fault:
    """Return what is wrong with one field, and the remedy."""
    return {"field": _sayable(field), "detail": _sayable(detail)}


def _sayable(text: str) -> str:
    """Return text that can be written as UTF-8: half a surrogate pair is shown as a question mark."""
    return text.encode(errors="replace").decode()


def invalid(faults: Sequence[Fault]) -> Problem:
    """Return the problem of fields that cannot be taken."""
    detail = "; ".join(f"{each['field']}: {each['detail']}" for each in faults[:3])
    return Problem(422, "invalid-request", detail, faults[:FAULTS_LISTED])


def unfit(field: str, detail: str, status: int = 422) -> Problem:
    """Return the problem of one field that cannot be taken."""
    return Problem(status, "invalid-request", f"{field}: {detail}", [fault(field, detail)])


def missing(what: str, name: str) -> Problem:
    """Return the problem of something that is not there."""
    return Problem(404, "not-found", f"There is no {what} {name!r}.")


def away(what: str, detail: str) -> Problem:
    """Return the problem of a store that does not answer just now."""
    return Problem(503, "unavailable", f"{what}: {detail}", headers={"Retry-After": str(RETRY_AFTER_S)})


def document(status: int, slug: str, detail: str, faults: Sequence[Fault] = ()) -> dict[str, Any]:
    """Return the members of a problem document."""
    return {
        "type": f"urn:liftwatch:problem:{slug}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _sayable(detail),
        **({"errors": list(faults)} if faults else {}),
    }


def response(problem: Problem) -> Response:
    """Return `problem` as it goes over the wire."""
    body = orjson.dumps(document(problem.status_code, problem.slug, str(problem.detail), problem.faults))
    return Response(body, problem.status_code, headers=dict(problem.headers or {}), media_type=MEDIA_TYPE)


REMEDIES = {
    404: ("not-found", "There is nothing at {path}; /api/openapi.json lists what there is."),
    405: ("method-not-allowed", "{path} does not take {method}; the Allow header names what it takes."),
    400: ("malformed-request", "The body cannot be read as JSON in UTF-8: {detail}."),
    413: ("too-large", "The body is too large: {detail}."),
}


async def _known(request: Request, error: Exception) -> Response:
    """Answer an error that a route or the framework raised on purpose."""
    assert isinstance(error, HTTPException)
    if isinstance(error, Problem):
        return response(error)
    slug, sentence = REMEDIES.get(error.status_code, ("refused", "{detail}"))
    detail = sentence.format(path=request.url.path, method=request.method, detail=str(error.detail).rstrip("."))
    headers = dict(error.headers) if error.headers else None
    return response(Problem(error.status_code, slug, detail, headers=headers))


async def _invalid(request: Request, error: Exception) -> Response:
    """Answer a request that does not fit its description, field by field."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        detail = f"The body is not JSON: {first['ctx']['error']} at character {first['loc'][-1]}."
        return response(Problem(400, "malformed-request", detail, [fault("body", detail)]))
    faults = [fault(_field(each["loc"]), _remedy(each)) for each in error.errors()]
    return response(invalid(faults))


def _field(location: Sequence[int | str]) -> str:
    """Return where in the request a fault is: `limit`, `floors.2.height_m`, or `body` for the whole of it."""
    inner = location[1:] if location and location[0] in ("body", "query", "path", "header") else location
    return ".".join(str(part) for part in inner) or str(location[0] if location else "request")


def _remedy(error: Any) -> str:
    """Return one fault of a request as a sentence; what was sent is not repeated."""
    if error["type"] == "missing":
        return "required, and not there"
    if error["type"] == "extra_forbidden":
        return "not a known field; remove it or correct its name"
    return str(error["msg"]).removeprefix("Value error, ")


async def _bad_cursor(request: Request, error: Exception) -> Response:
    return response(unfit("cursor", str(error), 400))


async def _records_away(request: Request, error: Exception) -> Response:
    log.warning("%s", error)
    return response(away("records", "they do not answer now"))


async def _series_away(request: Request, error: Exception) -> Response:
    log.warning("%s", error)
    return response(away("time series", "they do not answer now"))


HANDLERS = {
    HTTPException: _known,
    RequestValidationError: _invalid,
    BadCursor: _bad_cursor,
    RecordsUnavailable: _records_away,
    TimeSeriesUnavailable: _series_away,
    TimeSeriesRefused: _series_away,
}
