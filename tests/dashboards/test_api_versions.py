"""Changes that name the version they were made from: a lost update is refused, and no acknowledgement is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from alerts.answers import Answer
from detectors.rule import CRITICAL
from registry.actor import Actor
from store.records.repository import Records
from tests.dashboards.sample_fleet import T0_NS, table
from tests.dashboards.test_api_alerts import Judge, act, judge  # noqa: F401

LIFT = "/api/v1/lifts/L001"


def test_of_two_changes_made_from_one_version_the_second_is_refused(client: TestClient) -> None:
    seen = client.get(LIFT).headers["etag"]
    first = client.patch(LIFT, json={"name": "First"}, headers={"If-Match": seen})
    second = client.patch(LIFT, json={"name": "Second"}, headers={"If-Match": seen})
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.headers["etag"] == first.headers["etag"] != seen
    assert second.json()["type"] == "urn:liftwatch:problem:changed-meanwhile"
    assert client.get(LIFT).json()["facts"]["name"] == "First"
    again = client.patch(LIFT, json={"name": "Second"}, headers={"If-Match": second.headers["etag"]})
    assert again.status_code == 200


def test_of_many_changes_at_once_from_one_version_exactly_one_is_applied(client: TestClient) -> None:
    seen = client.get(LIFT).headers["etag"]

    def change(number: int) -> int:
        return client.patch(LIFT, json={"name": f"No. {number}"}, headers={"If-Match": seen}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(change, range(6))) == [200, *[412] * 5]


def test_the_version_of_a_lift_follows_its_facts_and_not_its_readings(client: TestClient, records: Records) -> None:
    seen = client.get(LIFT).headers["etag"]
    records.put_live(table(6, received=[7] * 6).encode(), {}, T0_NS + 1)
    client.app.state.context.poller.poll()  # type: ignore[attr-defined]
    assert client.get(LIFT).headers["etag"] == seen
    assert client.delete(LIFT, headers={"If-Match": '"other"'}).status_code == 412
    assert client.delete(LIFT, headers={"If-Match": f'"other", {seen}'}).status_code == 204


def test_an_unregistered_lift_has_a_version_of_its_own(client: TestClient, records: Records) -> None:
    records.add_unregistered([("X1", "d0")])
    client.app.state.context.poller.poll()  # type: ignore[attr-defined]
    lift = "/api/v1/lifts/X1"
    seen = {"If-Match": client.get(lift).headers["etag"]}
    codes = [client.patch(lift, json={"name": "new"}, headers=seen).status_code for _ in range(2)]
    assert codes == [200, 412]


@pytest.mark.parametrize(
    ("if_match", "status"), [("*", 200), ('W/"x"', 412), ('"x", "y"', 412), ("x", 400), ('"x" "y"', 400), ("", 400)]
)
def test_if_match_is_read_as_the_standard_defines(client: TestClient, if_match: str, status: int) -> None:
    answer = client.patch(LIFT, json={"name": "x"}, headers={"If-Match": if_match})
    assert answer.status_code == status, answer.text


def test_an_action_on_an_alert_that_changed_meanwhile_is_refused(client: TestClient, judge: Judge) -> None:  # noqa: F811
    alert = f"/api/v1/alerts/{judge('L001', 'overspeed', by_hand=True)}"
    seen = client.get(alert).headers["etag"]
    comment = client.post(f"{alert}/comment", json={"by": "Ann", "note": "somebody is inside"})
    assert comment.headers["etag"] == client.get(alert).headers["etag"] != seen
    resolve = {"url": f"{alert}/resolve", "json": {"by": "Ben"}}
    refused = client.post(**resolve, headers={"If-Match": seen})
    assert (refused.status_code, refused.headers["etag"]) == (412, comment.headers["etag"])
    assert client.post(**resolve, headers={"If-Match": comment.headers["etag"]}).json()["state"] == "closed"


def test_every_acknowledgement_stays_in_the_story_also_the_tenth(client: TestClient, judge: Judge) -> None:  # noqa: F811
    alert_id = judge("L001", "overspeed", by_hand=True)
    names = [f"person {number}" for number in range(10)]

    def acknowledge(name: str) -> int:
        return client.post(f"/api/v1/alerts/{alert_id}/ack", json={"by": name}).status_code

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(acknowledge, names)) == [200] * 10
    assert act(client, alert_id, "ack", by="person 3").status_code == 200  # the same again
    assert act(client, alert_id, "ack", by="person 3", note="on my way").json()["acknowledged"] is True
    story = client.get(f"/api/v1/alerts/{alert_id}").json()["transitions"]
    assert story[0]["kind"] == "fired"
    assert sorted(each["by"] for each in story[1:]) == sorted([*names, "person 3"])


def test_an_acknowledgement_of_an_alert_that_another_one_closed_is_kept(records: Records) -> None:
    monitor = Judge(records)
    alert_id = monitor("L001", "emergency-stop")
    monitor("L001", "emergency-stop", kind="off", at_s=30)
    for name in ("Ann", "Ben"):
        done = records.answer(alert_id, Answer("ack", Actor.named(name)), T0_NS)
        assert done is not None
        assert done.state == "closed"
    history = records.alert(alert_id)
    assert history is not None
    assert [each.by for each in history.transitions if each.kind == "acknowledged"] == ["Ann", "Ben"]


def test_a_person_acknowledges_again_after_the_severity_rose(records: Records) -> None:
    monitor = Judge(records)
    alert_id = monitor("L001", "overspeed")
    records.answer(alert_id, Answer("ack", Actor.named("Ann")), T0_NS)
    monitor("L001", "overspeed", at_s=1, severity=CRITICAL)
    done = records.answer(alert_id, Answer("ack", Actor.named("Ann")), T0_NS)
    history = records.alert(alert_id)
    assert (done is not None and done.acknowledged, history is not None) == (True, True)
    assert history is not None
    assert [each.kind for each in history.transitions] == ["fired", "acknowledged", "raised", "acknowledged"]
