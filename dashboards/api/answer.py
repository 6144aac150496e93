"""How answers are written: JSON by orjson from plain values, and the problems that a route may answer with."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Request
from fastapi.responses import JSONResponse

from dashboards.api.schema import ProblemDocument
from dashboards.http.problem import MEDIA_TYPE, Problem

JSON = "application/json"


class Json(JSONResponse):
    """An answer as JSON; what stands in it is of this moment, so nobody keeps it."""

    def render(self, content: Any) -> bytes:
        """Return `content` as bytes; arrays of numbers are written as they are."""
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the part of a route's description that says which problems it may answer with."""
    described: dict[int | str, dict[str, Any]] = {
        status: {
            "description": PROBLEMS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}}},
        }
        for status in (*statuses, 500)
    }
    return described


PROBLEMS = {
    400: "Not of a form that can be read",
    403: "Not from this site",
    404: "Not there",
    409: "Not allowed as things stand",
    413: "Too large",
    415: "Not of a media type that is taken",
    422: "A field does not fit its description",
    500: "Our mistake",
    503: "Not able to answer now; try again later",
}


def takes(*media_types: str) -> Any:
    """Return a dependency that refuses (415) a body of any other media type: no form of another site has one."""

    async def check(request: Request) -> None:
        sent = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if sent not in media_types:
            detail = f"Content-Type is {sent or 'missing'!r}; send {' or '.join(media_types)}."
            raise Problem(415, "unsupported-media-type", detail)

    return check
