"""The form that changes facts of a lift, by real accounts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dashboards.pages.lift_facts import changed_facts, shown_facts
from registry.facts import Floor, LiftFacts
from registry.roles import OrganisationKind, Role
from registry.thresholds import THRESHOLD_FACTS
from tests.dashboards.identity.accounts import BY, Accounts, sign_in

PAGE = "/lifts/L001/facts"
LANDINGS = "3: 9\n2: 6\n1: 3\n0: 0"


def save(client: TestClient, **fields: str) -> Any:
    """Send the form of the page as it is shown, but for these fields."""
    page = client.get(PAGE).text
    inputs = re.findall(r'<input (?:type="hidden" )?name="(\w+)" value="([^"]*)"', page)
    chosen = re.findall(r'<select name="(\w+)">.*?<option value="([^"]*)" selected', page)
    landings = re.findall(r'<textarea name="(\w+)"[^>]*>([^<]*)<', page)
    return client.post(PAGE, data=dict(inputs + chosen + landings) | fields)


def stored(accounts: Accounts) -> LiftFacts:
    """Return the facts of the lift in the records."""
    known = accounts.records.lift("L001")
    assert known is not None
    return known.facts


@pytest.fixture(autouse=True)
def lift(accounts: Accounts) -> None:
    floors = tuple(Floor(str(level), 3.0 * level) for level in range(4))
    accounts.records.patch_lift("L001", {"floors": floors, "rated_speed_mps": 1.75}, BY, accounts.now_ns)


def test_a_threshold_is_changed_with_a_reason_for_good_or_for_a_time(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "boss")
    refused = save(client, rated_speed_mps="2.5")
    assert refused.status_code == 422
    assert "can hide a danger" in refused.text
    assert 'value="2.5"' in refused.text, "what was entered stays in the form"
    assert stored(accounts).rated_speed_mps == 1.75
    done = save(client, rated_speed_mps="2.5", reason="the plate says so")
    assert (done.status_code, done.headers["location"]) == (303, f"{PAGE}?did=saved")
    lower = {"floors": LANDINGS.replace("9", "9.5"), "parks_door_open": "true"}
    assert save(client, **lower, reason="a test of the doors", hours="8").status_code == 303
    assert stored(accounts).floors[-1] == Floor("3", 9.5)
    assert stored(accounts).parks_door_open
    assert accounts.records.returning_thresholds("L001") == {"floors", "parks_door_open"}
    assert "former values" in client.get(PAGE).text


def test_where_a_second_person_is_asked_for_the_change_waits(client: TestClient, accounts: Accounts) -> None:
    settings = {"settings": {"second_person": True}}
    accounts.records.change_organisation(accounts.firm.organisation_id, settings, BY, accounts.now_ns)
    sign_in(client, "boss")
    done = save(client, door_zone_m="0.3", reason="measured")
    assert done.headers["location"] == f"{PAGE}?did=waits"
    assert stored(accounts).door_zone_m == 0.2
    assert "waits for a second person" in client.get(PAGE).text


def test_of_two_changes_from_one_version_the_second_is_refused(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "boss")
    page = client.get(PAGE).text
    (revision,) = re.findall(r'name="revision" value="([^"]*)"', page)
    accounts.records.patch_lift("L001", {"emergency_phone": "+852 2345 6789"}, BY, accounts.now_ns)
    lost = save(client, name="Lift of mine", revision=revision)
    assert lost.status_code == 412
    assert "Somebody changed this meanwhile" in lost.text
    assert stored(accounts).name != "Lift of mine"


def test_who_may_not_edit_a_lift_has_no_form_and_no_link_to_it(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "mechanic")
    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get("/lifts/L001").text
    maker = accounts.records.add_organisation(
        {"name": "Maker", "kind": OrganisationKind.MAINTENANCE_FIRM}, BY, accounts.now_ns
    )
    accounts.records.patch_lift("L001", {"manufacturer": "Maker"}, BY, accounts.now_ns)
    accounts.add("maker", maker, Role.MANAGER)
    client.app.state.context.poller.poll()  # type: ignore[attr-defined]
    sign_in(client, "maker")
    assert client.get(PAGE).status_code == 403, "the lift names it as its manufacturer alone"
    page = client.get("/lifts/L001").text
    assert PAGE not in page
    assert "maintain" not in re.findall(r'data-verbs="([^"]*)"', page)[0].split()
    sign_in(client, "boss")
    assert PAGE in client.get("/lifts/L001").text


def test_the_form_has_every_threshold_and_reads_what_it_shows() -> None:
    floors = (Floor("B1", 0.0), Floor("1", 3.25), Floor("2", 6.5))
    shown = shown_facts(LiftFacts("L1", "d", floors=floors, rated_speed_mps=2.0, parks_door_open=True))
    assert set(THRESHOLD_FACTS) < set(shown)
    assert shown["floors"] == "2: 6.5\n1: 3.25\nB1: 0"
    assert changed_facts(shown, {name: text.replace("\n", "\r\n") for name, text in shown.items()}) == {}
    assert changed_facts(shown, {"floors": "2：6.6\r\nB1: 0", "name": ""}) == {"floors": "B1: 0;2:6.6"}
