"""Any story of findings, calls and answers makes the incidents that a plain retelling of the contract makes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import CLOSED, FIRING
from alerts.answers import Refused
from alerts.incidents.incident import REASONS, Incident
from alerts.incidents.kinds import PEOPLE_INSIDE, more_severe
from tests.alerts.incidents.desk import BUTTON, ENTRAPMENT, IncidentDesk
from tests.alerts.incidents.incident_oracle import PlainIncidents
from tests.alerts.rules import DOOR, LIFT, OVERTRAVEL, POWER, STOP

RULES = st.sampled_from([DOOR, STOP, OVERTRAVEL, ENTRAPMENT, BUTTON])
STEPS = st.sampled_from([1.0, 9.0, 11.0, 30.0, 61.0, 90_000.0])
PEOPLE = st.one_of(
    st.tuples(st.just("ack"), st.none()),
    st.tuples(st.just("assign"), st.sampled_from([None, "ann", "bob"])),
    st.tuples(st.just("stage"), st.sampled_from(["confirmed", "dispatched", "on-site", "released"])),
    st.tuples(st.just("close"), st.sampled_from([None, *REASONS])),
    st.tuples(st.just("reopen"), st.none()),
)
FINDINGS = st.tuples(st.just("find"), RULES, st.sampled_from(["on", "off"]), st.integers(0, 1))
ANSWERS = st.tuples(st.just("answer"), RULES, st.sampled_from(["ack", "resolve"]), st.just(0))
CALLS = st.tuples(st.just("call"), st.sampled_from(["entrapment", "unsafe", "out-of-order", "nuisance"]))
STORIES = st.lists(
    st.tuples(
        STEPS, st.one_of(FINDINGS, FINDINGS, ANSWERS, CALLS, st.tuples(st.just("person"), st.integers(), PEOPLE))
    ),
    max_size=30,
)
Story = list[tuple[float, tuple[Any, ...]]]


def outside(incident: Incident) -> tuple[object, ...]:
    """Return what people see of an incident, as the plain loop returns it."""
    return (
        incident.kind, incident.severity, incident.unclosed, set(incident.stages), incident.acknowledged_by,
        incident.may_hold_people, incident.by_hand, incident.closed_by, incident.reason, incident.owner,
    )  # fmt: skip


class Both:
    """A desk and the plain loop with the same story."""

    def __init__(self) -> None:
        self.desk, self.plain = IncidentDesk(), PlainIncidents()
        self.passed = 0

    def apply(self, at_s: float, event: tuple[Any, ...]) -> None:
        self.desk.settle(at_s)
        self.catch_up()
        what, *values = event
        if what == "find":
            found, kind, level = values
            self.desk.find(found, kind, at_s, found.levels[level % len(found.levels)].severity)
        elif what == "answer":
            self._answer(at_s, *values)
        elif what == "call":
            self.plain.call(values[0], round(at_s * 1e9))
            self.desk.call(values[0], at_s)
        elif self.plain.incidents:
            self._person(at_s, values[0] % len(self.plain.incidents), *values[1])
        self.catch_up()

    def catch_up(self) -> None:
        for change in self.desk.alerts.changes[self.passed :]:
            self.plain.alert(change)
        self.passed = len(self.desk.alerts.changes)

    def _answer(self, at_s: float, what: Any, kind: str, _: int) -> None:
        if what.slug in self.desk.alerts.newest[LIFT]:
            try:
                self.desk.answer(what, kind, at_s)
            except Refused:
                pass

    def _person(self, at_s: float, place: int, kind: str, value: str | None) -> None:
        name = list(self.desk.incidents)[place]
        holding = any(one.state == FIRING and not one.by_hand for one in self.desk.alerts_of(name))
        now_ns = 978_307_200 * 10**9 + round(at_s * 1e9)
        expected = self.plain.person(place, kind, value, now_ns, holding)
        more = {"assign": {"to": value}, "stage": {"stage": value}, "close": {"reason": value, "note": "so"}}
        try:
            self.desk.act(name, kind, at_s, **more.get(kind, {}))
            done = None
        except Refused:
            done = "refused"
        assert done == expected, (kind, value)


def play(story: Story) -> Both:
    both, at_s = Both(), 0.0
    for step_s, event in story:
        at_s += step_s
        both.apply(at_s, event)
        assert [outside(one) for one in both.desk.incidents.values()] == [one.outside() for one in both.plain.incidents]
    return both


@given(STORIES)
def test_the_table_agrees_with_the_plain_retelling(story: Story) -> None:
    play(story)


@given(STORIES)
def test_every_alert_that_fires_is_in_an_open_incident_or_in_one_that_a_person_just_closed(story: Story) -> None:
    desk = play(story).desk
    for alert in desk.firing():
        incident = desk.incidents[desk.member_of[alert.id]]
        assert incident.is_open or incident.closed_by is not None
    assert sum(incident.folds(LIFT) for incident in desk.incidents.values()) <= 1


JOINS = st.lists(
    st.tuples(
        STEPS,
        st.one_of(
            st.tuples(
                st.just("find"), st.sampled_from([DOOR, STOP, POWER, ENTRAPMENT]), st.sampled_from(["on", "off"])
            ),
            st.tuples(
                st.sampled_from(["merge", "split", "leave", "link", "close", "reopen", "ack"]),
                st.integers(),
                st.integers(),
            ),
            st.tuples(st.just("call"), st.sampled_from(["entrapment", "out-of-order"]), st.just(0)),
        ),
        st.sampled_from("abx"),
    ),
    max_size=30,
)


@given(JOINS)
def test_merging_and_splitting_keep_every_alert_in_one_incident_and_the_counts_right(
    story: list[tuple[float, tuple[Any, ...], str]],
) -> None:
    desk, at_s = IncidentDesk({"a": "here", "b": "here", "x": "there"}), 0.0
    for step_s, (what, one, other), lift_id in story:
        at_s += step_s
        desk.settle(at_s)
        inside = holding(desk)
        try:
            join(desk, at_s, what, one, other, lift_id)
        except Refused:
            continue
        check(desk)
        if what in ("merge", "split", "leave"):
            assert holding(desk) == inside, "nobody is released"


def join(desk: IncidentDesk, at_s: float, what: str, one: Any, other: Any, lift_id: str) -> None:
    names = list(desk.incidents)
    if what == "find":
        desk.find(one, other, at_s, lift_id=lift_id)
    elif not names:
        return
    elif what in ("merge", "link"):
        getattr(desk, what)(names[one % len(names)], names[other % len(names)], at_s)
    elif what == "split":
        alerts = sorted(alert.id for alert in desk.alerts_of(names[one % len(names)]))
        desk.split(names[one % len(names)], set(alerts[: other % (len(alerts) + 1)]), at_s)
    elif what == "leave":
        desk.split(names[one % len(names)], set(), at_s, [lift_id])
    elif what == "call":
        desk.call(one, at_s, lift_id)
    else:
        desk.act(names[one % len(names)], what, at_s, **({"reason": "test"} if what == "close" else {}))


def holding(desk: IncidentDesk) -> set[str]:
    """Return the lifts that hold people in an open incident."""
    opened = [one for one in desk.incidents.values() if one.is_open]
    return {lift.lift_id for one in opened for lift in one.lifts if lift.holds_people}


def check(desk: IncidentDesk) -> None:
    assert set(desk.member_of) == set(desk.every_alert)
    for lift_id in "abx":
        assert sum(incident.folds(lift_id) for incident in desk.incidents.values()) <= 1
    for name, incident in desk.incidents.items():
        alerts = desk.alerts_of(name)
        assert incident.unclosed == sum(alert.state != CLOSED for alert in alerts)
        if incident.is_open and incident.may_hold_people:
            assert incident.kind in PEOPLE_INSIDE
            assert incident.rescue is not None
        assert {alert.lift_id for alert in alerts if alert.state != CLOSED} <= {lift.lift_id for lift in incident.lifts}
        for alert in alerts:
            assert more_severe(incident.severity, alert.severity) == incident.severity
