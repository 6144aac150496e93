"""Links that answer an incident without sign-in: each for one person, one incident and one action, for one use.

A link has 128 random bits, stored as their SHA-256, and ends after half an hour.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from store.records.database import Database
from store.records.identity.sessions import hashed, is_valid
from store.records.outbox.tables import answer_links

S_NS = 1_000_000_000
LINK_LIVES_NS = 1800 * S_NS
KEPT_NS = 24 * 3600 * S_NS
"""How long a link that was used or has expired is kept, so that the answer can name the reason."""
SECRET_BYTES = 16
ACKNOWLEDGE, ACCEPT = "acknowledge", "accept"


@dataclass(frozen=True, slots=True)
class AnswerLink:
    """A link; `used_ns` is None where it was not used."""

    link_id: str
    person_id: str
    incident_id: str
    action: str
    created_ns: int
    expires_ns: int
    used_ns: int | None

    def is_usable(self, now_ns: int) -> bool:
        """Return whether the link still answers."""
        return self.used_ns is None and is_valid(self.created_ns, self.expires_ns, now_ns)


class AnswerLinkStore:
    """The part of the records that holds links which answer without sign-in."""

    _database: Database

    def add_answer_links(
        self, person_id: str, incident_id: str, actions: Sequence[str], now_ns: int
    ) -> dict[str, str]:  # fmt: skip
        """Make a link for each action and return the secrets; expired links are removed."""
        made = {action: secrets.token_urlsafe(SECRET_BYTES) for action in actions}
        times = {"created_ns": now_ns, "expires_ns": now_ns + LINK_LIVES_NS}
        rows = [
            {"id": hashed(secret), "person_id": person_id, "incident_id": incident_id, "action": action, **times}
            for action, secret in made.items()
        ]
        with self._database.writing(durable=False, ordered=True) as connection:
            connection.execute(delete(answer_links).where(answer_links.c.expires_ns < now_ns - KEPT_NS))
            if rows:
                connection.execute(answer_links.insert(), rows)
        return made

    def answer_link(self, secret: str) -> AnswerLink | None:
        """Return the link of a secret, also one that answers no more; None where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(select(answer_links).where(answer_links.c.id == hashed(secret))).first()
        return None if row is None else AnswerLink(*row)

    def use_answer_link(self, link: AnswerLink, now_ns: int) -> bool:
        """Use up a link; return False where it cannot be used any more. Joins an open transaction."""
        if not link.is_usable(now_ns):
            return False
        unused = update(answer_links).where(answer_links.c.id == link.link_id, answer_links.c.used_ns.is_(None))
        with self._database.writing() as connection:
            return connection.execute(unused.values(used_ns=now_ns)).rowcount > 0
