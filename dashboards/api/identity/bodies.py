"""Accounts, sessions, tokens and organisations as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from dashboards.http.cursor import decode_cursor, encode_cursor
from dashboards.sign_in.identity import Identity
from registry.organisations import Organisation
from registry.people import Person
from store.records.repository import AccessToken, AccountSession
from telemetry import instant

T = TypeVar("T")


def me_body(identity: Identity) -> dict[str, Any]:
    """Return who asks, and what the account may do."""
    acting = identity.membership
    return {
        "person": None if identity.person is None else person_body(identity.person),
        "organisation_id": None if acting is None else acting.organisation.organisation_id,
        "role": None if acting is None else acting.role,
        "verbs": sorted(identity.scope.verbs),
        "csrf": identity.csrf,
    }


def person_body(person: Person) -> dict[str, Any]:
    """Return an account with its memberships."""
    fields = ("person_id", "name", "login", "language", "is_machine", "is_disabled")
    held = ("has_password", "has_totp", "has_subject")
    return {name: getattr(person, name) for name in (*fields, *held)} | {
        "memberships": [
            {
                "organisation_id": each.organisation.organisation_id,
                "organisation": each.organisation.name,
                "kind": each.organisation.kind,
                "role": each.role,
            }
            for each in person.memberships
        ]
    }


def organisation_body(organisation: Organisation) -> dict[str, Any]:
    """Return an organisation."""
    fields = asdict(organisation)
    closed_ns, _ = fields.pop("closed_ns"), fields.pop("revision")
    return fields | {"names": sorted(organisation.names), "closed_at": instant.text(closed_ns)}


def session_body(session: AccountSession, current_id: str) -> dict[str, Any]:
    """Return a session; `is_current` is whether it is the one that asks."""
    return {
        "session_id": session.session_id,
        "created_at": instant.text(session.created_ns),
        "used_at": instant.text(session.used_ns),
        "address": session.address,
        "agent": session.agent,
        "is_current": session.session_id == current_id,
    }


def token_body(token: AccessToken) -> dict[str, Any]:
    """Return a token, without its secret."""
    return {
        "token_id": token.token_id,
        "organisation_id": token.organisation_id,
        "name": token.name,
        "created_at": instant.text(token.created_ns),
        "expires_at": instant.text(token.expires_ns),
        "used_at": instant.text(token.used_ns),
    }


def paged(
    items: Sequence[T], key: Callable[[T], list[str]], limit: int, cursor: str | None, scope: str,
    body: Callable[[T], dict[str, Any]],
) -> dict[str, Any]:  # fmt: skip
    """Return one page of items that are sorted by their keys of two texts."""
    if cursor is not None:
        after = decode_cursor(cursor, scope, (str, str))
        items = [each for each in items if key(each) > after]
    page = items[:limit]
    following = encode_cursor(key(page[-1]), scope) if len(items) > limit else None
    return {"items": [body(each) for each in page], "next": following}
