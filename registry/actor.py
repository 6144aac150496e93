"""The actor of a change: who acts, in which role of which organisation, and from which address. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a machine account or a command that acts; an unknown field is None.

    `account` identifies the person (`person:ID`) or the machine account (`machine:ID`), and `name` is the name of that
    account at the time of the act. Organisation and role are those in which the account acts this time; `address` is
    the network address of the client.
    """

    name: str
    account: str | None
    organisation: str | None
    role: str | None
    address: str | None

    @classmethod
    def named(cls, name: str) -> Self:
        """Return an actor without an account: a command, or somebody on a server without sign-in."""
        return cls(name, account=None, organisation=None, role=None, address=None)
