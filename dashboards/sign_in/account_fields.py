"""Checks of what administrators enter on organisations and accounts: problems that name each wrong field.

A check of one field returns its value or raises InvalidFact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dashboards.http.problem import Problem, fact_errors, field_error, invalid_request
from registry.actor import Actor
from registry.fact_checks import InvalidFact, choice, text
from registry.organisations import read_organisation_changes
from registry.people import LANGUAGES
from registry.roles import Role
from store.records.repository import LastAdministrator, NameTaken, Records, TooManyTokens

S_NS = 1_000_000_000
TOKEN_MOST_S = 366 * 24 * 3600
TOO_MANY_TOKENS = "too-many-tokens"


def add_token(
    records: Records, person_id: str, organisation_id: str, name: object, expires_ns: int, by: Actor, now_ns: int
) -> str:
    """Return the secret of a new token; a problem (422) where its name or its end is not valid, 409 for too many."""
    called = checked_values({"name": (name, account_name)})["name"]
    if not now_ns < expires_ns <= now_ns + TOKEN_MOST_S * S_NS:
        raise invalid_request([field_error("expires", "lies in the past or more than 366 days ahead")])
    try:
        return records.add_token(person_id, organisation_id, called, expires_ns, by, now_ns)
    except TooManyTokens as error:
        raise Problem(409, TOO_MANY_TOKENS, str(error)) from None


def checked_organisation(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes of an organisation; a problem (422) that names each field that is not valid."""
    changes, errors = read_organisation_changes(given)
    if errors:
        raise invalid_request(fact_errors(errors))
    return changes


def checked_values(wanted: Mapping[str, tuple[object, Callable[[Any], Any]]]) -> dict[str, Any]:
    """Return checked values by field; a problem (422) that names each field that is not valid."""
    values, errors = {}, []
    for name, (value, check) in wanted.items():
        try:
            values[name] = check(value)
        except InvalidFact as error:
            errors.append(field_error(name, str(error)))
    if errors:
        raise invalid_request(errors)
    return values


def account_name(value: object) -> str:
    """Return a name; InvalidFact where it is empty."""
    name = text(value)
    if not name:
        raise InvalidFact("is empty", "write a name")
    return name


def account_role(value: object) -> Role:
    """Return a role; InvalidFact where there is none of that name."""
    return Role(choice(*Role)(value))


def account_language(value: object) -> str | None:
    """Return a language, None for that of the browser; InvalidFact where pages are not in it."""
    return None if value is None else str(choice(*LANGUAGES)(value))


@contextmanager
def refuse_taken(field: str) -> Iterator[None]:
    """Raise problems (409) for a name or login that is taken, and for the last administrator."""
    try:
        yield
    except NameTaken as error:
        raise Problem(409, "taken", f"{field}: {error}; choose another", [field_error(field, str(error))]) from None
    except LastAdministrator as error:
        raise Problem(409, "last-administrator", f"{field}: {error}", [field_error(field, str(error))]) from None
