"""The open incidents that people are called about, and how far the calls of each organisation are made."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection, delete, select

from alerts.alert import CLOSED, Alert
from alerts.escalation.facts import CallProgress
from alerts.escalation.plan import OwedCall
from alerts.escalation.targets import MissedTarget
from alerts.escalation.timeline import S_NS
from alerts.incidents.incident import LIFT_DELETED, NOT_RESPONSIBLE, UNREACHED, Incident, IncidentChange, entered
from alerts.incidents.taking_up import called_anew
from registry.lift_facts import LiftFacts
from registry.partition import EVERY_LIFT, Partition
from store.records.book import read_alert
from store.records.database import Database
from store.records.duty.tables import escalations
from store.records.incidents.rows import in_parts, load_incidents, write_changes
from store.records.incidents.tables import incident_entries, incidents, is_open
from store.records.judging.deleted_lifts import REOPENABLE_NS, load_facts_when_deleted
from store.records.judging.stored_facts import load_facts
from store.records.outbox.tables import SENT, WAITING, notifications
from store.records.schema import alerts


@dataclass(frozen=True, slots=True)
class CallSituation:
    """Open incidents with what decides who is called about them: facts of lifts, and progress.

    `deleted` are the lifts that were deleted since; their facts are the last ones. The progress is by incident and
    organisation.
    """

    incidents: Sequence[Incident]
    facts: Mapping[str, LiftFacts]
    progress: Mapping[tuple[str, str], CallProgress]
    deleted: Collection[str] = ()


class CallStore:
    """The part of the records about calls."""

    _database: Database

    @contextmanager
    def one_transaction(self) -> Iterator[None]:
        """Make the changes inside one transaction: no other process changes an incident until it is committed.

        A loss of power may undo the last of them: what was called then is owed, and called, again.
        """
        with self._database.writing(durable=False, ordered=True):
            yield

    def open_incident_ids(self) -> list[str]:
        """Return the ids of the open incidents."""
        with self._database.reading() as connection:
            return list(connection.scalars(select(incidents.c.id).where(is_open)))

    def call_situation(self, incident_ids: Collection[str], partition: Partition = EVERY_LIFT) -> CallSituation:
        """Return those of these incidents that are open and of a partition, with what decides who is called."""
        with self._database.reading() as connection:
            named = load_incidents(connection, incident_ids)
            found = [each for each in named if each.is_open and partition.has(each.lift_id)]
            opened_ns = opened_by_lift(found)
            facts, progress = load_facts(connection, opened_ns), _progress(connection, incident_ids)
            deleted = load_facts_when_deleted(connection, opened_ns)
            return CallSituation(found, deleted | facts, progress, deleted.keys())

    def unclosed_alerts_of(self, incident_ids: Collection[str]) -> dict[str, list[Alert]]:
        """Return the alerts of incidents that are not closed, by incident, the first onset first."""
        query = select(alerts.c.incident_id, alerts.c.alert).order_by(alerts.c.onset_ns, alerts.c.id)
        found: dict[str, list[Alert]] = {}
        with self._database.reading() as connection:
            for some in in_parts(incident_ids):
                for row in connection.execute(query.where(alerts.c.incident_id.in_(some), alerts.c.state != CLOSED)):
                    found.setdefault(row.incident_id, []).append(read_alert(row.alert))
        return found

    def call_progress(self, incident_id: str) -> dict[str, CallProgress]:
        """Return how far the calls about an incident are made, by organisation."""
        with self._database.reading() as connection:
            return {of: progress for (_, of), progress in _progress(connection, [incident_id]).items()}

    def store_call_progress(self, incident_id: str, organisation_id: str, progress: CallProgress) -> None:
        """Store how far the calls of an organisation about an incident are made; joins the open transaction."""
        values = asdict(progress)
        row = self._database.insert(escalations).values(
            incident_id=incident_id, organisation_id=organisation_id, **values
        )
        with self._database.writing() as connection:
            keys = ["incident_id", "organisation_id"]
            connection.execute(row.on_conflict_do_update(index_elements=keys, set_=values))

    def called_by_others(self, calls: Collection[OwedCall]) -> set[str]:
        """Return the keys of those owed calls whose person another organisation has called about the incident, later
        than the call before would have been, and in the same stretch."""
        if not calls:
            return set()
        columns = notifications.c
        made = select(columns.key, columns.incident_id, columns.person_id, columns.made_ns).where(
            columns.person_id.in_({each.callee.person_id for each in calls}),
            columns.incident_id.in_({each.incident_id for each in calls}),
            columns.made_ns > min(each.at_ns - each.every_s * S_NS for each in calls),
            columns.state.in_((WAITING, SENT)),
        )
        found: dict[tuple[str, str], list[tuple[str, int]]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(made):
                found.setdefault((row.incident_id, row.person_id), []).append((row.key, row.made_ns))
        return {
            each.key
            for each in calls
            for key, made_ns in found.get((each.incident_id, each.callee.person_id), ())
            if max(each.start_ns, each.at_ns - each.every_s * S_NS + 1) <= made_ns <= each.at_ns
            and not key.startswith(f"{each.incident_id}:{each.organisation_id}:")
        }

    def note_changed_duty(
        self,
        incident_id: str,
        deleted: Collection[str],
        former: Collection[str],
        now_ns: int,
        lapsed: Collection[str | None] = (),
    ) -> None:
        """Enter once each lift of an incident that is deleted, and the name of each organisation that was called and
        is not responsible any more.

        `lapsed` are all organisations that have taken it up, where none of them is responsible any more: then people
        are called about it as about one that nobody has taken up.
        """
        former = {*former, *(name for name in lapsed if name)}
        wanted = {(LIFT_DELETED, each, None) for each in deleted} | {(NOT_RESPONSIBLE, each, each) for each in former}
        with self._database.reading() as connection:
            if not lapsed and wanted <= _entries_of(connection, incident_id, (LIFT_DELETED, NOT_RESPONSIBLE)):
                return
        with self._database.writing() as connection:
            (incident,) = load_incidents(connection, [incident_id])
            changes: list[IncidentChange] = []
            if lapsed and set(incident.acknowledged_for) == set(lapsed):
                incident = called_anew(incident, now_ns)
                changes.append(IncidentChange(incident, None))
            there = _entries_of(connection, incident_id, (LIFT_DELETED, NOT_RESPONSIBLE))
            for kind, name, organisation in sorted(wanted - there, key=str):
                change = entered(incident, kind, now_ns, note=name, organisation=organisation)
                changes, incident = [*changes, change], change.incident
            write_changes(connection, changes)

    def note_unreached(
        self, incident_id: str, organisation: str | None, missed: Collection[MissedTarget], since_ns: int, now_ns: int
    ) -> None:
        """Enter what the calls of an organisation (None: of all) could not reach, each once since `since_ns`; joins
        the open transaction."""
        with self._database.writing() as connection:
            (incident,) = load_incidents(connection, [incident_id])
            entered_before = _unreached_entries(connection, incident_id, organisation, since_ns)
            changes: list[IncidentChange] = []
            for reason, name in dict.fromkeys((each.reason, each.name) for each in missed):
                if (reason, name) not in entered_before:
                    change = entered(incident, UNREACHED, now_ns, about=reason, note=name, organisation=organisation)
                    changes, incident = [*changes, change], change.incident
            write_changes(connection, changes)


def delete_call_progress(connection: Connection, now_ns: int) -> int:
    """Delete the progress of incidents that were closed long ago, or are gone; return how many rows that were."""
    closed_ns = incidents.c.closed_ns
    kept = select(incidents.c.id).where(closed_ns.is_(None) | (closed_ns > now_ns - REOPENABLE_NS))
    return connection.execute(delete(escalations).where(escalations.c.incident_id.not_in(kept))).rowcount


def opened_by_lift(some: Collection[Incident]) -> dict[str, int]:
    """Return the opening of the oldest of these incidents for each of their lifts."""
    newest_first = sorted(some, key=lambda each: -each.opened_ns)
    return {lift.lift_id: incident.opened_ns for incident in newest_first for lift in incident.lifts}


def _entries_of(
    connection: Connection, incident_id: str, kinds: Collection[str]
) -> set[tuple[str, str | None, str | None]]:
    """Return kind, note and organisation of the entries of these kinds."""
    columns = incident_entries.c
    query = select(columns.kind, columns.note, columns.organisation)
    of_kinds = query.where(columns.incident_id == incident_id, columns.kind.in_(kinds))
    return {(row.kind, row.note, row.organisation) for row in connection.execute(of_kinds)}


def _unreached_entries(
    connection: Connection, incident_id: str, organisation: str | None, since_ns: int
) -> set[tuple[str | None, str | None]]:
    columns = incident_entries.c
    query = select(columns.about, columns.note).where(
        columns.incident_id == incident_id, columns.kind == UNREACHED,
        columns.organisation == organisation, columns.at_ns >= since_ns,
    )  # fmt: skip
    return {(row.about, row.note) for row in connection.execute(query)}


def _progress(connection: Connection, incident_ids: Collection[str]) -> dict[tuple[str, str], CallProgress]:
    found: dict[tuple[str, str], CallProgress] = {}
    for some in in_parts(incident_ids):
        rows = connection.execute(select(escalations).where(escalations.c.incident_id.in_(some)))
        for row in rows.mappings():
            columns = {each.name: row[each.name] for each in fields(CallProgress)}
            found[row["incident_id"], row["organisation_id"]] = CallProgress(**columns)
    return found
