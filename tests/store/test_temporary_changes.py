"""What returns at the end of a temporary change of thresholds, and when the change ends before its time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from registry.actor import Actor
from registry.lift_facts import LiftFacts
from registry.roles import Role
from store.records.repository import Records, WantedChange
from tests.alerts.rules import T0, S
from tests.store.test_change_notices import ADA, BY, informed, told

END_NS = T0 + 3600 * S
FIRST = LiftFacts("L1", "north", maintenance_firm="Firm", rated_speed_mps=1.75, door_zone_m=0.2)


@pytest.fixture(name="lift")
def changed_until(records: Records) -> Records:
    """Give a lift another speed until `END_NS`."""
    records.put_lift(FIRST, BY, T0)
    faster = {"rated_speed_mps": 2.5}
    wanted = WantedChange("L1", "north", "facts", {**faster, "until_ns": END_NS}, None, "trial")
    records.request_change(
        wanted, ADA, T0, lambda asked: records.patch_lift_until(asked.id, "L1", faster, ADA, T0, END_NS)
    )
    return records


def set_for_good(records: Records, facts: Mapping[str, Any]) -> None:
    """Change thresholds of the lift by a request without an end."""
    wanted = WantedChange("L1", "north", "facts", facts, None, "the plate")
    records.request_change(wanted, ADA, T0 + S, lambda _: records.patch_lift("L1", facts, ADA, T0 + S))


def state(records: Records) -> str:
    """Return the state of the temporary change."""
    return records.change_requests(T0 + S).items[-1].state


def speed(records: Records) -> float | None:
    """Return the speed of the registered lift."""
    found = records.lift("L1")
    assert found is not None
    assert found.registered
    return found.facts.rated_speed_mps


@pytest.mark.parametrize("speeds", [(3.0, 2.5), (2.5,)])
def test_a_threshold_that_is_set_for_good_to_the_temporary_value_stays(
    lift: Records, speeds: tuple[float, ...]
) -> None:
    for each in speeds:
        set_for_good(lift, {"rated_speed_mps": each})
    assert state(lift) == "ended"
    lift.end_temporary_changes(END_NS)
    assert speed(lift) == 2.5


def test_a_change_of_another_threshold_leaves_the_end_as_it_is(lift: Records) -> None:
    set_for_good(lift, {"door_zone_m": 0.3})
    assert state(lift) == "applied"
    lift.end_temporary_changes(END_NS)
    assert speed(lift) == 1.75


def test_an_import_that_goes_there_and_back_sets_for_good_too(lift: Records) -> None:
    for each in (3.0, 2.5):
        lift.put_lifts([LiftFacts("L1", "north", rated_speed_mps=each)], BY, T0 + S)
    lift.end_temporary_changes(END_NS)
    assert speed(lift) == 2.5


def test_a_lift_that_is_deleted_and_heard_again_stays_unregistered(lift: Records) -> None:
    lift.delete_lift("L1", BY, T0 + S)
    assert state(lift) == "ended"
    lift.add_unregistered([("L1", "north")])
    assert lift.end_temporary_changes(END_NS) == 0
    found = lift.lift("L1")
    assert found is not None
    assert not found.registered


def test_a_lift_that_is_registered_anew_keeps_its_value(lift: Records) -> None:
    lift.delete_lift("L1", BY, T0 + S)
    lift.put_lift(LiftFacts("L1", "north", maintenance_firm="Rival", rated_speed_mps=2.5), BY, T0 + 2 * S)
    lift.end_temporary_changes(END_NS)
    assert speed(lift) == 2.5


def test_the_authorities_of_the_former_and_of_the_present_district_read_what_returned(lift: Records) -> None:
    old, new = informed(lift, "ann", "north", Role.INSPECTOR), informed(lift, "bob", "south", Role.INSPECTOR)
    told(lift, T0 + S)
    lift.patch_lift("L1", {"district": "south"}, Actor.named("desk"), T0 + S)
    lift.end_temporary_changes(END_NS)
    state_en = "ended (former values restored: rated speed)"
    sentence = f"A change that can hide a danger is {state_en}: thresholds, by Ada (Firm): trial"
    assert sorted(told(lift, END_NS)) == sorted([(old, sentence), (new, sentence)])


def test_the_notice_says_where_nothing_returned(lift: Records) -> None:
    informed(lift, "ann", "north", Role.INSPECTOR)
    lift.claim_notifications(T0 + S, S, 100)
    lift.delete_lift("L1", BY, T0 + S)
    claimed = [each.notification for each in lift.claim_notifications(T0 + S, S, 100)]
    assert [(each.sentence["en"], each.sentence["zh"]) for each in claimed if ":ended:" in each.key] == [
        (
            "A change that can hide a danger is ended (no former value was restored): thresholds, by Ada (Firm): trial",
            "可能掩盖危险的更改已结束（未恢复任何原值）：修改阈值，Ada (Firm)：trial",
        )
    ]
