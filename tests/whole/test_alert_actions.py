"""Actions on alerts through the API: each returns the alert and is published over MQTT, or is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.loopback import until
from tests.whole.installation import DISTRICT, System
from tests.whole.rule_stories import door_held_open, entrapment_off_level, idle, overspeed_up, stop_outside_zone
from tests.whole.story import Story

pytestmark = pytest.mark.broker

BY = {"by": "Li Na"}


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stuck() -> Story:
    return idle().ride(7.2).stand(25)


@pytest.fixture(scope="session")
def played(system: System) -> None:
    stories = {
        "do-ack": stuck(),
        "do-assign": stuck(),
        "do-shelve": stuck(),
        "do-holds": stuck(),
        "do-clears": stop_outside_zone(),
        "do-both": door_held_open(),
        "do-latched": overspeed_up(),
        "do-rescue": entrapment_off_level(),
        "do-again": stuck(),
    }
    system.register(*stories)
    for lift_id, story in stories.items():
        system.voice.play(lift_id, story)
    system.voice.ended(*stories)


def alert_of(system: System, lift_id: str, rule: str = "stop-outside-zone") -> dict[str, Any]:
    """Return the newest alert of a rule as the API has it."""
    found = system.get("/api/v1/alerts", lift_id=lift_id, rule=rule)["items"]
    assert found
    return dict(found[0])


def do(system: System, alert: dict[str, Any], deed: str, status: int = 200, **body: Any) -> dict[str, Any]:
    return dict(system.post(f"/api/v1/alerts/{alert['id']}/{deed}", body, status))


def published(system: System, alert: dict[str, Any], **fields: Any) -> None:
    """Wait until the last transition of the alert on MQTT has these fields."""

    def last() -> dict[str, Any]:
        return [each for each in system.voice.of(alert["lift_id"], alert["rule"]) if each["id"] == alert["id"]][-1]

    until(lambda: fields.items() <= last().items(), f"{fields} over MQTT")


def kinds(system: System, alert: dict[str, Any]) -> list[str]:
    return [each["kind"] for each in system.get(f"/api/v1/alerts/{alert['id']}")["transitions"]]


def test_acknowledging_twice_makes_one_transition(system: System, played: None) -> None:
    alert = alert_of(system, "do-ack")
    assert alert["acknowledged"] is False
    done = do(system, alert, "ack", **BY, note="on my way")
    assert done == {**alert, "acknowledged": True}
    assert do(system, alert, "ack", **BY, note="on my way") == done
    published(system, alert, acknowledged=True)
    assert kinds(system, alert).count("acknowledged") == 1
    assert alert_of(system, "do-ack") == done


def test_an_alert_is_assigned_and_assigned_again(system: System, played: None) -> None:
    alert = alert_of(system, "do-assign")
    assert do(system, alert, "assign", **BY, to="Wang")["assigned_to"] == "Wang"
    assert do(system, alert, "assign", **BY, to="Wang")["assigned_to"] == "Wang"
    assert kinds(system, alert).count("assigned") == 1
    assert do(system, alert, "assign", **BY, to="Zhao")["assigned_to"] == "Zhao"
    published(system, alert, assigned_to="Zhao")


def test_each_comment_is_kept(system: System, played: None) -> None:
    alert = alert_of(system, "do-assign")
    for _ in range(2):
        do(system, alert, "comment", **BY, note="belt ordered")
    comments = system.get(f"/api/v1/alerts/{alert['id']}")["comments"]
    assert [(each["by"], each["note"]) for each in comments] == [("Li Na", "belt ordered")] * 2


def test_resolving_is_refused_while_the_condition_holds(system: System, played: None) -> None:
    alert = alert_of(system, "do-holds")
    problem = do(system, alert, "resolve", 409, **BY)
    assert problem["status"] == 409
    assert {"type", "title", "detail"} <= problem.keys()
    assert alert_of(system, "do-holds") == alert


def test_a_cleared_alert_is_resolved_by_a_person(system: System, played: None) -> None:
    alert = alert_of(system, "do-clears")
    assert alert["state"] == "cleared"
    done = do(system, alert, "resolve", **BY, note="reset")
    assert done["state"] == "closed"
    assert do(system, alert, "resolve", **BY, note="reset") == done
    published(system, alert, state="closed")
    do(system, alert, "comment", **BY, note="seen again")


def test_a_cleared_alert_closes_when_it_is_acknowledged(system: System, played: None) -> None:
    alert = alert_of(system, "do-both", "door-held-open")
    assert alert["state"] == "cleared"
    assert do(system, alert, "ack", **BY)["state"] == "closed"


def test_an_acknowledged_alert_closes_when_it_clears(system: System, played: None) -> None:
    alert = alert_of(system, "do-again")
    do(system, alert, "ack", **BY)
    after = stuck()
    begin = len(after.v)
    after.ride(9.0).stand(12)
    for second in range(begin // 10 + 8, len(after.v) // 10):
        cut = slice(10 * second, 10 * second + 10)
        streams = {"speed": {"dt": 100, "v": after.v[cut]}, "displacement": {"dt": 100, "z": after.z[cut]}}
        system.voice.send("do-again", "bundle", {"seq": 500 + second, "boot": "1", "t": at(second), **streams})
    published(system, alert, state="closed")
    assert alert_of(system, "do-again")["cleared"] is not None


def at(second: int) -> int:
    return 1_514_764_800_000 + 1000 * second


def test_a_rule_that_clears_by_hand_fires_until_it_is_resolved(system: System, played: None) -> None:
    alert = alert_of(system, "do-latched", "overspeed-up")
    assert alert["state"] == "firing"
    done = do(system, alert, "resolve", **BY)
    assert done["state"] == "closed"
    published(system, alert, state="closed")
    second = 300

    def fires_anew() -> bool:
        nonlocal second
        streams = {"speed": {"dt": 100, "v": [2.3] * 10}}
        system.voice.send("do-latched", "bundle", {"seq": 500 + second, "boot": "1", "t": at(second), **streams})
        second += 1
        return alert_of(system, "do-latched", "overspeed-up")["id"] != alert["id"]

    until(fires_anew, "a new alert")
    assert alert_of(system, "do-latched", "overspeed-up")["count"] == 1
    assert alert_of(system, "do-latched", "overspeed-up")["state"] == "firing"


def test_shelving_lasts_eight_hours_at_most(system: System, played: None) -> None:
    alert = alert_of(system, "do-shelve")
    for hours in (8.2, -0.1):
        problem = do(system, alert, "shelve", 422, **BY, until=in_hours(hours))
        assert problem["errors"][0]["field"] == "until"
    until_ = in_hours(7.9)
    done = do(system, alert, "shelve", **BY, until=until_, note="works in the shaft")
    assert (done["shelved_until"], done["inhibited_by"]) == (until_, "shelved")
    assert do(system, alert, "shelve", **BY, until=until_, note="works in the shaft") == done
    assert kinds(system, alert).count("shelved") == 1
    published(system, alert, shelved_until=until_, inhibited_by="shelved")
    short = do(system, alert, "shelve", **BY, until=(soon := in_hours(0.0008)))
    assert short["shelved_until"] == soon
    published(system, alert, shelved_until=None, inhibited_by=None)
    assert alert_of(system, "do-shelve")["state"] == "firing"


def test_a_critical_alert_is_never_shelved(system: System, played: None) -> None:
    alert = alert_of(system, "do-rescue", "entrapment-off-level")
    assert alert["severity"] == "critical"
    assert do(system, alert, "shelve", 409, **BY, until=in_hours(1))["status"] == 409
    assert alert_of(system, "do-rescue", "entrapment-off-level")["shelved_until"] is None


@pytest.mark.parametrize(
    ("deed", "body"),
    [
        ("ack", {}),
        ("comment", {**BY}),
        ("resolve", {"by": ""}),
        ("assign", {**BY}),
        ("shelve", {**BY}),
        ("shelve", {**BY, "until": "tomorrow"}),
        ("ack", {"by": 3}),
    ],
)
def test_an_incomplete_action_is_a_problem_that_names_the_field(
    system: System, played: None, deed: str, body: dict[str, Any]
) -> None:
    alert = alert_of(system, "do-holds")
    answer = system.http.post(f"/api/v1/alerts/{alert['id']}/{deed}", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["errors"][0]["field"] in ("by", "note", "to", "until")
    assert kinds(system, alert) == ["fired"]


def test_the_transitions_of_an_alert_are_in_order(system: System, played: None) -> None:
    alert = alert_of(system, "do-clears")
    story = system.get(f"/api/v1/alerts/{alert['id']}")
    assert {key: story[key] for key in alert} == alert
    assert [each["kind"] for each in story["transitions"]][:2] == ["fired", "cleared"]
    times = [each["at"] for each in story["transitions"]]
    assert times == sorted(times)
    assert story["transitions"][0]["by"] is None


def test_every_action_on_an_unknown_alert_is_not_found(system: System) -> None:
    for deed in ("ack", "assign", "comment", "resolve", "shelve"):
        body = {**BY, "note": "x"} | ({"to": "x"} if deed == "assign" else {})
        body = {**BY, "until": in_hours(1)} if deed == "shelve" else body
        body = {"by": "x", "to": "x"} if deed == "assign" else body
        assert system.post(f"/api/v1/alerts/none/{deed}", body, 404)["status"] == 404


def test_alerts_are_filtered_and_paged_newest_onset_first(system: System, played: None) -> None:
    def stable(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [alert for alert in items if alert["rule"] != "offline"]  # lifts fall silent while this runs

    def listed(**asked: str) -> list[dict[str, Any]]:
        return stable(system.get("/api/v1/alerts", limit=1000, **asked)["items"])

    whole = listed()
    onsets = [alert["onset"] for alert in whole]
    assert onsets == sorted(onsets, reverse=True)
    paged: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = system.get("/api/v1/alerts", limit=4, **cursor)
        paged += stable(page["items"])
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert [alert["id"] for alert in paged] == [alert["id"] for alert in whole]
    for key, value in (("state", "firing"), ("severity", "critical"), ("rule", "overspeed-up"), ("district", DISTRICT)):
        found = listed(**{key: value})
        assert found == [alert for alert in whole if alert[key] == value]
    middle = onsets[len(onsets) // 2]
    later = listed(**{"from": middle})
    assert [alert["id"] for alert in later] == [alert["id"] for alert in whole if alert["onset"] >= middle]
    earlier = listed(to=middle)
    assert len(earlier) + len(later) == len(whole)


def test_alerts_over_mqtt_equal_the_alerts_of_the_api(system: System, played: None) -> None:
    alert = alert_of(system, "do-holds")
    assert system.voice.of("do-holds", "stop-outside-zone")[-1] == alert
