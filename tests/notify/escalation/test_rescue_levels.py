"""The levels of a rescue call people: who is called out and does not answer, or declines, is followed by the next."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.incidents.actions import IncidentAction
from alerts.incidents.rescue import RescuePoint, RescueTimes
from alerts.incidents.rescuing import RescueStep
from notify.escalation.duty_caller import DutyCaller
from registry.actor import Actor
from registry.organisations import Organisation
from registry.roles import OrganisationKind, Role
from registry.ways import SMS
from store.records.repository import IncidentFilter, Records
from tests.alerts.incidents.desk import ENTRAPMENT
from tests.alerts.rules import LIFT, T0, S
from tests.forked import forked
from tests.notify.escalation.firm import CalledFirm
from tests.store.identity.identities import BY, organisation, person
from tests.store.test_ways import sent_code

TIMES = RescueTimes(180, 1800)
NEAR = RescuePoint("North point", 2, lat=30.0, lon=120.0)
FAR = RescuePoint("Far point", 2, lat=40.0, lon=120.0)
FIRE = RescuePoint("Fire service", 3)
POINTS = (FAR, NEAR, FIRE)
INCIDENTS, KILLS, SEED, FASTER = 5, 5, 20010102, 300


@pytest.fixture
def records(url: str, tmp_path: Path) -> Iterator[Records]:
    with Records.open(url, tmp_path / "keys") as opened:
        yield opened


def helper(records: Records, point: RescuePoint, login: str) -> Organisation:
    """Add the organisation of a rescue point, with one person who is reached by SMS."""
    added = organisation(records, point.name, OrganisationKind.MAINTENANCE_FIRM)
    one = person(records, login, added, Role.DISPATCHER)
    way = records.add_way(one.person_id, SMS, f"+86138000{sum(login.encode())}", None, BY, T0)
    assert records.verify_way(one.person_id, way.way_id, sent_code(records), BY, T0) is not None
    return added


class Rescue:
    """A firm with Ada on duty, Nora at the nearest rescue point, Fay at the fire service, and an entrapment at T0."""

    def __init__(self, records: Records) -> None:
        self.records, self.firm, self.s = records, CalledFirm(records), 0.0
        self.firm.roster(self.firm.ada)
        self.firm.policy(["on-duty"])
        self.firm.put_lift(LIFT, lat=30.1, lon=120.1)
        for point, login in ((NEAR, "nora"), (FAR, "finn"), (FIRE, "fay")):
            helper(records, point, login)
        self.incident_id = self.firm.open_incident(ENTRAPMENT)
        self.points: Sequence[RescuePoint] = POINTS
        self.caller = DutyCaller(records, lambda: T0 + round(self.s * S))

    def at(self, s: float) -> None:
        """Turn the clock: the timers of the rescue, then the calls."""
        self.s = s
        self.records.advance_rescues(TIMES, T0 + round(s * S), points=self.points)
        while self.caller.call_due():
            pass

    def act(self, kind: str, by: Actor, **more: object) -> None:
        step = RescueStep(kind, **more)  # type: ignore[arg-type]
        action = IncidentAction(kind, by, rescue=step)
        assert self.records.act_on_incident(self.incident_id, action, T0 + round(self.s * S)) is not None

    def called(self, *logins: str) -> list[tuple[float, str]]:
        return [(at_s, login) for at_s, login in self.firm.called() if not logins or login in logins]


@pytest.fixture
def rescue(records: Records) -> Rescue:
    return Rescue(records)


def test_the_next_levels_people_are_called_when_nobody_answers(rescue: Rescue) -> None:
    rescue.at(0)
    rescue.at(179)
    assert rescue.called("nora", "fay", "finn") == []
    rescue.at(180)
    assert rescue.called("nora", "fay", "finn") == [(180, "nora")], "of the nearest point alone, at once"
    rescue.at(240)
    assert rescue.called("nora") == [(180, "nora"), (240, "nora")], "again by the policy of her organisation"
    rescue.at(360)
    assert rescue.called("fay") == [(360, "fay")]
    assert rescue.called("finn") == []


def test_who_accepts_ends_the_calls_of_everybody(rescue: Rescue) -> None:
    for at_s in (0, 180):
        rescue.at(at_s)
    rescue.act("accept", replace(Actor.named("Nora"), organisation=NEAR.name))
    before = rescue.called()
    for at_s in (200, 300, 400, 900):
        rescue.at(at_s)
    assert rescue.called() == before


def test_who_declines_is_followed_by_the_next_level_at_once(rescue: Rescue) -> None:
    for at_s in (0, 180, 190):
        rescue.at(at_s)
    rescue.act("decline", replace(Actor.named("Nora"), organisation=NEAR.name), number=1, reason="no car")
    rescue.at(191)
    assert rescue.called("fay") == [(191, "fay")]
    rescue.at(260)
    assert rescue.called("nora") == [(180, "nora")], "nobody is called who has declined"


def test_who_took_the_incident_up_and_does_not_arrive_is_followed_by_the_professionals(rescue: Rescue) -> None:
    rescue.at(0)
    rescue.act("accept", replace(Actor.named("Ada"), organisation="Firm"))
    rescue.at(1799)
    assert rescue.called("nora", "fay") == []
    rescue.at(1800)
    assert sorted(rescue.called("nora", "fay")) == [(1800, "fay"), (1800, "nora")], "of each level without a call-out"
    rescue.at(1860)
    assert [at_s for at_s, _ in rescue.called("ada")] == [0, 1800, 1860], "who has accepted is asked again, and again"
    (late,) = {each.sentence["en"] for at_s, login, each in rescue.firm.owed() if (at_s, login) == (1860, "ada")}
    assert late == "Somebody may be inside, and nobody has arrived yet"


def test_who_can_only_be_telephoned_is_named_to_those_who_are_called(rescue: Rescue) -> None:
    rescue.points = (RescuePoint("消防救援 119 · Fire service 119", 3),)
    rescue.at(0)
    rescue.act("accept", replace(Actor.named("Ada"), organisation="Firm"))
    rescue.at(1800)
    ((_, _, told),) = [each for each in rescue.firm.owed() if each[:2] == (1800, "ada")]
    assert told.sentence["en"].endswith("nobody has arrived yet. Telephone: Fire service 119")
    assert told.sentence["zh"].endswith("请致电：消防救援 119")


def test_the_firm_of_the_lift_is_called_when_the_desk_that_acknowledged_calls_it_out(rescue: Rescue) -> None:
    desk = replace(Actor.named("Dan"), organisation="Owner")
    rescue.at(0)
    rescue.s = 5
    assert rescue.records.act_on_incident(rescue.incident_id, IncidentAction("ack", desk), T0 + 5 * S)
    rescue.at(100)
    assert rescue.called() == [(0, "ada")]
    rescue.act("call-out", desk, who="Firm", level=1)
    for at_s in (100, 130, 160):
        rescue.at(at_s)
    assert rescue.called() == [(0, "ada"), (100, "ada"), (160, "ada")]
    rescue.act("accept", replace(Actor.named("Ada"), organisation="Firm"))
    for at_s in (220, 280, 400):
        rescue.at(at_s)
    assert rescue.called("ada") == [(0, "ada"), (100, "ada"), (160, "ada")]


@pytest.mark.parametrize("who", ["North point", "north  POINT ", "Northern", "北点"])
def test_an_organisation_is_called_out_by_each_of_its_names(rescue: Rescue, who: str) -> None:
    (point,) = [each for each in rescue.records.organisations() if each.name == NEAR.name]
    rescue.records.change_organisation(point.organisation_id, {"name": "北点 · Northern"}, BY, T0)
    desk = replace(Actor.named("Dan"), organisation="Owner")
    assert rescue.records.act_on_incident(rescue.incident_id, IncidentAction("ack", desk), T0 + 5 * S)
    rescue.s = 10
    rescue.act("call-out", desk, who=who, level=2)
    rescue.at(11)
    assert rescue.called("nora") == [(11, "nora")]
    assert rescue.records.present_name(who) == "北点 · Northern"


def test_a_point_without_an_organisation_is_called_out_in_the_story_alone(records: Records) -> None:
    rescue = Rescue(records)
    rescue.records.advance_rescues(TIMES, T0 + 180 * S, points=(RescuePoint("Nobody's", 2),))
    (entry,) = [each for each in records.incident_entries_since(0) if each.kind == "called-out"]
    assert (entry.to, entry.about, entry.by) == ("Nobody's", "1", None)


def call_levels_out(ready: Callable[[], None], url: str, began_ns: int) -> None:
    """Advance the rescues and call people until the process is killed."""

    def now_ns() -> int:
        return T0 + (time.time_ns() - began_ns) * FASTER

    with Records.open(url) as records:
        caller = DutyCaller(records, now_ns)
        while True:
            records.advance_rescues(TIMES, now_ns(), points=POINTS)
            caller.call_due()
            ready()


def test_a_killed_process_calls_each_level_out_once_and_loses_no_call(url: str, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with Records.open(url, tmp_path / "keys") as records:
        rescue = Rescue(records)
        incidents = [rescue.incident_id]
        for number in range(1, INCIDENTS):
            rescue.firm.put_lift(f"l{number}", lat=30.1, lon=120.1)
            incidents.append(rescue.firm.open_incident(ENTRAPMENT, f"l{number}"))
        began_ns, kills = time.time_ns(), 0
        while kills < KILLS or {row[1] for row in story(records, incidents)} != {NEAR.name, FIRE.name}:
            with forked(call_levels_out, url, began_ns):
                time.sleep(chance.uniform(0, 0.4))  # any moment will do: what is asserted holds for all of them
            kills += 1
        called_out = Counter(story(records, incidents))
        assert set(called_out.values()) == {1}, f"one call-out entered twice, seed {SEED}"
        owed = Counter(each.key for _, _, each in rescue.firm.owed())
        assert set(owed.values()) == {1}
        rescue.s = (time.time_ns() - began_ns) * FASTER / S
        rescue.at(rescue.s)
        reached = {(each.incident_id, login) for _, login, each in rescue.firm.owed()}
        for incident_id, who in called_out:
            assert (incident_id, {NEAR.name: "nora", FIRE.name: "fay"}[who]) in reached


def story(records: Records, incidents: list[str]) -> list[tuple[str, str]]:
    """Return the incident and the helper of each call-out in the stories."""
    assert len(records.incidents(IncidentFilter()).items) == len(incidents)
    entries = records.incident_entries_since(0, 100_000)
    return [(each.incident_id, each.to or "") for each in entries if each.kind == "called-out"]
