"""The plans of calls about open incidents: one for each incident and organisation.

The organisations are those that a lift of the incident concerns, and those that are called out to its rescue by name.
One that is both is called again where somebody else has acknowledged the incident before the call-out.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alerts.escalation.facts import DutyBook, with_senders
from alerts.escalation.plan import CallPlan, plan
from alerts.incidents.incident import Incident, IncidentLift
from alerts.incidents.rescue import FIRM, CallOut
from notify.escalation.incident_facts import (
    called_out_facts,
    helping_call_outs,
    incident_facts,
    lifts_by_organisation,
    not_accepted,
)
from registry.lift_facts import LiftFacts
from store.records.repository import CallSituation, Records

log = logging.getLogger("liftwatch.duty")


@dataclass(frozen=True, slots=True)
class PlannedCalls:
    """The plan of an organisation about an incident, and those of its lifts that the organisation is called about.

    `facts` are those of the first of the lifts. `is_due`: there are calls to make, or something was not reached.
    `to_telephone` are those who are called out, have not come, and are no organisation that is called by itself.
    """

    incident: Incident
    book: DutyBook
    lifts: Sequence[IncidentLift]
    plan: CallPlan
    facts: LiftFacts | None
    is_due: bool
    to_telephone: Sequence[str] = ()


class RoundBooks:
    """The duty books of one round, each read from the records once.

    `kinds` are those of the ways that have a sender; `failed` counts incidents without a plan.
    """

    def __init__(self, records: Records, kinds: Collection[str]) -> None:
        self._records, self._kinds = records, kinds
        self._organisations = records.acting_organisations()
        self._books: dict[str, DutyBook] = {}
        self.failed = 0

    @property
    def has_organisations(self) -> bool:
        """Whether there is any organisation that could be called."""
        return bool(self._organisations.by_name)

    def former(self, situation: CallSituation, incident: Incident, plans: Sequence[PlannedCalls]) -> set[str]:
        """Return the names of the organisations that were called about an incident, and are not responsible any more.

        Whoever was called out by name is none of them.
        """
        call_outs = () if incident.rescue is None else incident.rescue.call_outs
        named = {self._organisations.named(each.who) for each in call_outs}
        planned = {each.book.organisation_id for each in plans}
        called = {of for incident_id, of in situation.progress if incident_id == incident.id}
        self._load(called - planned - named)
        return {self._books[each].name for each in called - planned - named if each in self._books}

    def has_lapsed(self, situation: CallSituation, incident: Incident) -> bool:
        """Return whether every organisation that has taken an incident up is not responsible for its lifts any more.

        People without an organisation, and organisations that are not known by this name, stay responsible.
        """
        named = self._organisations.named
        for_ids = [named(name or "") for name in incident.acknowledged_for]
        responsible = {each for lift in incident.lifts for each in self._concerned(situation, lift)}
        helpers = {named(who) for who in helping_call_outs(incident)}
        return bool(for_ids) and all(each is not None and each not in responsible | helpers for each in for_ids)

    def planned(self, situation: CallSituation, now_ns: int) -> Iterator[tuple[Incident, list[PlannedCalls]]]:
        """Yield each incident with its plans."""
        lifts = {lift.lift_id: lift for incident in situation.incidents for lift in incident.lifts}
        concerned = {lift_id: self._concerned(situation, lift) for lift_id, lift in lifts.items()}
        helpers = {incident.id: self._helpers(incident) for incident in situation.incidents}
        self._load({each for some in (*concerned.values(), *helpers.values()) for each in some})
        for incident in situation.incidents:
            try:
                plans = list(self._plans(situation, incident, concerned, helpers[incident.id], now_ns))
            except Exception:  # whatever is wrong with one incident delays the calls of no other
                self.failed += 1
                log.exception("the calls about incident %s cannot be planned", incident.id)
            else:
                yield incident, plans

    def _plans(
        self,
        situation: CallSituation,
        incident: Incident,
        concerned: Mapping[str, Sequence[str]],
        helpers: Mapping[str, CallOut],
        now_ns: int,
    ) -> Iterator[PlannedCalls]:
        by_organisation = lifts_by_organisation(incident, concerned)
        called_out = {} if incident.acknowledged_ns is None else helpers
        for each, lifts in by_organisation.items():
            if each in self._books:
                call_out = not_accepted(called_out.get(each))
                yield self._plan(situation, incident, self._books[each], lifts, now_ns, call_out)
        inside = [lift for lift in incident.lifts if lift.holds_people] or list(incident.lifts)
        for each, call_out in helpers.items():
            if each in self._books and each not in by_organisation:
                yield self._plan(situation, incident, self._books[each], inside, now_ns, call_out)

    def _concerned(self, situation: CallSituation, lift: IncidentLift) -> list[str]:
        return self._organisations.concerned(lift.district, situation.facts.get(lift.lift_id))

    def _helpers(self, incident: Incident) -> dict[str, CallOut]:
        """Return the organisations that are called out by name, with their call-outs."""
        named = {self._organisations.named(who): each for who, each in helping_call_outs(incident).items()}
        return {each: call_out for each, call_out in named.items() if each is not None}

    def _plan(
        self,
        situation: CallSituation,
        incident: Incident,
        book: DutyBook,
        lifts: Sequence[IncidentLift],
        now_ns: int,
        call_out: CallOut | None = None,
    ) -> PlannedCalls:
        facts = situation.facts.get(lifts[0].lift_id)
        progress = situation.progress.get((incident.id, book.organisation_id))
        about = incident_facts(incident, lifts, facts, book.name)
        about = about if call_out is None else called_out_facts(about, call_out)
        made = plan(book, about, progress, now_ns)
        waiting = [who for who, each in helping_call_outs(incident).items() if not each.is_coming and each.level > FIRM]
        to_telephone = [who for who in waiting if self._organisations.named(who) is None]
        return PlannedCalls(incident, book, lifts, made, facts, made.progress != progress, to_telephone)

    def _load(self, ids: set[str]) -> None:
        missing = sorted(ids - self._books.keys())
        if missing:
            books = self._records.duty_books(missing)
            self._books |= {each: with_senders(book, self._kinds) for each, book in books.items()}
