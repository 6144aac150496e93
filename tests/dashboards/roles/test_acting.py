"""An account acts under its own name, and a firm does not change whose lift it is."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from registry.roles import OrganisationKind, Role
from registry.scope import NAMING_FACTS
from store.records.repository import AlertFilter, Records
from tests.dashboards.roles.documented import (
    MINE,
    THEIRS,
    Act,
)


def test_a_signed_in_account_acts_under_its_own_name_alone(client: TestClient, records: Records, act: Act) -> None:
    act(OrganisationKind.MAINTENANCE_FIRM, Role.MANAGER)
    alert_id = records.alerts(AlertFilter(lift_id=(MINE,))).items[0].id
    forged = client.post(f"/api/v1/alerts/{alert_id}/ack", json={"by": "Eve"})
    assert forged.status_code == 422
    assert forged.json()["errors"][0]["field"] == "by"
    assert client.patch(f"/api/v1/lifts/{MINE}", params={"by": "Eve"}, json={"name": "x"}).status_code == 422
    assert client.post(f"/api/v1/alerts/{alert_id}/ack", json={}).status_code == 200
    history = records.alert(alert_id)
    assert history is not None
    assert [each.by for each in history.transitions] == [None, "Ada"]


@pytest.mark.parametrize("fact", ["district", "gateway_id", *NAMING_FACTS])
def test_a_firm_does_not_change_whose_lift_it_is(client: TestClient, act: Act, fact: str) -> None:
    act(OrganisationKind.MAINTENANCE_FIRM, Role.ADMINISTRATOR)
    answer = client.patch(f"/api/v1/lifts/{MINE}", json={fact: "mine-alone"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, fact)
    assert client.patch(f"/api/v1/lifts/{MINE}", json={"name": "Lift 7"}).status_code == 200
    assert client.patch(f"/api/v1/lifts/{THEIRS}", json={"name": "Lift 7"}).status_code == 404
