"""Conditional changes (RFC 9110, section 13): `ETag` names the version of a lift or alert, `If-Match` requires one.

A lift's tag is the version of its facts, not of its latest state: a lift that moves does not refuse a change of facts.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header

from dashboards.http.problem import Problem, field_error

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=1000, description="ETags; 412 where the newest version is none of them"),
]
ETAG_LIST = re.compile(r'\s*(W/)?"[^"]*"(\s*,\s*(W/)?"[^"]*")*\s*')
STRONG_ETAG = re.compile(r'(W/)?"([^"]*)"')
ETAG_HEADERS = {"ETag": {"description": "The version, for If-Match", "schema": {"type": "string"}}}


def etag(version: str) -> dict[str, str]:
    """Return the header that names a version."""
    return {"ETag": f'"{version}"'}


def expected_versions(if_match: str | None) -> frozenset[str] | None:
    """Return the versions that `If-Match` lists; None where any version will do. A weak tag matches nothing."""
    if if_match is None or if_match.strip() == "*":
        return None
    if not ETAG_LIST.fullmatch(if_match):
        detail = 'not a list of ETags; send the ETag of the last answer, with its quotes, as in "7"'
        raise Problem(400, "invalid-request", f"If-Match: {detail}", [field_error("If-Match", detail)])
    return frozenset(version for weak, version in STRONG_ETAG.findall(if_match) if not weak)
