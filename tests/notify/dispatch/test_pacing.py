"""Which notifications become the next message to an address, and when a notification is given up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.notification import ACCOUNT, CHANGE, CODE, TEST
from notify.dispatch.pacing import BURST, GAP_S, REFILL_S, AddressPace, newest_of_incidents, next_message
from notify.dispatch.routing import GIVE_UP_S, is_given_up
from registry.ways import SMS
from store.records.repository import WaitingNotification
from tests.alerts.rules import T0, S
from tests.notify.notifications import notification


def waiting(number: int, kind: str = "out-of-order", holds: bool = False) -> WaitingNotification:
    made = notification(number, kind=kind, may_hold_people=holds)
    return WaitingNotification(number, made, None, {}, 0, T0, T0)


@pytest.mark.parametrize("kind", [CODE, TEST, CHANGE, ACCOUNT])
def test_a_trapped_person_goes_before_every_notice(kind: str) -> None:
    notices, stop = [waiting(1, kind), waiting(2, kind)], waiting(3)
    trapped = waiting(4, "entrapment", holds=True)
    assert next_message([*notices, stop, trapped]) == [trapped]
    assert next_message([*notices, stop]) == notices[:1]
    many = [waiting(number) for number in range(5, 9)]
    assert next_message([*notices, trapped, *many]) == [trapped, *many]


def test_calls_about_one_incident_are_one_message_of_the_newest_however_many() -> None:
    calls = [replace(waiting(1, "entrapment", holds=True), id=number, made_ns=T0 + number * S) for number in range(5)]
    calls = [replace(each, notification=replace(each.notification, is_repeat=each.id > 0)) for each in calls]
    assert next_message([waiting(2), *calls]) == calls
    (newest,) = newest_of_incidents(calls)
    assert (newest.id, newest.notification.is_repeat) == (4, False), "no earlier one was sent"
    (again,) = newest_of_incidents(calls[1:])
    assert again.notification.is_repeat
    of_two = [calls[4], replace(calls[4], id=9, notification=replace(calls[4].notification, may_hold_people=False))]
    assert newest_of_incidents(of_two)[0].id == 4


def test_a_call_is_given_up_after_an_attempt_and_a_code_by_its_age_alone() -> None:
    call, late_ns = waiting(1, "entrapment"), T0 + round(GIVE_UP_S) * S
    assert not is_given_up(call, 100 * late_ns)
    for tried in (replace(call, attempts=1), replace(call, error="HTTP 503"), replace(call, failed_ways={"w": False})):
        assert [is_given_up(tried, at_ns) for at_ns in (late_ns - 1, late_ns)] == [False, True]
    assert is_given_up(waiting(1, CODE), late_ns)


def test_a_clock_that_is_set_back_delays_an_address_by_its_pace_alone() -> None:
    pace, back_ns = AddressPace(SMS), T0 - 3600 * S
    for number in range(BURST):
        pace.note_sent(T0 + number * round(GAP_S[SMS]) * S)
    assert pace.allowed_ns(is_urgent=True, now_ns=back_ns) == back_ns + round(GAP_S[SMS] * S)
    last_ns = back_ns + (BURST - 1) * round(GAP_S[SMS]) * S
    assert back_ns < pace.allowed_ns(is_urgent=False, now_ns=back_ns) <= last_ns + round(BURST * REFILL_S * S)
