"""Errors as problem documents (RFC 9457): the fault, its field, and the remedy.

A response never contains a traceback: unexpected errors are logged and answered as a plain 500 by the request guard.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from dashboards.http.secret_paths import without_secret
from registry.fact_checks import FieldError
from store.outage import Outage
from store.records.repository import BadCursor, RecordsUnavailable, SecretsUnreadable, VersionConflict
from store.series.timeseries import TimeSeriesRefused, TimeSeriesUnavailable

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
FIELD_ERRORS_LISTED = 20

FieldErrorItem = dict[str, str]


class Problem(HTTPException):
    """An error response. `slug` names its kind for programs, `field_errors` are the errors of single fields.

    `title` is the name of the status, in English where it is None.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        field_errors: Sequence[FieldErrorItem] = (),
        headers: dict[str, str] | None = None,
        title: str | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.slug = slug
        self.title = title or HTTPStatus(status).phrase
        self.field_errors = field_errors


def fact_errors(faults: Iterable[FieldError]) -> list[FieldErrorItem]:
    """Return the errors of fields that the registry refuses, each with its remedy."""
    return [field_error(each.field, f"{each.wrong}; {each.remedy}") for each in faults]


def field_error(field: str, detail: str) -> FieldErrorItem:
    """Return the error of one field, with its remedy in `detail`."""
    return {"field": _encodable(field), "detail": _encodable(detail)}


def _encodable(text: str) -> str:
    """Return text that UTF-8 can encode: a lone surrogate becomes a question mark."""
    return text.encode(errors="replace").decode()


def invalid_request(field_errors: Sequence[FieldErrorItem]) -> Problem:
    """Return the problem (422) of fields that are not valid."""
    detail = "; ".join(f"{each['field']}: {each['detail']}" for each in field_errors[:3])
    return Problem(422, "invalid-request", detail, field_errors[:FIELD_ERRORS_LISTED])


def invalid_field(field: str, detail: str, status: int = 422) -> Problem:
    """Return the problem of one field that is not valid."""
    return Problem(status, "invalid-request", f"{field}: {detail}", [field_error(field, detail)])


def not_found(what: str, name: str) -> Problem:
    """Return the problem (404) of a resource that does not exist."""
    return Problem(404, "not-found", f"There is no {what} {name!r}.")


def unavailable(what: str, detail: str) -> Problem:
    """Return the problem (503) of a dependency that does not answer at present."""
    return Problem(503, "unavailable", f"{what}: {detail}", headers={"Retry-After": str(RETRY_AFTER_S)})


def response(problem: Problem) -> Response:
    """Return `problem` as an HTTP response."""
    document = {
        "type": f"urn:liftwatch:problem:{problem.slug}",
        "title": problem.title,
        "status": problem.status_code,
        "detail": _encodable(str(problem.detail)),
        **({"errors": list(problem.field_errors)} if problem.field_errors else {}),
    }
    body = orjson.dumps(document)
    return Response(body, problem.status_code, headers=dict(problem.headers or {}), media_type=MEDIA_TYPE)


REMEDIES = {
    404: ("not-found", "There is nothing at {path}; /api/openapi.json lists what there is."),
    405: ("method-not-allowed", "{path} does not take {method}; the Allow header names what it takes."),
    400: ("malformed-request", "The body cannot be read as JSON in UTF-8: {detail}."),
    413: ("too-large", "The body is too large: {detail}."),
}


def _of_http_exception(request: Request, error: Exception) -> Problem:
    """Return the problem of an error that a route or the framework raised deliberately."""
    assert isinstance(error, HTTPException)
    if isinstance(error, Problem):
        return error
    slug, sentence = REMEDIES.get(error.status_code, ("refused", "{detail}"))
    detail = sentence.format(path=request.url.path, method=request.method, detail=str(error.detail).rstrip("."))
    return Problem(error.status_code, slug, detail, headers=dict(error.headers) if error.headers else None)


def _of_validation_error(request: Request, error: Exception) -> Problem:
    """Return the problem of a request that fails validation, with one error for each field."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        detail = f"The body is not JSON: {first['ctx']['error']} at character {first['loc'][-1]}."
        return Problem(400, "malformed-request", detail, [field_error("body", detail)])
    return invalid_request([field_error(_field(each["loc"]), _remedy(each)) for each in error.errors()])


def _field(location: Sequence[int | str]) -> str:
    """Return the name of the field at `location`: `limit`, `floors.2.height_m`, or `body` for the whole body."""
    inner = location[1:] if location and location[0] in ("body", "query", "path", "header") else location
    return ".".join(str(part) for part in inner) or str(location[0] if location else "request")


def _remedy(error: Any) -> str:
    """Return one validation error as a sentence that does not repeat the value sent."""
    if error["type"] == "missing":
        return "required, and not there"
    if error["type"] == "extra_forbidden":
        return "not a known field; remove it or correct its name"
    return str(error["msg"]).removeprefix("Value error, ")


def _of_bad_cursor(request: Request, error: Exception) -> Problem:
    return invalid_field("cursor", str(error), 400)


def _of_version_conflict(request: Request, error: Exception) -> Problem:
    assert isinstance(error, VersionConflict)
    detail = f"Somebody changed {request.url.path} meanwhile: read it again, and repeat what still applies."
    return Problem(412, "changed-meanwhile", detail, headers={"ETag": f'"{error.current}"'})


RECORDS_AWAY, SERIES_AWAY = Outage("requests are refused", log), Outage("requests for readings are refused", log)


def _of_records_unavailable(request: Request, error: Exception) -> Problem:
    RECORDS_AWAY.failed(error)
    return unavailable("records", "they do not answer now")


def _of_secrets_unreadable(request: Request, error: Exception) -> Problem:
    log.error("%s %s is refused: %s", request.method, without_secret(request.url.path), error)
    detail = "The server cannot open a stored secret: its operator finds the remedy in the log of the server."
    return Problem(503, "secrets-unreadable", detail)


def _of_series_unavailable(request: Request, error: Exception) -> Problem:
    SERIES_AWAY.failed(error)
    return unavailable("time series", "they do not answer now")


PROBLEM_OF: Mapping[type[Exception], Callable[[Request, Exception], Problem]] = {
    HTTPException: _of_http_exception,
    RequestValidationError: _of_validation_error,
    BadCursor: _of_bad_cursor,
    VersionConflict: _of_version_conflict,
    RecordsUnavailable: _of_records_unavailable,
    SecretsUnreadable: _of_secrets_unreadable,
    TimeSeriesUnavailable: _of_series_unavailable,
    TimeSeriesRefused: _of_series_unavailable,
}
"""The problem of each kind of error that a route may raise."""
