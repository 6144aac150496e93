"""Every path of the contract's section 4: response, order and errors, and the live stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.loopback import until
from tests.whole.installation import DISTRICT, System, wall_ms
from tests.whole.rule_stories import emergency_stop, idle
from tests.whole.story import FLOORS, SINGLES, Story
from tests.whole.test_messages import text
from tests.whole.test_rules import holds_the_contract

pytestmark = pytest.mark.broker

ITEM = {
    "lift_id",
    "district",
    "name",
    "registered",
    "state",
    "last_seen",
    "position_m",
    "floor",
    "direction",
    "speed_mps",
    "door",
    "presence",
    "mode",
    "power",
    "open_alerts",
    "health",
}
URGENCY = (
    "critical", "never-seen", "blind", "offline", "suspect", "major", "minor", "trend", "inspection", "out-of-service",
)  # fmt: skip
STATES = (*URGENCY, "normal")
FACTS = {
    "lift_id": "h-facts",
    "district": "huzhou",
    "name": "North tower 1",
    "address": "1 Lake Road",
    "lat": 30.9,
    "lon": 120.1,
    "timezone": "Asia/Shanghai",
    "building_type": "residential",
    "manufacturer": "Maker",
    "model": "M1",
    "installed_on": "2015-05-01",
    "rated_speed_mps": 1.75,
    "rated_load_kg": 1000,
    "floors": FLOORS,
    "door_type": "centre",
    "door_width_mm": 900,
    "roping": "2:1",
    "sheave_diameter_m": 0.4,
    "owner": "Estate",
    "maintenance_firm": "Swift Lifts",
    "gateway_id": "h-gateway",
    "insurer": "Insurer",
    "insured_until": "2027-01-01",
    "last_inspection_on": "2025-05-01",
    "next_inspection_due_on": "2026-05-01",
    "emergency_phone": "+86 572 96333",
    "door_zone_m": 0.25,
    "parks_door_open": True,
    "position_source": "laser",
    "speed_source": "encoder",
    "bearing_balls": 8,
    "bearing_ratio": 0.2,
    "bearing_contact_deg": 15.0,
}


def played_now(system: System, lift_id: str, story: Story) -> int:
    """Publish a story that ended a moment ago, and return when it began (ms)."""
    begin_ms = (wall_ms() - round(1000 * story.now_s) - 20_000) // 1000 * 1000
    for stream, payload in story.messages("bundles"):
        moved = payload | {"t": payload["t"] - 1_514_764_800_000 + begin_ms}
        system.voice.publish(f"lift/v1/{DISTRICT}/{lift_id}/{stream}", moved)
    system.voice.send(lift_id, "bundle", {"seq": 5000, "boot": "1", "t": begin_ms + round(1000 * story.now_s) + 2000})
    return begin_ms


@pytest.fixture(scope="session")
def riding(system: System) -> int:
    """A lift that rode from 0 to 12 m and back to 3 m, with a gap between, and when that began."""
    system.register("h-ride", name="Ride")
    story = idle().person(True).ride(12.0).stand(0.5).opens().closes().stand(3).wait(30).stand(5)
    story = story.ride(3.0).stand(1).opens(8)
    begin_ms = played_now(system, "h-ride", story)
    until(lambda: system.get("/api/v1/lifts/h-ride")["latest"]["door"] == "open", "the ride")
    return begin_ms


def span(begin_ms: float, s: float) -> dict[str, str]:
    return {"from": text(begin_ms), "to": text(begin_ms + 1000 * s)}


def test_the_registry_returns_every_fact_as_written(system: System) -> None:
    answer = system.http.post("/api/v1/lifts", json=FACTS)
    assert answer.status_code == 201
    found = system.get("/api/v1/lifts/h-facts")
    assert found["facts"] == FACTS
    assert (found["registered"], found["state"], found["not_judged"]) == (True, "never-seen", [])
    assert system.http.post("/api/v1/lifts", json=FACTS).status_code == 409
    patched = system.http.patch("/api/v1/lifts/h-facts", json={"name": "North 2", "rated_speed_mps": None})
    assert patched.status_code == 200
    facts = system.get("/api/v1/lifts/h-facts")["facts"]
    assert facts == FACTS | {"name": "North 2", "rated_speed_mps": None}
    assert {"F08", "F09"} <= {each["code"] for each in system.get("/api/v1/lifts/h-facts")["not_judged"]}
    assert system.http.delete("/api/v1/lifts/h-facts").status_code == 204
    assert system.http.get("/api/v1/lifts/h-facts").status_code == 404
    assert system.http.delete("/api/v1/lifts/h-facts").status_code == 404


def test_facts_have_the_contract_s_defaults(system: System) -> None:
    system.post("/api/v1/lifts", {"lift_id": "h-plain", "district": DISTRICT}, 201)
    facts = system.get("/api/v1/lifts/h-plain")["facts"]
    assert (facts["door_zone_m"], facts["parks_door_open"], facts["floors"]) == (0.2, False, [])
    assert facts["position_source"] == "absolute"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lift_id", "no space"),
        ("district", "ANJI"),
        ("rated_speed_mps", "fast"),
        ("floors", [{"label": "0", "height_m": 3}, {"label": "1", "height_m": 1}]),
        ("timezone", "Mars/Olympus"),
        ("door_type", "round"),
        ("raited_speed_mps", 1),
    ],
)
def test_an_invalid_fact_is_refused_by_name(system: System, field: str, value: Any) -> None:
    body = {"lift_id": "h-wrong", "district": DISTRICT} | {field: value}
    problem = system.post("/api/v1/lifts", body, 422)
    assert any(each["field"].startswith(field) for each in problem["errors"])
    assert system.http.get("/api/v1/lifts/h-wrong").status_code == 404


def test_an_import_of_csv_takes_valid_rows_and_reports_the_errors_of_the_others(system: System) -> None:
    rows = "lift_id,district,rated_speed_mps,floors\nh-csv-1,anji,1.75,G:0;1:4.5\nh-csv-2,anji,fast,G:0\n,anji,1,G:0\n"
    answer = system.http.post("/api/v1/lifts/import", content=rows, headers={"content-type": "text/csv"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["taken"] == ["h-csv-1"]
    assert [row["row"] for row in body["refused"]] == [3, 4]
    assert body["refused"][0]["errors"][0]["field"] == "rated_speed_mps"
    floors = system.get("/api/v1/lifts/h-csv-1")["facts"]["floors"]
    assert floors == [{"label": "G", "height_m": 0}, {"label": "1", "height_m": 4.5}]


def test_a_lift_in_a_list_has_the_contract_s_fields(system: System, riding: int) -> None:
    (item,) = system.get("/api/v1/lifts", q="h-ride")["items"]
    assert item.keys() >= ITEM
    shown = {key: item[key] for key in ITEM - {"last_seen"}}
    assert shown == {
        "lift_id": "h-ride",
        "district": DISTRICT,
        "name": "Ride",
        "registered": True,
        "state": "normal",
        "position_m": 3.0,
        "floor": "1",
        "direction": shown["direction"],
        "speed_mps": 0.0,
        "door": "open",
        "presence": True,
        "mode": None,
        "power": None,
        "open_alerts": {"critical": 0, "major": 0, "minor": 0, "trend": 0},
        "health": shown["health"],
    }
    assert shown["health"] in (None, 100)  # reckoned some seconds after the first message
    seen_ms = datetime.fromisoformat(item["last_seen"]).timestamp() * 1000
    assert abs(seen_ms - wall_ms()) < 120_000
    assert system.get("/api/v1/lifts/h-ride")["latest"] == item


def test_lifts_are_most_urgent_first_filtered_and_paged(system: System, riding: int) -> None:
    whole: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = system.get("/api/v1/lifts", limit=3, district=DISTRICT, **cursor)
        assert len(page["items"]) <= 3
        whole += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    ids = [item["lift_id"] for item in whole]
    assert len(set(ids)) == len(ids)
    ranks = [STATES.index(item["state"]) for item in whole]
    assert ranks == sorted(ranks)
    found = system.get("/api/v1/lifts", state="never-seen", limit=1000)["items"]
    assert {item["state"] for item in found} == {"never-seen"}
    names = [item["lift_id"] for item in system.get("/api/v1/lifts", sort="lift_id", limit=1000)["items"]]
    assert names == sorted(names)
    assert system.get("/api/v1/lifts", firm="nobody")["items"] == []


def test_a_series_keeps_every_spike_and_shows_a_gap_as_null(system: System, riding: int) -> None:
    window = span(riding, 90)
    until(
        lambda: any(system.get("/api/v1/lifts/h-ride/series", stream="speed", points=9, **window)["v"]["max"]),
        "the speed",
    )
    found = system.get("/api/v1/lifts/h-ride/series", stream="speed", points=90, **window)
    assert list(found)[:6] == ["stream", "from", "to", "bucket_s", "t", "v"]
    assert (found["stream"], found["from"], found["to"]) == ("speed", window["from"], window["to"])
    assert found["bucket_s"] >= 1.0
    assert list(found["v"]) == ["min", "max", "mean"]
    assert len({len(found["t"]), *(len(found["v"][each]) for each in found["v"])}) == 1
    assert len(found["t"]) <= 90
    assert max(most for most in found["v"]["max"] if most is not None) == 1.75
    assert min(least for least in found["v"]["min"] if least is not None) == -1.75
    assert None in found["v"]["mean"]
    assert {
        least is None for least, mean in zip(found["v"]["min"], found["v"]["mean"], strict=True) if mean is None
    } == {True}
    coarse = system.get("/api/v1/lifts/h-ride/series", stream="displacement", points=5, **window)
    assert len(coarse["t"]) <= 5
    assert max(most for most in coarse["z"]["max"] if most is not None) == 12.0


def test_an_event_stream_is_returned_unreduced(system: System, riding: int) -> None:
    door = system.get("/api/v1/lifts/h-ride/series", stream="door", **span(riding, 90))
    states = ["closed", "opening", "open", "closing", "closed", "opening", "open"]
    assert door["state"] == states
    assert door["at"] == sorted(door["at"])
    assert len(door["at"]) == len(states)


def test_trips_are_listed_as_judging_cut_them(system: System, riding: int) -> None:
    def are_stored() -> bool:
        return len(system.get("/api/v1/lifts/h-ride/trips", **span(riding, 90))["items"]) == 2

    until(are_stored, "the second trip", 40.0)
    trips = system.get("/api/v1/lifts/h-ride/trips", **span(riding, 90))
    assert [(trip["from_floor"], trip["to_floor"]) for trip in trips["items"]] == [("4", "1"), ("0", "4")]
    assert [trip["distance_m"] for trip in trips["items"]] == [pytest.approx(-9, abs=0.1), pytest.approx(12, abs=0.1)]
    assert [trip["peak_speed_mps"] for trip in trips["items"]] == [1.75, 1.75]
    assert trips["items"][1]["start"] < trips["items"][1]["stop"] < trips["items"][0]["start"]
    assert trips["next"] is None
    first = system.get("/api/v1/lifts/h-ride/trips", limit=1, **span(riding, 90))
    second = system.get("/api/v1/lifts/h-ride/trips", limit=1, cursor=first["next"], **span(riding, 90))
    assert first["items"] + second["items"] == trips["items"]


def test_the_fleet_is_counted(system: System, riding: int) -> None:
    fleet = system.get("/api/v1/fleet")
    assert sum(fleet["states"].values()) == fleet["lifts"]
    assert set(fleet["states"]) == set(STATES)
    assert set(fleet["severities"]) == {"critical", "major", "minor", "trend"}
    assert sum(each["lifts"] for each in fleet["districts"].values()) == fleet["lifts"]
    assert "health" in fleet
    assert "completeness" in fleet
    assert system.get("/api/v1/fleet", district=DISTRICT)["lifts"] == fleet["districts"][DISTRICT]["lifts"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/lifts/none", 404),
        ("/api/v1/lifts/none/series?stream=speed", 404),
        ("/api/v1/lifts/h-ride/series?stream=colour", 422),
        ("/api/v1/lifts/h-ride/series?stream=speed&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 422),
        ("/api/v1/lifts/h-ride/series?stream=speed&points=0", 422),
        ("/api/v1/lifts?limit=0", 422),
        ("/api/v1/lifts?cursor=nonsense", 400),
        ("/api/v1/lifts?state=happy", 422),
        ("/api/v1/alerts?from=yesterday", 422),
        ("/api/v1/alerts?cursor=nonsense", 400),
        ("/api/v1/alerts?severity=huge", 422),
        ("/api/v1/alerts/none", 404),
        ("/api/v1/nothing", 404),
    ],
)
def test_an_error_is_a_problem_document(system: System, riding: int, path: str, status: int) -> None:
    answer = system.http.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"]
    assert problem["title"]
    assert problem["detail"]


def test_every_path_of_the_contract_is_in_the_openapi_document(system: System) -> None:
    described = system.get("/api/openapi.json")["paths"]
    lift, alert = "/api/v1/lifts/{lift_id}", "/api/v1/alerts/{alert_id}"
    expected = {
        "/api/v1/lifts": {"get", "post"},
        "/api/v1/lifts/import": {"post"},
        lift: {"get", "patch", "delete"},
        f"{lift}/series": {"get"},
        f"{lift}/trips": {"get"},
        f"{lift}/behaviour": {"get"},
        "/api/v1/alerts": {"get"},
        alert: {"get"},
        **{f"{alert}/{deed}": {"post"} for deed in ("ack", "assign", "comment", "resolve", "shelve", "unshelve")},
        "/api/v1/fleet": {"get"},
        "/api/v1/dead-letters": {"get"},
        "/api/v1/live": {"get"},
    }
    assert {path: set(described[path]) >= methods for path, methods in expected.items()} == dict.fromkeys(
        expected, True
    )


def test_the_probes_report_the_state_of_the_server(system: System) -> None:
    assert system.http.get("/healthz").status_code == 200
    assert system.http.get("/readyz").status_code == 200
    metrics = system.http.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "# TYPE liftwatch_lifts gauge" in metrics.text


def test_pages_are_served_at_the_root_and_at_the_public_path(system: System, riding: int) -> None:
    for path in ("/", "/code/h-ride"):
        answer = system.http.get(path, follow_redirects=True)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
    assert "h-ride" in system.http.get("/code/h-ride").text
    assert system.http.get("/code/none").status_code == 404


class Listener:
    """A live stream, read event by event."""

    def __init__(self, system: System, last: str | None = None, **query: str) -> None:
        headers = {"last-event-id": last} if last else {}
        self._client = httpx.Client(base_url=system.http.base_url, trust_env=False, timeout=60)
        request = self._client.build_request("GET", "/api/v1/live", params=query, headers=headers)
        self._answer = self._client.send(request, stream=True)
        assert self._answer.headers["content-type"].startswith("text/event-stream")
        self.events = self._events()

    def _events(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        event: dict[str, str] = {}
        for line in self._answer.iter_lines():
            name, _, value = line.partition(":")
            if not line and "data" in event:
                yield event["event"], event["id"], json.loads(event["data"])
                event = {}
            elif name:
                event[name] = value.strip()

    def next(self, kind: str) -> tuple[str, dict[str, Any]]:
        return next((mark, body) for name, mark, body in self.events if name == kind)

    def close(self) -> None:
        self._answer.close()
        self._client.close()


def test_the_live_stream_sends_alerts_and_lifts_and_resumes(system: System) -> None:
    system.register("h-live-1", "h-live-2", "h-live-3")
    listener = Listener(system, lift_id="h-live-1")
    assert listener.next("lift")[1].keys() >= ITEM
    system.voice.play("h-live-1", emergency_stop())
    mark, alert = listener.next("alert")
    holds_the_contract(alert)
    assert (alert["lift_id"], alert["rule"], alert["state"]) == ("h-live-1", "emergency-stop", "firing")
    listener.close()
    system.voice.ended("h-live-1")
    resumed = Listener(system, last=mark, lift_id="h-live-1")
    rest = [resumed.next("alert")[1] for _ in range(4)]
    assert {(each["rule"], each["state"]) for each in rest} == {
        ("emergency-stop", "cleared"),
        ("safety-chain-open", "firing"),
        ("safety-chain-open", "cleared"),
        ("alarm-button", "firing"),
    }
    resumed.close()


def test_the_live_stream_of_a_district_sends_only_its_lifts(system: System) -> None:
    listener = Listener(system, district="huzhou")
    system.register("h-live-2", district="huzhou")
    system.voice.play("h-live-3", emergency_stop(), SINGLES)
    system.voice.play("h-live-2", emergency_stop(), SINGLES)
    assert listener.next("alert")[1]["lift_id"] == "h-live-2"
    listener.close()
