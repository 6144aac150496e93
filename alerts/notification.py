"""A notification: what one person is notified of, before its text is made. A value, stored as JSON in the outbox.

The kind is that of the incident, or one of `CODE` (a code that verifies a way), `TEST`, `CHANGE` (a change that can
hide a danger) and `ACCOUNT` (a change of the person's own credentials).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

CODE, TEST, CHANGE, ACCOUNT = "code", "test", "change", "account"
SENTENCE_CHARS = 2000


@dataclass(frozen=True, slots=True)
class NotifiedLift:
    """The facts of a lift that a person needs on the way to it. `between` are the floors below and above the car."""

    lift_id: str
    district: str = ""
    name: str | None = None
    address: str | None = None
    lat: float | None = None
    lon: float | None = None
    timezone: str | None = None
    floor: str | None = None
    between: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification to one person about an incident: of two with the same `key` one is sent.

    `sentence` says in each language what has happened. `others` is the number of further lifts of the incident. `ways`
    are the kinds of ways that may be used (empty: all of the person's, in their order). `code` is that of `CODE`.
    """

    key: str
    person_id: str
    incident_id: str
    kind: str
    severity: str
    at_ns: int
    lift: NotifiedLift | None = None
    sentence: Mapping[str, str] = field(default_factory=dict)
    others: int = 0
    may_hold_people: bool = False
    is_repeat: bool = False
    ways: tuple[str, ...] = ()
    code: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the notification as values of JSON."""
        return asdict(self) | {"sentence": {name: text[:SENTENCE_CHARS] for name, text in self.sentence.items()}}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the notification of values of JSON."""
        lift = values["lift"]
        if lift is not None:
            lift = NotifiedLift(**lift | {"between": lift["between"] and tuple(lift["between"])})
        return cls(**dict(values) | {"lift": lift, "ways": tuple(values["ways"])})
