"""Parameters of requests and the types of their values.

Texts are bounded in length and contain no control characters; times are RFC 3339 and become nanoseconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema

from registry.fact_checks import bidirectional_control
from telemetry import instant

LIMIT_DEFAULT, LIMIT_MOST = 100, 1000
POINTS_DEFAULT, POINTS_MOST = 1000, 10_000
LIFT_ID = r"^[A-Za-z0-9_-]{1,64}$"
DISTRICT = r"^[a-z0-9-]{1,32}$"
SLUG = r"^[a-z0-9-]{1,64}$"
SeverityName = Literal["critical", "major", "minor", "trend"]
AlertState = Literal["firing", "cleared", "closed"]
LiftState = Literal[
    "critical", "never-seen", "blind", "offline", "suspect", "major", "minor", "trend", "inspection", "out-of-service",
    "normal",
]  # fmt: skip
StreamName = Literal["speed", "displacement", "vibration", "door", "infrared", "status"]
LiftSort = Literal[
    "state", "-state", "lift_id", "-lift_id", "name", "-name", "district", "-district", "last_seen", "-last_seen",
    "health", "-health",
]  # fmt: skip
HealthGrade = Literal["red", "orange", "yellow", "blue", "unknown"]


def plain_text(text: str) -> str:
    """Return `text`; raise ValueError where it contains control characters."""
    reverser = bidirectional_control(text)
    if reverser is not None:
        raise ValueError(f"contains the bidirectional control character {reverser}; remove it: it reorders the text")
    if any((ord(char) < 32 and char not in "\n\t") or ord(char) == 127 for char in text):
        raise ValueError("contains control characters; remove them")
    return text


def _instant(value: Any) -> int | None:
    """Return RFC 3339 text as nanoseconds."""
    if value is None or isinstance(value, int):
        return value
    if not isinstance(value, str):
        raise ValueError(f"a time is text with a zone; write it as {instant.EXAMPLE}")
    return instant.parse(value)


TIME_SCHEMA = {"type": "string", "format": "date-time", "examples": [instant.EXAMPLE]}
Instant = Annotated[int, BeforeValidator(_instant), WithJsonSchema(TIME_SCHEMA)]
TimeText = Annotated[str, WithJsonSchema(TIME_SCHEMA)]
PersonName = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(plain_text)
]
Note = Annotated[str, StringConstraints(max_length=4000), AfterValidator(plain_text)]
LiftId = Annotated[str, StringConstraints(pattern=LIFT_ID)]
DistrictName = Annotated[str, StringConstraints(pattern=DISTRICT)]
Slug = Annotated[str, StringConstraints(pattern=SLUG)]
LiftIdInPath = Annotated[str, Path(pattern=LIFT_ID, description="The lift id, as in its QR code", examples=["GR3-1"])]
AlertIdInPath = Annotated[str, Path(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.:-]+$")]
IncidentIdInPath = Annotated[str, Path(pattern=r"^[a-z2-7]{1,32}$")]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MOST, description="The maximum number of items")]
Cursor = Annotated[str | None, Query(max_length=512, description="`next` of the page before")]
District = Annotated[str | None, Query(pattern=DISTRICT)]
Since = Annotated[Instant | None, Query(alias="from", description="From this instant on")]
Until = Annotated[Instant | None, Query(alias="to", description="Before this instant")]
