"""The answer of a person to an incident by a link, without sign-in: looking acts on nothing, one POST acts once.

A link to an incident that was merged answers the one into which it was merged.

unknown       no such link, or its account is disabled           expired   more than 30 minutes old
not-allowed   the person may not acknowledge the incident now    used      the person has answered by it
closed        the incident is over                               open      it answers
"""

from __future__ import annotations

from dataclasses import replace

from alerts.answers import Refused
from alerts.incidents.actions import IncidentAction
from alerts.incidents.rescue import DECLINED
from alerts.incidents.rescuing import RescueStep
from registry.actor import Actor
from registry.people import Person, scope_of
from registry.roles import Verb
from registry.scope import ALL_LIFTS, NO_LIFTS, LiftScope, Scope
from store.records.repository import ACCEPT, AnswerLink, IncidentHistory, Records

OPEN, USED, EXPIRED, UNKNOWN = "open", "used", "expired", "unknown"
NOT_ALLOWED, CLOSED = "not-allowed", "closed"
ARRIVAL_LIVES_NS = 12 * 3600 * 1_000_000_000
"""How long whoever has answered by a link may enter the own arrival on the page of the code."""


class LinkAnswer:
    """One request about one link."""

    def __init__(self, records: Records, secret: str, address: str, now_ns: int) -> None:
        self.records, self.now_ns = records, now_ns
        self.link: AnswerLink | None = records.answer_link(secret)
        self.incident_id = "" if self.link is None else records.surviving_incident_id(self.link.incident_id)
        self.person: Person | None = None if self.link is None else records.person(self.link.person_id)
        self._lifts, self._is_helper = NO_LIFTS, False
        self.scope: Scope | None = self._scope(address)
        self.incident: IncidentHistory | None = None
        if self.link is not None and self.scope is not None:
            self.incident = _shown(records.incident(self.incident_id, self._lifts), self._is_helper)

    @property
    def state(self) -> str:
        """The state of the link, and of its incident."""
        if self.link is None or self.person is None or self.person.is_disabled:
            return UNKNOWN
        if self.link.used_ns is not None:
            return USED
        if not self.link.is_usable(self.now_ns):
            return EXPIRED
        if self.incident is None:
            return NOT_ALLOWED
        return OPEN if self.incident.visible.incident.is_open else CLOSED

    def act(self, note: str) -> None:
        """Acknowledge or accept, where the link is open; `note` says in the story that a link did it.

        Who accepts becomes the owner of an incident without one and without lifts of others; in a rescue the
        organisation's call-out is accepted. Who helps alone and does not accept comments: others go on being called.
        Acting twice changes nothing, so the link is used up afterwards: a crash between loses no answer.
        """
        if self.state != OPEN:
            return
        assert self.link is not None, "an open link exists"
        assert self.person is not None, "an open link is bound to a person"
        assert self.scope is not None, "an open link has a scope"
        assert self.scope.actor is not None, "the scope of a person has an actor"
        assert self.incident is not None, "an open link has an incident"
        only_notes = self._is_helper and self.link.action != ACCEPT
        actions = [IncidentAction("comment" if only_notes else "ack", self.scope.actor, note=note)]
        seen = self.incident.visible
        is_whole = self.records.incident_is_within(self.incident_id, self._lifts)
        if self.link.action == ACCEPT and seen.incident.owner is None and is_whole:
            actions.append(IncidentAction("assign", self.scope.actor, note=note, to=self.person.login))
        if self.link.action == ACCEPT and seen.incident.rescue is not None:
            actions.append(IncidentAction("accept", self.scope.actor, note=note, rescue=RescueStep("accept")))
        try:
            for action in actions:
                self.records.act_on_incident(self.incident_id, action, self.now_ns, scope=self._lifts)
        except Refused:  # closed in the meantime
            return
        self.records.use_answer_link(self.link, self.now_ns)

    def _scope(self, address: str) -> Scope | None:
        """Return the first scope of the person in which the incident may be acknowledged."""
        if self.link is None or self.person is None:
            return None
        scopes = (scope_of(self.person, membership, address) for membership in self.person.memberships)
        return next((scope for scope in scopes if self._may_answer(self.incident_id, scope)), None)

    def _may_answer(self, incident_id: str, scope: Scope) -> bool:
        if Verb.ACKNOWLEDGE not in scope.verbs:
            return False
        if self.records.has_incident(incident_id, scope.acting or scope.lifts):
            self._lifts = scope.acting or scope.lifts
            return True
        if self._is_called_out(incident_id, scope):
            self._lifts, self._is_helper = ALL_LIFTS, True
            return True
        return False

    def _is_called_out(self, incident_id: str, scope: Scope) -> bool:
        """Return whether the person's organisation is called out by name, and has not declined: a rescue point
        without the lift."""
        history = self.records.incident(incident_id)
        rescue = None if history is None else history.visible.incident.rescue
        mine = None if scope.actor is None else scope.actor.organisation
        if rescue is None or mine is None:
            return False
        organisations = self.records.acting_organisations()
        waiting = [each.who for each in rescue.call_outs if each.answer != DECLINED]
        return any(organisations.named(who) == organisations.named(mine) for who in waiting)


def _shown(history: IncidentHistory | None, is_helper: bool) -> IncidentHistory | None:
    """Return an incident with those of its lifts alone that the person sees; a helper sees those that hold people."""
    if history is None:
        return None
    seen = history.visible
    lifts = [lift for lift in seen.incident.lifts if lift.lift_id in seen.lift_ids]
    if is_helper:
        lifts = [lift for lift in lifts if lift.holds_people] or lifts
    lift_ids = frozenset(lift.lift_id for lift in lifts)
    visible = replace(seen, incident=replace(seen.incident, lifts=tuple(lifts)), lift_ids=lift_ids)
    return replace(history, visible=visible, alerts=[each for each in history.alerts if each.lift_id in lift_ids])


def arriving_by_link(
    records: Records, secret: str, incident_id: str, address: str, now_ns: int
) -> tuple[Actor, LiftScope] | None:
    """Return who may enter an arrival at an incident, and for which lifts: whoever has answered it by this link within
    the last hours; None where nobody has."""
    asked = LinkAnswer(records, secret, address, now_ns)
    used_ns = None if asked.link is None else asked.link.used_ns
    if used_ns is None or not 0 <= now_ns - used_ns < ARRIVAL_LIVES_NS or asked.incident_id != incident_id:
        return None
    if asked.state != USED or asked.scope is None or asked.scope.actor is None:
        return None
    return asked.scope.actor, asked._lifts
