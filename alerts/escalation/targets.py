"""The people of a step's targets at an instant, and the targets that nobody answers for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alerts.escalation.facts import Callee, DutyBook
from alerts.escalation.policy import EVERYONE, ON_DUTY, PERSON, ROLE, ROSTER
from registry.duty.shifts import on_duty
from registry.roles import Role, Verb, verbs_of

GAP, NO_ROSTER, LEFT, NO_WAYS, NOBODY = "gap", "no-roster", "left", "no-ways", "nobody"


@dataclass(frozen=True, slots=True)
class MissedTarget:
    """A target, or a person of it, that cannot be called.

    `reason`: `gap` (nobody is on duty in a roster), `no-roster` (the organisation has none, or not this one), `left`
    (the person is no longer of the organisation), `no-ways` (the person has none), `nobody` (nobody has the role),
    `no-organisation` (the lifts of the incident concern none that is called).
    """

    target: str
    reason: str
    person_id: str | None = None
    name: str | None = None


def reach(targets: Iterable[str], book: DutyBook, now_ns: int) -> tuple[list[Callee], list[MissedTarget]]:
    """Return the people of targets who have ways, each once, and what is missed."""
    found: dict[str, Callee] = {}
    missed: list[MissedTarget] = []
    for target in targets:
        for each in _people(target, book, now_ns):
            if isinstance(each, MissedTarget):
                missed.append(each)
            elif each.ways:
                found.setdefault(each.person_id, each)
            else:
                missed.append(MissedTarget(target, NO_WAYS, each.person_id, each.name))
    return list(found.values()), list(dict.fromkeys(missed))


def _people(target: str, book: DutyBook, now_ns: int) -> Iterator[Callee | MissedTarget]:
    kind, _, name = target.partition(":")
    if kind in (ON_DUTY, ROSTER):
        yield from _on_duty(target, book, now_ns)
    elif kind == PERSON:
        yield book.callees.get(name, MissedTarget(target, LEFT, name))
    else:
        meant = [each for each in book.callees.values() if _is_meant(each, kind, name, book)]
        yield from meant
        if not meant:
            yield MissedTarget(target, NOBODY)


def _is_meant(callee: Callee, kind: str, role: str, book: DutyBook) -> bool:
    if kind == ROLE:
        return callee.role == role
    assert kind == EVERYONE
    if Verb.ACKNOWLEDGE not in verbs_of(book.kind, Role.ADMINISTRATOR):
        return True  # an organisation of which nobody acknowledges
    return Verb.ACKNOWLEDGE in verbs_of(book.kind, callee.role)


def _on_duty(target: str, book: DutyBook, now_ns: int) -> Iterator[Callee | MissedTarget]:
    wanted = target.partition(":")[2]
    rosters = [each for each in book.rosters if wanted in ("", each.roster_id)]
    if not rosters:
        yield MissedTarget(target, NO_ROSTER)
    for roster in rosters:
        team = on_duty(roster, now_ns)
        if not team:
            yield MissedTarget(f"{ROSTER}:{roster.roster_id}", GAP, name=roster.name)
        for person_id in team:
            yield book.callees.get(person_id, MissedTarget(f"{ROSTER}:{roster.roster_id}", LEFT, person_id))
