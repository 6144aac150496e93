"""The people who are called about incidents, in SQLite and in PostgreSQL, on a clock that the tests turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.escalation.plan import OwedCall
from alerts.escalation.policy_checks import Nameable, read_policy
from alerts.incidents.actions import IncidentAction
from alerts.notification import Notification
from notify.escalation.duty_caller import CALLS_OWED, PLANS_FAILED, DutyCaller
from notify.escalation.owed_notification import CalledIncident, owed_notification
from registry.actor import Actor
from registry.partition import Partition
from registry.roles import OrganisationKind, Role
from registry.ways import MAIL, SMS
from store.records.repository import Records
from telemetry.instant import DAY_NS
from tests.alerts.incidents.desk import ENTRAPMENT
from tests.alerts.rules import DOOR, LIFT, POWER, STOP, T0, S
from tests.loopback import until
from tests.notify.escalation.firm import EVERY_S, CalledFirm
from tests.store.identity.identities import organisation
from tests.store.test_ways import sent_code

ANN = Actor.named("ann")


@pytest.fixture
def records(url: str, tmp_path: Path) -> Iterator[Records]:
    with Records.open(url, tmp_path / "keys") as opened:
        yield opened


@pytest.fixture(name="firm")
def called_firm(records: Records) -> CalledFirm:
    firm = CalledFirm(records)
    firm.roster(firm.ada)
    return firm


class Clock:
    """A duty caller whose clock is turned by hand, in seconds after T0."""

    def __init__(self, records: Records) -> None:
        self.s = 0.0
        self.caller = DutyCaller(records, lambda: T0 + round(self.s * S))

    def at(self, s: float) -> None:
        """Turn the clock and make the calls that are due."""
        self.s = s
        while self.caller.call_due():
            pass


@pytest.fixture
def clock(records: Records) -> Clock:
    return Clock(records)


def act(firm: CalledFirm, incident_id: str, kind: str, at_s: float, **more: str) -> None:
    assert firm.records.act_on_incident(incident_id, IncidentAction(kind, ANN, **more), T0 + round(at_s * S))


def test_who_is_on_duty_is_called_again_and_then_others_until_somebody_acknowledges(
    firm: CalledFirm, clock: Clock
) -> None:
    firm.policy(["on-duty"], [f"person:{firm.ben.person_id}"])
    incident_id = firm.open_incident()
    for at_s in (0, 1, 59, 60, 61, 121):
        clock.at(at_s)
    assert firm.called() == [(0, "ada"), (60, "ben"), (121, "ada")]
    act(firm, incident_id, "ack", 130)
    for at_s in (190, 250, 1900):
        clock.at(at_s)
    assert len(firm.called()) == 3
    clock.at(130 + 1800)
    assert firm.called()[3:] == [(1930, "ada")], "acknowledged, and left alone for half an hour"
    assert clock.caller.counts[CALLS_OWED] == 4


def test_who_belongs_to_two_organisations_is_called_by_one_within_a_repeat(
    firm: CalledFirm, clock: Clock, records: Records
) -> None:
    desk = organisation(records, "Desk", OrganisationKind.OPERATOR)
    records.set_role(firm.ada.person_id, desk.organisation_id, Role.DISPATCHER, ANN, T0)
    way = records.add_way(firm.ada.person_id, SMS, "+8613900000001", None, ANN, T0)  # who joins others loses theirs
    assert records.verify_way(firm.ada.person_id, way.way_id, sent_code(records), ANN, T0) is not None
    firm.policy(["on-duty"])
    steps = [{"targets": ["everyone"], "every_s": EVERY_S}]
    given = {"name": "Desk", "steps": steps, "delay_s": 20}
    of = desk.organisation_id
    records.add_policy(lambda others: read_policy(given, "", of, Nameable(None, None, others)), of, None, ANN, T0)
    firm.open_incident()
    for at_s in (0, 20, 60, 80, 120, 140):
        clock.at(at_s)
    assert firm.called() == [(0, "ada"), (60, "ada"), (120, "ada")]


def test_an_incident_whose_calls_cannot_be_made_delays_the_calls_of_no_other(
    firm: CalledFirm, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm.policy(["on-duty"])
    firm.put_lift("lift-2")
    broken, sound = firm.open_incident(), firm.open_incident(lift_id="lift-2")

    def owed(call: OwedCall, about: CalledIncident) -> Notification:
        if about.incident.id == broken:
            raise ValueError("a fact that no release has written")
        return owed_notification(call, about)

    monkeypatch.setattr("notify.escalation.duty_caller.owed_notification", owed)
    clock.at(0)
    clock.at(60)
    assert [(at_s, each.incident_id) for at_s, _, each in firm.owed()] == [(0, sound), (60, sound)]
    assert clock.caller.counts[PLANS_FAILED] >= 1


def test_the_notification_says_what_and_where(firm: CalledFirm, clock: Clock) -> None:
    firm.policy(["on-duty"])
    firm.open_incident(ENTRAPMENT)
    firm.open_incident(STOP, "lift-2")
    clock.at(0)
    clock.at(60)
    first, again = (each for _, _, each in firm.owed())
    assert (first.kind, first.severity) == ("entrapment", "critical")
    assert (first.may_hold_people, first.is_repeat) == (True, False)
    assert first.lift is not None
    assert (first.lift.lift_id, first.lift.address, dict(first.sentence)) == (LIFT, "Garden Road 3", {})
    assert again.is_repeat
    firm.put_lift("lift-2")
    clock.at(120)
    (stopped,) = (each for _, _, each in firm.owed() if each.lift and each.lift.lift_id == "lift-2")
    assert set(stopped.sentence) == {"en", "zh"}


def test_a_clock_set_forward_across_many_steps_calls_each_person_once(firm: CalledFirm, clock: Clock) -> None:
    firm.policy(["on-duty"], *[[f"person:{firm.ben.person_id}"], ["on-duty"]] * 5)
    firm.open_incident()
    clock.at(0)
    clock.at(100_000)
    clock.at(100_001)
    assert sorted(firm.called()) == [(0, "ada"), (100_000, "ada"), (100_000, "ben")]
    clock.at(200)
    assert len(firm.called()) == 3, "set back again: calls that were made are not made anew"


def test_a_changed_policy_calls_at_once_and_a_clock_set_back_goes_on_calling(firm: CalledFirm, clock: Clock) -> None:
    firm.policy(["on-duty"], every_s=30)
    firm.open_incident()
    for at_s in range(0, 301, 30):
        clock.at(at_s)
    before = len(firm.called())
    firm.change_policy([f"person:{firm.ben.person_id}"], every_s=180)
    for at_s in (330, 331, 510):
        clock.at(at_s)
    assert firm.called()[before:] == [(330, "ben"), (510, "ben")]
    for at_s in range(60, 440, 30):
        clock.at(at_s)
    assert {(240, "ben"), (420, "ben")} <= set(firm.called())


def test_who_has_no_way_that_has_a_sender_is_not_reached_and_others_are_called(
    firm: CalledFirm, records: Records
) -> None:
    firm.policy(["on-duty"], [f"person:{firm.ben.person_id}"])
    way = records.add_way(firm.ben.person_id, MAIL, "ben@example.org", None, ANN, T0)
    assert records.verify_way(firm.ben.person_id, way.way_id, sent_code(records), ANN, T0) is not None
    firm.open_incident()
    DutyCaller(records, lambda: T0, kinds=[MAIL]).call_due()
    assert firm.called() == [(0, "ben")]
    entries = [(each.about, each.note) for each in records.incident_entries_since(0) if each.kind == "unreached"]
    assert entries == [("no-ways", "Ada")]


def test_a_restarted_process_goes_on_where_the_last_one_was(firm: CalledFirm, clock: Clock, records: Records) -> None:
    firm.policy(["on-duty"])
    firm.open_incident()
    clock.at(0)
    Clock(records).at(30)
    assert firm.called() == [(0, "ada")]
    Clock(records).at(60)
    clock.at(60)
    assert firm.called() == [(0, "ada"), (60, "ada")]


def test_two_processes_that_plan_one_incident_make_each_call_once(firm: CalledFirm, url: str) -> None:
    firm.policy(["on-duty"])
    for number in range(20):
        firm.put_lift(f"l{number}")
        firm.open_incident(lift_id=f"l{number}")
    together = threading.Barrier(2)

    def run() -> None:
        with Records.open(url) as own:
            caller = Clock(own)
            for at_s in (0, 60, 120):
                together.wait()  # the processes have one clock: an earlier time is that of a clock set back
                caller.at(at_s)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    calls = [(at_s, each.incident_id) for at_s, _, each in firm.owed()]
    assert len(calls) == len(set(calls)) == 60


def test_each_partition_calls_about_its_own_lifts(firm: CalledFirm, url: str) -> None:
    firm.policy(["on-duty"])
    for number in range(8):
        firm.put_lift(f"l{number}")
        firm.open_incident(lift_id=f"l{number}")
    for number in range(2):
        with Records.open(url) as own:
            own.partition = Partition(number, 2)
            Clock(own).at(0)
            lifts = {each.lift.lift_id for _, _, each in firm.owed() if each.lift}
            assert {f"l{each}" for each in range(8) if Partition(0, 2).has(f"l{each}") or number} == lifts


def test_what_a_step_did_not_reach_is_in_the_story_once_and_the_last_step_is_called(
    firm: CalledFirm, clock: Clock
) -> None:
    gap, mute = firm.roster(name="Empty"), firm.person("mute", reachable=False)
    firm.policy([f"roster:{gap}"], [f"person:{mute.person_id}"], [f"person:{firm.ben.person_id}"])
    incident_id = firm.open_incident()
    for at_s in (0, 60, 120, 180, 240):
        clock.at(at_s)
    assert firm.called() == [(at_s, "ben") for at_s in (0, 60, 120, 180, 240)]
    history = firm.records.incident(incident_id)
    assert history is not None
    missed = [(entry.about, entry.note, entry.organisation) for entry in history.story if entry.kind == "unreached"]
    assert missed == [("gap", "Empty", "Firm"), ("no-ways", "Mute", "Firm")]
    assert history.visible.incident.active_ns == T0, "that nobody was reached is no activity of a person"


def test_every_organisation_of_the_lift_is_called_by_its_own_policy(firm: CalledFirm, clock: Clock) -> None:
    firm.policy(["on-duty"])
    rival = organisation(firm.records, "Rival", OrganisationKind.MAINTENANCE_FIRM)
    firm.organisation = organisation(firm.records, "Desk", OrganisationKind.OPERATOR)
    firm.person("desk-one", Role.DISPATCHER)
    firm.organisation = rival
    firm.person("rival-one", Role.DISPATCHER)
    firm.open_incident()
    clock.at(0)
    assert {login for _, login in firm.called()} == {"ada", "desk-one"}


def test_an_incident_of_another_severity_or_that_is_held_back_calls_nobody(firm: CalledFirm, clock: Clock) -> None:
    firm.policy(["on-duty"], match={"kinds": ["out-of-order"]})
    firm.open_incident(DOOR)
    clock.at(0)
    assert firm.called() == []
    firm.put_lift("dark", address="House")
    firm.open_incident(POWER, "dark", 10)
    firm.open_incident(STOP, "dark", 20)
    clock.at(20)
    assert [each.lift.lift_id for _, _, each in firm.owed() if each.lift] == ["dark"]


def test_a_new_incident_is_called_about_at_once_and_an_override_counts_at_the_next_call(
    firm: CalledFirm, records: Records
) -> None:
    firm.policy(["on-duty"])
    caller = DutyCaller(records)
    caller.start()
    try:
        until(lambda: caller._surveyed_ns is not None, "the first survey")
        firm.open_incident()
        caller.wake.set()
        until(lambda: len(firm.called()) == 1, "the call")
    finally:
        caller.stop()
    assert caller.outage.cause is None


def test_progress_is_deleted_a_day_after_the_closing(firm: CalledFirm, clock: Clock, records: Records) -> None:
    firm.policy(["on-duty"])
    incident_id = firm.open_incident()
    clock.at(0)
    records.delete_expired(T0 + 9 * DAY_NS)
    assert records.call_progress(incident_id)
    act(firm, incident_id, "close", 10, reason="test")
    records.delete_expired(T0 + DAY_NS)
    assert records.call_progress(incident_id)
    records.delete_expired(T0 + DAY_NS + 11 * S)
    assert records.call_progress(incident_id) == {}


def test_people_are_called_about_an_incident_that_has_become_more_urgent_though_it_was_acknowledged(
    firm: CalledFirm, clock: Clock
) -> None:
    firm.policy(["on-duty"])
    incident_id = firm.open_incident(STOP)
    clock.at(0)
    act(firm, incident_id, "ack", 5)
    firm.open_incident(ENTRAPMENT, at_s=10)
    clock.at(10)
    assert firm.called() == [(0, "ada"), (10, "ada")]
    assert replace(firm.owed()[1][2], key="").severity == "critical"
