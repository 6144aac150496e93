"""The facts of which a change can hide a dangerous lift, so that it requires a reason: thresholds of rules, the
district, by which an authority sees the lift, and an owner or firm that asks for a second person. Taking such an
organisation off a lift would end its demand:

    firm asks for a second person ─► another firm ─► waits for a second person, as a change of a threshold does

An alert of a lift whose thresholds were changed within `RECENT_NS` carries the time of the change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from registry.lift_facts import NEEDS, LiftFacts
from registry.organisations import Organisation, name_key
from registry.roles import OrganisationKind

THRESHOLD_FACTS = (*NEEDS, "door_zone_m", "parks_door_open")
"""Facts with which rules compare, and those that they need: without such a fact its rules are not judged."""
RECENT_NS = 30 * 24 * 3600 * 1_000_000_000
DISTRICT = "district"
"""The fact that decides which authority sees a lift."""
ASKING_FACTS = ("maintenance_firm", "owner")
"""The facts of a lift whose organisations can ask for a second person."""


def changes_threshold(before: LiftFacts, after: LiftFacts) -> bool:
    """Return whether two states of a lift's facts differ in a threshold."""
    return bool(different_thresholds(before, after))


def different_thresholds(before: LiftFacts, after: LiftFacts) -> list[str]:
    """Return the thresholds in which two states of a lift's facts differ."""
    return [fact for fact in THRESHOLD_FACTS if getattr(before, fact) != getattr(after, fact)]


def asks_second_person(lift: LiftFacts, organisations: Iterable[Organisation]) -> bool:
    """Return whether an operator, the lift's firm or its owner asks for a second person.

    A closed firm or owner goes on asking: closing it is no approval.
    """
    return any(
        (each.kind is OrganisationKind.OPERATOR and each.closed_ns is None) or any(_asking_facts(lift, each))
        for each in organisations
        if each.settings.second_person
    )


def released_facts(before: LiftFacts, after: LiftFacts, organisations: Iterable[Organisation]) -> list[str]:
    """Return the facts of `before` that name an organisation which asks for a second person and which `after` does not
    name as its firm or owner."""
    if all(getattr(before, fact) == getattr(after, fact) for fact in ASKING_FACTS):
        return []
    asking = [each for each in organisations if each.settings.second_person]
    released = (each for each in asking if not any(_asking_facts(after, each)))
    return sorted({fact for each in released for fact in _asking_facts(before, each)})


def guarded_facts(before: LiftFacts, after: LiftFacts, organisations: Iterable[Organisation]) -> list[str]:
    """Return the facts that a change which can hide a danger sets: all thresholds where one differs, another district,
    and `released_facts`; none where the change hides nothing."""
    thresholds = THRESHOLD_FACTS if changes_threshold(before, after) else ()
    district = () if before.district == after.district else (DISTRICT,)
    return [*thresholds, *district, *released_facts(before, after, organisations)]


def with_facts_of(before: LiftFacts, after: LiftFacts, facts: Collection[str]) -> LiftFacts:
    """Return the later state of a lift's facts with these facts of the former one."""
    return replace(after, **{fact: getattr(before, fact) for fact in facts})


def _asking_facts(lift: LiftFacts, organisation: Organisation) -> Iterator[str]:
    """Yield the facts that name an organisation as the lift's firm or owner, in any spelling of its names."""
    keys = {name_key(name) for name in organisation.names}
    for fact in ASKING_FACTS:
        name = getattr(lift, fact)
        if name is not None and name_key(name) in keys:
            yield fact
