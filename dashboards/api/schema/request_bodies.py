"""The bodies of requests that change alerts and lifts. Unknown fields are refused."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from dashboards.api.schema.parameters import Instant, Note, PersonName, plain_text


class RequestBody(BaseModel):
    """The base of all request bodies; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


Shared = Annotated[bool, Field(description="Whether other organisations that see the lift read the note")]


class AlertAction(RequestBody):
    """The person of an action, and a note."""

    by: PersonName | None = None
    note: Note | None = None
    shared: Shared = False


class Comment(RequestBody):
    by: PersonName | None = None
    note: Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(plain_text)]
    shared: Shared = False


class Assignment(RequestBody):
    by: PersonName | None = None
    to: PersonName | None


class Shelving(RequestBody):
    by: PersonName | None = None
    until: Instant
    note: Note | None = None
    shared: Shared = False


class Maintenance(RequestBody):
    by: PersonName | None = None
    until: Instant
    note: Note | None = None
    shared: Shared = False


class FaultInjection(RequestBody):
    """A fault to inject into a simulated lift."""

    cause: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
    for_s: Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)] = 60.0
