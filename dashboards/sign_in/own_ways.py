"""The ways of one's own account: what is added is checked, and used only after its code was given back."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.http.problem import Problem, field_error, invalid_request, not_found
from registry.actor import Actor
from registry.fact_checks import InvalidFact
from registry.ways import WEBHOOK, WEBHOOK_SECRET_PREFIX, NotificationWay, checked_address, checked_way_secret
from store.records.repository import Records, TooManyWays

SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class OwnWays:
    """The ways of a person; `kinds` are those that the server offers. Each act raises a problem where it is refused."""

    records: Records
    person_id: str
    kinds: Sequence[str]
    by: Actor
    now_ns: int

    def held(self) -> list[NotificationWay]:
        """Return the ways in their order."""
        return self.records.ways(self.person_id)

    def add(self, kind: str, address: str, secret: str | None) -> NotificationWay:
        """Add a way and send its code; a webhook without a secret is given one."""
        if kind not in self.kinds:
            raise _invalid("kind", f"{kind!r} is not known; write one of {', '.join(self.kinds)}")
        try:
            checked = checked_address(kind, address)
        except InvalidFact as error:
            raise _invalid("address", str(error)) from None
        try:
            kept = checked_way_secret(kind, secret or (_new_secret() if kind == WEBHOOK else ""))
        except InvalidFact as error:
            raise _invalid("secret", str(error)) from None
        try:
            return self.records.add_way(self.person_id, kind, checked, kept or None, self.by, self.now_ns)
        except TooManyWays as error:
            raise _too_many(error) from None

    def send_code(self, way_id: str) -> NotificationWay:
        """Send another code."""
        try:
            return _found(self.records.send_way_code(self.person_id, way_id, self.by, self.now_ns), way_id)
        except TooManyWays as error:
            raise _too_many(error) from None

    def verify(self, way_id: str, code: str) -> NotificationWay:
        """Verify a way by its code."""
        self._one(way_id)
        verified = self.records.verify_way(self.person_id, way_id, code, self.by, self.now_ns)
        if verified is None:
            raise _invalid("code", "is wrong, or older than 10 minutes; have another one sent")
        return verified

    def send_test(self, way_id: str) -> NotificationWay:
        """Send a test message by a verified way."""
        way = self._one(way_id)
        if not way.is_verified:
            raise Problem(409, "not-verified", "Give back the code of this way first.")
        try:
            self.records.send_way_test(way, self.by, self.now_ns)
        except TooManyWays as error:
            raise _too_many(error) from None
        return way

    def order(self, way_ids: Sequence[str]) -> list[NotificationWay]:
        """Set the order; each way is named once."""
        ordered = self.records.order_ways(self.person_id, way_ids, self.by, self.now_ns)
        if ordered is None:
            raise _invalid("way_ids", "are not exactly your ways; name each of them once")
        return ordered

    def use_first(self, way_id: str) -> None:
        """Move a way to the front of the order."""
        others = [each.way_id for each in self.held() if each.way_id != way_id]
        self._one(way_id)
        self.order([way_id, *others])

    def remove(self, way_id: str) -> None:
        """Remove a way."""
        if not self.records.remove_way(self.person_id, way_id, self.by, self.now_ns):
            raise not_found("way", way_id)

    def _one(self, way_id: str) -> NotificationWay:
        return _found(next((each for each in self.held() if each.way_id == way_id), None), way_id)


def _found(way: NotificationWay | None, way_id: str) -> NotificationWay:
    if way is None:
        raise not_found("way", way_id)
    return way


def _invalid(field: str, detail: str) -> Problem:
    return invalid_request([field_error(field, detail)])


def _too_many(error: TooManyWays) -> Problem:
    return Problem(429, "too-many-ways", str(error))


def _new_secret() -> str:
    return WEBHOOK_SECRET_PREFIX + b64encode(os.urandom(SECRET_BYTES)).decode()
