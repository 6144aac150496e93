"""JSON responses by orjson, the problem responses of a route's description, and the check of a request's media type."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Request
from fastapi.responses import JSONResponse

from dashboards.api.schema.response_body import ProblemDocument
from dashboards.http.preconditions import ETAG_HEADERS
from dashboards.http.problem import MEDIA_TYPE, Problem

JSON, CSV = "application/json", "text/csv"


class OrjsonResponse(JSONResponse):
    """A JSON response, encoded by orjson."""

    def render(self, content: Any) -> bytes:
        """Return `content` as bytes; numpy arrays are encoded without conversion to lists."""
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route's description: a problem document for each of `statuses`, 401 and 500."""
    described: dict[int | str, dict[str, Any]] = {
        status: {
            "description": PROBLEM_DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}}},
        }
        for status in (401, *statuses, 500)
    }
    return described


def versioned_responses(*statuses: int, success: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route whose answer has a version."""
    return {**problem_responses(*statuses), success: {"headers": ETAG_HEADERS}}


PROBLEM_DESCRIPTIONS = {
    400: "Not of a form that can be read",
    401: "Not signed in, or the token or the session has ended",
    403: "Not from this site, or not allowed to this role",
    404: "Not there",
    409: "Not allowed as things stand",
    412: "Changed meanwhile: the version is none of those in If-Match",
    413: "Too large",
    415: "Not of a media type that is taken",
    422: "A field does not fit its description",
    429: "Too many at once from this address or this account",
    500: "Our mistake",
    503: "Not able to answer now; try again later",
}


def require_media_type(*media_types: str) -> Any:
    """Return a dependency that refuses (415) a body of another media type.

    A form on another site cannot send these types without a preflight request, so this also stops cross-site writes.
    """

    async def check(request: Request) -> None:
        sent = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if sent not in media_types:
            detail = f"Content-Type is {sent or 'missing'!r}; send {' or '.join(media_types)}."
            raise Problem(415, "unsupported-media-type", detail)

    return check
