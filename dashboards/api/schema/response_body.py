"""The base of all bodies of responses, and the body of an error: a problem document (RFC 9457)."""

from __future__ import annotations

from pydantic import BaseModel


class ResponseBody(BaseModel):
    """The base of all response bodies."""


class FieldErrorBody(ResponseBody):
    field: str
    detail: str


class ProblemDocument(ResponseBody):
    """An error as a problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldErrorBody] = []
