"""An installation that has an administrator keeps one: changes that would take the last one away are refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select

from registry.roles import OrganisationKind, Role
from store.records.identity.tables import memberships, organisations, people


class LastAdministrator(ValueError):
    """A change after which nobody could administer the installation."""


@contextmanager
def keeping_an_administrator(connection: Connection) -> Iterator[None]:
    """Raise LastAdministrator where there was an administrator before the block and is none after it."""
    had_one = _has_administrator(connection)
    yield
    if had_one and not _has_administrator(connection):
        raise LastAdministrator("nobody could administer this installation any more: name another administrator first")


def _has_administrator(connection: Connection) -> bool:
    """Return whether a person that is not disabled administers an operator that is not closed."""
    query = (
        select(people.c.id)
        .join(memberships, memberships.c.person_id == people.c.id)
        .join(organisations, organisations.c.id == memberships.c.organisation_id)
        .where(memberships.c.role == Role.ADMINISTRATOR, organisations.c.kind == OrganisationKind.OPERATOR)
        .where(organisations.c.closed_ns.is_(None), people.c.is_disabled.is_(False), people.c.is_machine.is_(False))
    )
    return connection.execute(query.limit(1)).first() is not None
