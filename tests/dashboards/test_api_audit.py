"""The audit log over HTTP: what is in it, its filters, its export, and who sees which rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dashboards.api.audit.writer import AuditWriter
from dashboards.api.context import Settings
from dashboards.pages import translations
from registry.actor import Actor
from registry.roles import EVERY_VERB, OrganisationKind, Verb
from registry.scope import OPEN_SCOPE, Scope, lifts_of
from store.records.repository import AlertFilter, AuditFilter, AuditSubject, Records
from telemetry.instant import rfc3339
from tests.alerts.rules import STOP, occurrence
from tests.dashboards.applications import Client, create_app
from tests.dashboards.sample_fleet import T0_NS, facts
from tests.dashboards.scope_of_test import ScopeOfTest
from tests.loopback import until

ROOT = Path(__file__).parents[2]
S_NS = 1_000_000_000
ANN = Actor("Ann", "person:1", "Firm A", "manager", "192.0.2.1")
BOB = Actor("=Bob", "person:2", "Desk", "administrator", "192.0.2.2")
FORMULA = "=1+1"


@pytest.fixture(name="filled_records")
def fill(records: Records) -> Records:
    records.put_lift(facts("L001", maintenance_firm="Firm A"), BOB, T0_NS)
    records.patch_lift("L001", {"name": FORMULA}, ANN, T0_NS + S_NS)
    records.write_audit(T0_NS + 2 * S_NS, ANN, "session.begin", [AuditSubject("1")])
    records.write_audit(T0_NS + 3 * S_NS, BOB, "session.begin", [AuditSubject("2")], outcome="refused")
    return records


@pytest.fixture(name="client")
def asking(settings: Settings, filled_records: Records) -> Iterator[TestClient]:
    app = create_app(settings)
    ScopeOfTest.add_to(app)
    with Client(app, base_url="http://localhost") as client:
        yield client
    ScopeOfTest.scope = OPEN_SCOPE


def rows(client: TestClient, **query: str | int) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/audit", params={**query, "from": rfc3339(T0_NS), "to": rfc3339(T0_NS + 9 * S_NS)})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def actions(client: TestClient, **query: str | int) -> list[tuple[str, str]]:
    return [(row["action"], row["by"]["name"]) for row in rows(client, **query) if row["by"]["name"] != "test"]


def test_a_row_has_actor_role_address_action_and_the_values_before_and_after(client: TestClient) -> None:
    (row,) = rows(client, action="lift.patch")
    assert row | {"id": 0, "hash": ""} == {
        "names": {},
        "id": 0, "hash": "", "time": rfc3339(T0_NS + S_NS), "outcome": "done",
        "by": {
            "name": "Ann", "account": "person:1", "organisation": "Firm A", "role": "manager", "address": "192.0.2.1",
        },
        "action": "lift.patch", "subject": "L001", "lift_id": "L001", "detail": None,
        "before": {"name": facts("L001").name}, "after": {"name": FORMULA},
    }  # fmt: skip
    assert (row["id"] > 0, len(row["hash"])) == (True, 64)


def test_rows_are_filtered_by_who_action_lift_outcome_and_time(client: TestClient) -> None:
    everything = [
        ("session.begin", "=Bob"), ("session.begin", "Ann"), ("lift.patch", "Ann"), ("lift.put", "=Bob"),
    ]  # fmt: skip
    assert actions(client) == everything
    assert actions(client, who="Ann") == actions(client, who="person:1") == everything[1:3]
    assert actions(client, action="lift.") == actions(client, lift_id="L001") == everything[2:]
    assert actions(client, outcome="refused") == everything[:1]
    assert actions(client, subject="2") == everything[:1]
    assert actions(client, action="lif_.") == actions(client, who="nobody") == []
    early = client.get("/api/v1/audit", params={"to": rfc3339(T0_NS + S_NS), "who": "=Bob"}).json()["items"]
    assert [row["action"] for row in early] == ["lift.put"]


def test_pages_of_the_list_follow_each_other_without_a_gap(client: TestClient) -> None:
    whole = rows(client, limit=1000)
    seen, cursor = [], ""
    while True:
        query = {
            "limit": 3,
            "from": rfc3339(T0_NS),
            "to": rfc3339(T0_NS + 9 * S_NS),
            **({"cursor": cursor} if cursor else {}),
        }
        page = client.get("/api/v1/audit", params=query).json()
        seen += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == whole
    assert client.get("/api/v1/audit", params={"cursor": "?"}).status_code == 400


@pytest.mark.parametrize("how", [{"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
def test_an_export_holds_every_row_as_cells_that_a_spreadsheet_does_not_execute(
    client: TestClient, filled_records: Records, how: dict[str, Any]
) -> None:
    answer = client.get("/api/v1/audit", **how)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    table = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(table) == len(filled_records.audit(limit=1000).items)
    begun = next(row for row in table if row["action"] == "session.begin" and row["outcome"] == "refused")
    assert (begun["by"], begun["account"], begun["address"]) == ("'=Bob", "person:2", "192.0.2.2")
    assert not any(cell[:1] in "=+-@\t" for row in table for cell in row.values() if cell)


def test_an_export_is_itself_in_the_audit_log_with_its_filter(client: TestClient, filled_records: Records) -> None:
    client.get("/api/v1/audit", params={"format": "csv", "who": "Ann"})
    newest = filled_records.audit(AuditFilter(action="audit.export")).items[0]
    assert (newest.detail, newest.by.address) == ('{"who":"Ann"}', "testclient")


def scope_of_firm(verbs: frozenset[Verb] = EVERY_VERB) -> Scope:
    return Scope(lifts_of(OrganisationKind.MAINTENANCE_FIRM, {"Firm A"}, set()), verbs, ANN)


def test_a_firm_sees_what_concerns_its_lifts_and_its_people_and_no_address_of_others(client: TestClient) -> None:
    ScopeOfTest.scope = scope_of_firm()
    found = rows(client)
    assert [(row["action"], row["by"]["name"], row["by"]["address"], row["by"]["account"]) for row in found] == [
        ("session.begin", "Ann", "192.0.2.1", "person:1"),
        ("lift.patch", "Ann", "192.0.2.1", "person:1"),
        ("lift.put", "=Bob", None, None),
        ("lift.import", "test", None, None),
    ]
    assert {row["lift_id"] for row in found} == {None, "L001"}
    export = client.get("/api/v1/audit", params={"format": "csv"}).text
    assert ("192.0.2.2" in export, "person:2" in export, "L002" in export) == (False, False, False)


def test_an_authority_sees_the_rows_of_a_deleted_lift_of_its_district(
    client: TestClient, filled_records: Records
) -> None:
    filled_records.delete_lift("L001", ANN, T0_NS + 4 * S_NS)
    seen = {}
    for district in ("d1", "d2"):
        authority = lifts_of(OrganisationKind.AUTHORITY, set(), {district})
        ScopeOfTest.scope = Scope(authority, EVERY_VERB, Actor("Zoe", "person:4", "City", "inspector", "192.0.2.4"))
        seen[district] = {row["action"] for row in rows(client, lift_id="L001")}
    assert seen == {"d1": {"lift.import", "lift.put", "lift.patch", "lift.delete"}, "d2": set()}
    with filled_records.chain_check() as (_, complaints):
        assert list(complaints) == []


def test_the_notes_of_a_rival_are_not_in_the_audit_log_of_a_firm(client: TestClient, filled_records: Records) -> None:
    rival = Actor("Eve", "person:3", "Rival", "manager", "192.0.2.3")
    subject = AuditSubject("L001", {"note": "the belt is worn"}, {"reason": "belt"}, {"name": "B"}, lift_id="L001")
    filled_records.write_audit(T0_NS + 4 * S_NS, rival, "lift.patch", [subject])
    ScopeOfTest.scope = scope_of_firm()
    assert "belt" not in str(rows(client)) + client.get("/api/v1/audit", params={"format": "csv"}).text
    assert [row["after"] for row in rows(client) if row["by"]["name"] == "Eve"] == [{"name": "B"}]
    ScopeOfTest.scope = Scope(lifts_of(OrganisationKind.AUTHORITY, set(), {"d1"}), EVERY_VERB, rival)
    assert "the belt is worn" in str(rows(client))


def test_a_refused_request_is_counted_with_its_account_and_lift(
    client: TestClient, filled_records: Records, settings: Settings
) -> None:
    ScopeOfTest.scope = scope_of_firm(frozenset({Verb.SEE}))
    for _ in range(3):
        assert client.patch("/api/v1/lifts/L001", json={"name": "x"}).status_code == 403
    assert client.get("/api/v1/audit").status_code == 403
    client.app.state.context.audit.stop()  # type: ignore[attr-defined]
    refused = filled_records.audit(AuditFilter(action="request", outcome="refused")).items
    assert {(each.by, each.subject, each.lift_id) for each in refused} == {
        (ANN, "PATCH 403", "L001"), (ANN, "GET 403", None),
    }  # fmt: skip
    assert '"count":3' in (next(each.detail for each in refused if each.lift_id) or "")


def test_a_refused_host_is_counted_by_address_and_not_by_what_its_path_names(
    client: TestClient, filled_records: Records
) -> None:
    for number in range(5):
        assert client.get(f"/lifts/L{number}", headers={"Host": "evil.example"}).status_code == 421
    client.app.state.context.audit.stop()  # type: ignore[attr-defined]
    (row,) = filled_records.audit(AuditFilter(action="request")).items
    assert (row.subject, row.lift_id, row.by.address, row.by.name) == ("GET 421", None, "testclient", "api")


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/calendars/secret-1.ics", {"Host": "evil.example"}),
        ("GET", "/reports/secret-1/photo", {"Host": "evil.example"}),
        ("POST", "/answer/secret-1", {"Origin": "https://evil.example"}),
    ],
)
def test_the_secret_of_a_refused_path_is_not_in_the_audit_log(
    client: TestClient, filled_records: Records, method: str, path: str, headers: dict[str, str]
) -> None:
    assert client.request(method, path, headers=headers).status_code in (403, 421)
    client.app.state.context.audit.stop()  # type: ignore[attr-defined]
    (row,) = filled_records.audit(AuditFilter(action="request")).items
    written = row.detail or ""
    assert f"{method} {path.replace('secret-1.ics', '…').replace('secret-1', '…')}" in written


def test_reading_a_lifts_past_is_in_the_audit_log_once_with_its_streams(
    client: TestClient, filled_records: Records
) -> None:
    ScopeOfTest.scope = scope_of_firm()
    for stream in ("speed", "door", "speed"):
        assert client.get("/api/v1/lifts/L001/series", params={"stream": stream}).status_code == 200
    for path in ("L001/trips", "L001/health", "L001/health?format=csv"):
        assert client.get(f"/api/v1/lifts/{path}").status_code == 200
    assert client.get("/api/v1/fleet/health.csv?district=d1").status_code == 200
    assert client.get("/api/v1/lifts/L002/series", params={"stream": "speed"}).status_code == 404
    client.app.state.context.audit.stop()  # type: ignore[attr-defined]
    (row,) = filled_records.audit(AuditFilter(action="readings.read")).items
    assert (row.by, row.subject, row.lift_id) == (ANN, "L001", "L001")
    assert '"count":6' in (row.detail or "")
    assert '"what":["door","health","speed","trips"]' in (row.detail or "")
    (row,) = filled_records.audit(AuditFilter(action="health.export")).items
    assert (row.by, row.subject, '"what":["d1"]' in (row.detail or "")) == (ANN, "health", True)


def test_the_head_of_the_chain_is_logged_at_the_start(
    client: TestClient, filled_records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        client.app.state.context.audit.stop()  # type: ignore[attr-defined]
    assert f"the head of the chain is {filled_records.audit_head()}" in caplog.text


def test_the_head_of_the_chain_is_logged_once_a_day(
    filled_records: Records, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboards.api.audit.writer.FLUSH_S", 0.001)
    today = [T0_NS]
    writer = AuditWriter(lambda: filled_records, 3600, lambda: today[0])

    def heads() -> list[str]:
        return [each.getMessage().rpartition(" ")[2] for each in caplog.records if "the head of the" in each.message]

    with caplog.at_level("INFO"):
        writer.start()
        until(lambda: len(heads()) == 1, "the head of the first day")
        first = str(filled_records.audit_head())
        filled_records.put_lift(facts("L009"), ANN, T0_NS)
        today[0] += 24 * 3600 * 10**9
        until(lambda: len(heads()) == 2, "the head of the second day")
        writer.stop()
    assert heads() == [first, str(filled_records.audit_head())]


def test_an_action_that_an_alert_refuses_is_counted(client: TestClient, filled_records: Records) -> None:
    filled_records.judge(position=1, occurrences=[occurrence(STOP, "on", 10, lift_id="L001")], now_ns=T0_NS)
    alert_id = filled_records.alerts(AlertFilter()).items[0].id
    assert client.post(f"/api/v1/alerts/{alert_id}/resolve", json={"by": "Ann"}).status_code == 409
    client.app.state.context.audit.stop()  # type: ignore[attr-defined]
    (row,) = filled_records.audit(AuditFilter(subject=alert_id)).items
    assert (row.by.name, row.action, row.outcome) == ("Ann", "alert.resolve", "refused")
    assert '"what":["condition-holds"]' in (row.detail or "")


GROUPS = (
    "lift|maintenance|audit|readings|session|person|organisation|token|link|device|incident|roster|policy|way|series"
)
ACTION = re.compile(rf'"((?:{GROUPS})\.[a-z-]+)"')


def test_every_action_that_is_written_has_a_name_and_belongs_to_a_group_of_the_page() -> None:
    sources = [path for room in ("store", "dashboards/api", "commands") for path in (ROOT / room).rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in sources]
    written = {action for text in texts if "udit" in text for action in ACTION.findall(text)} - {"audit.csv"}
    known = translations.catalogue("en")
    assert len(written) > 15
    assert {action for action in written if f"audit.action.{action}" not in known} == set()
