"""The plans of calls about open incidents: one for each incident and organisation that one of its lifts concerns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alerts.escalation.facts import DutyBook
from alerts.escalation.plan import CallPlan, plan
from alerts.incidents.incident import Incident, IncidentLift
from notify.escalation.incident_facts import incident_facts, lifts_by_organisation
from registry.lift_facts import LiftFacts
from store.records.repository import CallSituation, Records


@dataclass(frozen=True, slots=True)
class PlannedCalls:
    """The plan of an organisation about an incident, and those of its lifts that concern the organisation.

    `facts` are those of the first of the lifts. `is_due`: there are calls to make, or something was not reached.
    """

    incident: Incident
    book: DutyBook
    lifts: Sequence[IncidentLift]
    plan: CallPlan
    facts: LiftFacts | None
    is_due: bool


class RoundBooks:
    """The duty books of one round, each read from the records once."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._organisations = records.acting_organisations()
        self._books: dict[str, DutyBook] = {}

    def planned(self, situation: CallSituation, now_ns: int) -> Iterator[tuple[Incident, list[PlannedCalls]]]:
        """Yield each incident with its plans."""
        lifts = {lift.lift_id: lift.district for incident in situation.incidents for lift in incident.lifts}
        concerned = {
            lift_id: self._organisations.concerned(district, situation.facts.get(lift_id))
            for lift_id, district in lifts.items()
        }
        self._load({each for some in concerned.values() for each in some})
        for incident in situation.incidents:
            by_organisation = lifts_by_organisation(incident, concerned)
            yield (
                incident,
                [
                    self._plan(situation, incident, self._books[each], lifts, now_ns)
                    for each, lifts in by_organisation.items()
                    if each in self._books
                ],
            )

    def _plan(
        self, situation: CallSituation, incident: Incident, book: DutyBook, lifts: Sequence[IncidentLift], now_ns: int
    ) -> PlannedCalls:
        facts = situation.facts.get(lifts[0].lift_id)
        progress = situation.progress.get((incident.id, book.organisation_id))
        made = plan(book, incident_facts(incident, lifts[0], facts), progress, now_ns)
        return PlannedCalls(incident, book, lifts, made, facts, is_due=made.progress != progress)

    def _load(self, ids: set[str]) -> None:
        missing = sorted(ids - self._books.keys())
        if missing:
            self._books |= self._records.duty_books(missing)
