"""The scope of a request: which lifts and which verbs. Made once for each request, and a predicate of every query.

    operator          every lift
    authority         the lifts of its districts, registered or not
    any other kind    the registered lifts that name the organisation in one of `NAMING_FACTS`

A lift outside the scope does not exist for the request: it is not counted, and its path is answered with 404.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from registry.actor import Actor
from registry.lift_facts import LiftFacts
from registry.roles import EVERY_VERB, OrganisationKind, Verb

NAMING_FACTS = ("owner", "maintenance_firm", "insurer", "manufacturer")
"""The facts by which a lift names its organisations."""
RESERVED_FACTS = frozenset({"district", "gateway_id", *NAMING_FACTS})
"""Facts that decide whose lift it is and who reports for it: only who may register lifts changes them."""


@dataclass(frozen=True, slots=True)
class LiftScope:
    """The lifts that a request concerns: all, those of some districts, and those that name an organisation.

    `names` are the present and the former names of the organisation: a lift may still have a former one.
    """

    everything: bool = False
    districts: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    facts: tuple[str, ...] = NAMING_FACTS
    organisation_id: str | None = None
    """The organisation whose lifts these are, of which it reads the changes that can hide a danger."""

    def has(self, district: str, facts: LiftFacts | None) -> bool:
        """Return whether a lift is in the scope; `facts` is None for a lift that is not registered."""
        if self.everything or district in self.districts:
            return True
        return facts is not None and any(getattr(facts, fact) in self.names for fact in self.facts)

    def reads_notes_of(self, organisation: str | None) -> bool:
        """Return whether notes of an organisation are read that it does not share."""
        return self.everything or bool(self.districts) or organisation is None or organisation in self.names


ALL_LIFTS = LiftScope(everything=True)
NO_LIFTS = LiftScope()


def lifts_of(kind: OrganisationKind, names: Set[str], districts: Set[str]) -> LiftScope:
    """Return the lifts of an organisation of this kind with these names and, for an authority, districts."""
    if kind is OrganisationKind.OPERATOR:
        return ALL_LIFTS
    if kind is OrganisationKind.AUTHORITY:
        return LiftScope(districts=frozenset(districts))
    return LiftScope(names=frozenset(names))


@dataclass(frozen=True, slots=True)
class Scope:
    """The lifts of a request and the verbs that the request may use; `actor` is the account, None without sign-in.

    With `second_person` a change that can hide a danger waits for the approval of another account.
    """

    lifts: LiftScope
    verbs: frozenset[Verb]
    actor: Actor | None = None
    second_person: bool = False
    acting: LiftScope | None = None
    """The lifts of the verbs `ACTING`: those that name the organisation as what it is. None: all of `lifts`."""


OPEN_SCOPE = Scope(ALL_LIFTS, EVERY_VERB)
"""The scope of every request where the product runs without sign-in, on loopback."""
