"""The registry through the API: valid rows are taken, every error is reported, and written facts are returned."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from registry.actor import Actor
from registry.facts import export_csv, export_json
from store.records.repository import AuditFilter, Records
from store.records.schema import metadata
from telemetry.instant import rfc3339
from tests.dashboards.sample_fleet import T0_NS, facts, table
from tests.loopback import until

NEW: dict[str, Any] = {
    "lift_id": "N1",
    "district": "north",
    "name": "Garden Road 3 西梯",
    "rated_speed_mps": 1.75,
    "floors": [{"label": "G", "height_m": 0}, {"label": "1", "height_m": 3.2}],
}


def test_an_added_lift_is_listed_at_once_as_never_seen(client: TestClient) -> None:
    answer = client.post("/api/v1/lifts?by=Ann", json=NEW)
    assert (answer.status_code, answer.headers["location"]) == (201, "/api/v1/lifts/N1")
    assert answer.json()["facts"]["floors"][1] == {"label": "1", "height_m": 3.2}
    item = client.get("/api/v1/lifts?q=西梯").json()["items"][0]
    assert (item["lift_id"], item["state"], item["registered"]) == ("N1", "never-seen", True)


def test_adding_a_lift_twice_is_refused_and_changes_nothing(client: TestClient) -> None:
    client.post("/api/v1/lifts", json=NEW)
    assert client.post("/api/v1/lifts", json=NEW | {"name": "Other"}).status_code == 409
    assert client.get("/api/v1/lifts/N1").json()["name"] == NEW["name"]


def test_every_error_is_reported_with_field_and_remedy(client: TestClient) -> None:
    body = NEW | {"rated_speed_mps": "fast", "lat": 91, "colour": "red", "district": "North!"}
    answer = client.post("/api/v1/lifts", json=body)
    assert answer.status_code == 422
    assert {each["field"] for each in answer.json()["errors"]} == {"rated_speed_mps", "lat", "colour", "district"}
    assert client.get("/api/v1/lifts/N1").status_code == 404


def test_a_patch_changes_only_the_given_facts(client: TestClient) -> None:
    answer = client.patch("/api/v1/lifts/L001", json={"name": "Renamed", "rated_speed_mps": None})
    changed = answer.json()["facts"]
    assert (answer.status_code, changed["name"], changed["rated_speed_mps"]) == (200, "Renamed", None)
    assert changed["address"] == "Garden Road 1"
    assert client.patch("/api/v1/lifts/L001", json={"lift_id": "L002"}).status_code == 422
    assert client.patch("/api/v1/lifts/NOBODY", json={"name": "x"}).status_code == 404


def test_a_lift_without_floors_lists_the_rules_not_judged_and_why(client: TestClient) -> None:
    before = {each["rule"] for each in client.get("/api/v1/lifts/L001").json()["not_judged"]}
    answer = client.patch("/api/v1/lifts/L001", json={"floors": None, "rated_speed_mps": None}).json()
    reasons = {each["rule"]: each for each in answer["not_judged"]}
    assert before == set()
    assert reasons["overspeed"]["missing"] == ["rated_speed_mps"]
    assert "rated_speed_mps" in reasons["overspeed"]["reason"]


def test_a_lift_with_a_barometer_lists_the_rules_not_judged_and_why(client: TestClient) -> None:
    answer = client.patch("/api/v1/lifts/L001", json={"position_source": "barometer"}).json()
    assert answer["facts"]["position_source"] == "barometer"
    of_place = {f"F{n:02}" for n in (1, 2, 4, 5, 6, 7, 11, 12, 14, 16, 22, 23, 24, 25, 26, 27, 28, 29, 33)}
    assert {each["code"] for each in answer["not_judged"]} == of_place
    assert {tuple(each["missing"]) for each in answer["not_judged"]} == {("position_source",)}
    assert all("barometer" in each["reason"] for each in answer["not_judged"])


def test_a_rule_set_aside_by_a_monitor_is_listed_on_every_lift_and_in_readyz(
    client: TestClient, records: Records
) -> None:
    records.put_live(table(6).encode(), {}, T0_NS)
    until(lambda: client.get("/readyz").json().get("warnings") == [], "a server that is ready")
    records.put_live(table(6).encode(), {"rule_set_aside:overspeed": 1.0, "resumed_without_messages": 90.0}, T0_NS)
    until(lambda: client.get("/api/v1/lifts/L001").json()["not_judged"] != [], "the next look at the records")
    (unjudged,) = client.get("/api/v1/lifts/L001").json()["not_judged"]
    assert (unjudged["rule"], unjudged["missing"], "set aside" in unjudged["reason"]) == ("overspeed", [], True)
    answer = client.get("/readyz")
    broken, resumed = answer.json()["warnings"]
    assert (answer.status_code, broken, "without 90 messages" in resumed) == (200, "rules set aside: overspeed", True)


def test_a_webhook_that_fails_is_named_in_readyz_and_in_the_metrics(client: TestClient, records: Records) -> None:
    now_ns = time.time_ns()
    records.put_live(table(6).encode(), {}, now_ns)
    assert records.report_by_call("L001", "entrapment", None, Actor.named("Ann"), now_ns) is not None
    entries = records.incident_entries_since(0, 10)
    records.enqueue("desk", entries[:1], entries[0].id, now_ns - 120 * 10**9, "incident")
    (made,) = records.due(["desk"], now_ns)
    records.store_attempt(made.id, "waiting", due_ns=now_ns + 10**12, error="HTTP 404")
    warning = "webhook desk fails: HTTP 404 (1 wait, 0 were given up)"
    until(lambda: client.get("/readyz").json().get("warnings") == [warning], "a server that is ready")
    shown = 'liftwatch_webhook_failing_messages{endpoint="desk",state="waiting"} 1.0'
    assert shown in client.get("/metrics").text


def test_a_deleted_lift_stays_listed_as_unregistered_while_it_sends(client: TestClient) -> None:
    assert client.delete("/api/v1/lifts/L001").status_code == 204
    assert client.get("/api/v1/lifts/L001").json()["registered"] is False
    assert client.delete("/api/v1/lifts/L001").status_code == 404


def test_every_change_is_in_the_audit_with_its_person(client: TestClient, records: Records) -> None:
    client.patch("/api/v1/lifts/L001?by=Ann", json={"name": "x"})
    client.delete("/api/v1/lifts/L001?by=Ben")
    assert [(each.by.name, each.action) for each in records.audit(AuditFilter(subject="L001")).items[:2]] == [
        ("Ben", "lift.delete"),
        ("Ann", "lift.patch"),
    ]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_can_be_imported(client: TestClient, form: str) -> None:
    lifts = [facts(f"M{number}") for number in range(20)]
    if form == "csv":
        body, kind = export_csv(lifts), "text/csv; charset=utf-8"
    else:
        body, kind = export_json(lifts), "application/json"
    answer = client.post("/api/v1/lifts/import", content=body.encode(), headers={"Content-Type": kind})
    assert answer.json() == {"taken": [lift.lift_id for lift in lifts], "refused": [], "waiting": []}
    assert client.get("/api/v1/lifts?q=M1").json()["items"][0]["floor"] is None
    assert client.get("/api/v1/lifts/M19").json()["facts"]["floors"][3] == {"label": "3", "height_m": 9.0}


def test_an_import_takes_valid_rows_and_reports_the_errors_of_the_others(client: TestClient) -> None:
    body = "lift_id,district,rated_speed_mps,floors\nA1,d0,1.0,G:0;1:3\nA 2,d0,fast,\nA3,d0,1.0,G:0;1:-3\nA4,d0,,\n"
    answer = client.post("/api/v1/lifts/import", content=body, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200
    assert answer.json()["taken"] == ["A1", "A4"]
    refused = [
        (row["row"], row["lift_id"], {each["field"] for each in row["errors"]}) for row in answer.json()["refused"]
    ]
    assert refused == [(3, "A 2", {"lift_id", "rated_speed_mps"}), (4, "A3", {"floors"})]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"\xff\xfe", "text/csv", 400),
        (b"", "text/csv", 422),
        (b"name\nx\n", "text/csv", 422),
        (b'lift_id,district\n"unclosed', "text/csv", 422),
        (b"{", "application/json", 422),
        (b"17", "application/json", 422),
        (b"[" * 10_000, "application/json", 422),
        (b"[]", "application/xml", 415),
    ],
)
def test_an_unreadable_file_is_a_problem_with_a_remedy(
    shared_client: TestClient, body: bytes, kind: str, status: int
) -> None:
    answer = shared_client.post("/api/v1/lifts/import", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]


def test_invalid_rows_are_reported_one_by_one(client: TestClient) -> None:
    answer = client.post("/api/v1/lifts/import", json=[1, None, [], {}, {"lift_id": "OK1", "district": "d0"}])
    assert answer.json()["taken"] == ["OK1"]
    assert [row["row"] for row in answer.json()["refused"]] == [1, 2, 3, 4]


def test_a_lone_surrogate_is_refused_in_an_encodable_response(client: TestClient) -> None:
    body = b'{"lift_id": "X", "district": "d", "\\ud800": "\\ud800"}'
    answer = client.post("/api/v1/lifts", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "?")


def test_ten_thousand_lifts_fit_into_one_import(client: TestClient) -> None:
    body = export_csv([facts(f"B{number:05}") for number in range(10_000)])
    answer = client.post("/api/v1/lifts/import", content=body.encode(), headers={"Content-Type": "text/csv"})
    assert len(answer.json()["taken"]) == 10_000
    assert client.get("/api/v1/fleet").json()["lifts"] == 10_006


def test_a_running_import_is_listed_in_the_fleet_with_the_number_of_lifts_taken(client: TestClient) -> None:
    body = export_csv([facts(f"B{number:05}") for number in range(8_000)]).encode()
    seen: list[dict[str, int]] = []

    def watch() -> None:
        until(lambda: seen.extend(client.get("/api/v1/fleet").json()["imports"]) or bool(seen), "an import under way")

    watching = threading.Thread(target=watch)
    watching.start()
    client.post("/api/v1/lifts/import", content=body, headers={"Content-Type": "text/csv"})
    watching.join()
    assert seen[0]["of"] == 8_000
    assert 0 <= seen[0]["taken"] <= 8_000
    assert client.get("/api/v1/fleet").json()["imports"] == []


def lose_a_table_during_an_import(path: Path) -> threading.Thread:
    """Make the records fail, from the moment on at which an import has taken its first lifts."""

    def lose() -> None:
        with closing(sqlite3.connect(path, timeout=60)) as other:
            until(lambda: other.execute("SELECT count(*) FROM lifts").fetchone()[0] > 6, "an import under way")
            other.execute("DROP TABLE audit")

    thread = threading.Thread(target=lose)
    thread.start()
    return thread


def test_a_failure_in_the_middle_of_an_import_reports_the_rows_taken_and_the_same_again_takes_the_rest(
    client: TestClient, records: Records, tmp_path: Path
) -> None:
    body = export_csv([facts(f"B{number:05}") for number in range(8_000)])
    losing = lose_a_table_during_an_import(tmp_path / "records.db")
    answer = client.post("/api/v1/lifts/import", content=body.encode(), headers={"Content-Type": "text/csv"})
    losing.join()
    taken = len(records.registered()) - 6
    assert (answer.status_code, 0 < taken < 8_000) == (503, True)
    detail = answer.json()["detail"]
    assert f"{taken} of 8000 lifts were taken" in detail
    assert f"up to B{taken - 1:05}; send the same again: those change nothing" in detail
    metadata.tables["audit"].create(records._database.engine)
    again = client.post("/api/v1/lifts/import", content=body.encode(), headers={"Content-Type": "text/csv"})
    assert (again.status_code, len(again.json()["taken"])) == (200, 8_000)
    assert client.get("/api/v1/fleet").json()["registered"] == 8_006


@pytest.mark.parametrize(
    ("content", "status", "remedy"),
    [
        ("lift_id,district,name\nA,d,1号客梯\n".encode("gbk"), 400, "save the file as UTF-8"),
        (b"\xef\xbb\xbflift_id;district\nA;d\n", 422, "separated by semicolons; separate them by commas"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_remedy(
    client: TestClient, content: bytes, status: int, remedy: str
) -> None:
    answer = client.post("/api/v1/lifts/import", content=content, headers={"Content-Type": "text/csv"})
    assert answer.status_code == status
    assert remedy in answer.json()["detail"]


def test_bidirectional_control_characters_are_refused_in_names_and_notes(client: TestClient) -> None:
    until = rfc3339(time.time_ns() + 3600 * 10**9)
    answers = [
        client.patch("/api/v1/lifts/L001", json={"name": "lift \u202etfil"}),
        client.patch("/api/v1/lifts/L001?by=A\u2066nn", json={}),
        client.post("/api/v1/lifts/L001/maintenance", json={"by": "Ann", "until": until, "note": "a\u200fb"}),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert all("bidirectional control character U+20" in answer.json()["detail"] for answer in answers)
