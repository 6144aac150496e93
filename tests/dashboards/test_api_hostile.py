"""Injection attempts against line protocol, Flux, SQL, HTML, paths, templates and headers: none is interpreted."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from fastapi.testclient import TestClient

from store.records.repository import Records
from telemetry.batch import Refusal
from tests.dashboards.sample_fleet import T0_NS, facts, table

HOSTILE = [
    'x" or r.lift == "',
    'x") |> drop() //',
    "x,lift=y v=1 2",
    "x y\nspeed v=9",
    "' OR 1=1 --",
    "'; DROP TABLE alerts; --",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "${jndi:ldap://x}",
    "..%2f..%2fetc%2fpasswd",
    "x\r\nSet-Cookie: a=b",
    "x\x00y",
    "\u202egnp.exe",
    "A" * 65,
]
OF_A_LIFT = [
    "/api/v1/lifts/{}",
    "/api/v1/lifts/{}/series?stream=speed",
    "/api/v1/lifts/{}/trips",
    "/api/v1/lifts/{}/behaviour",
    "/code/{}",
    "/lifts/{}",
]
ASKED = ["lifts?q={}", "lifts?firm={}", "lifts?cursor={}", "lifts?sort={}", "lifts?district={}", "alerts?lift_id={}",
         "alerts?rule={}", "alerts?from={}", "alerts?cursor={}", "alerts?district={}", "dead-letters?reason={}",
         "dead-letters?cursor={}", "fleet?district={}", "live?lift_id={}", "lifts/L001/series?stream={}"]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_in_a_path_is_not_found(shared_client: TestClient, name: str) -> None:
    for template in OF_A_LIFT:
        answer = shared_client.get(template.format(quote(name, safe="")))
        assert answer.status_code in (404, 405, 422), (template, name)
        assert "html" not in answer.headers["content-type"] or name not in answer.text
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_in_a_query_finds_nothing(shared_client: TestClient, name: str) -> None:
    for template in ASKED:
        answer = shared_client.get("/api/v1/" + template.format(quote(name, safe="")))
        assert answer.status_code in (200, 400, 422), (template, name)
        assert answer.status_code != 200 or answer.json()["items"] == []
        assert answer.headers["content-type"].startswith("application/")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_in_a_body_is_refused(shared_client: TestClient, name: str) -> None:
    for method, path, body in _writes(name):
        answer = shared_client.request(method, path, json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), (path, body)


def _writes(name: str) -> list[tuple[str, str, Any]]:
    return [
        ("POST", "/api/v1/lifts", {"lift_id": name, "district": "d0"}),
        ("POST", "/api/v1/lifts", {"lift_id": "N1", "district": name}),
        ("PATCH", "/api/v1/lifts/L001", {"timezone": name}),
        ("PATCH", "/api/v1/lifts/L001", {name: 1}),
        ("POST", "/api/v1/sim/L001/fault", {"cause": name, "for_s": 1}),
        ("POST", "/api/v1/alerts/x/shelve", {"by": "Ann", "until": name}),
    ]


def test_hostile_text_is_returned_unchanged(client: TestClient, records: Records) -> None:
    name = "<script>alert('1')</script> {{ 7 * 7 }}"
    client.patch("/api/v1/lifts/L001", json={"name": name}).raise_for_status()
    assert client.get("/api/v1/lifts/L001").json()["name"] == name
    for path in ("/code/L001", "/lifts/L001"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_the_payload_of_a_refused_message_is_shown_escaped(client: TestClient, records: Records) -> None:
    refused = Refusal("not-json", "expected {", "lift/v1/<b>/x/door", b'\xff\x00<img src=x>"', T0_NS, 1)
    records.judge(position=1, occurrences=[], now_ns=T0_NS, refusals=[refused])
    letter = client.get("/api/v1/dead-letters?reason=not-json").json()["items"][0]
    assert (letter["topic"], letter["arrived"]) == ("lift/v1/<b>/x/door", "2001-09-09T01:46:40.000Z")
    assert "<img src=x>" in letter["payload"]
    assert letter["payload_hex"].startswith("ff 00 3c 69 6d 67")


def test_the_refusals_of_a_lift_are_counted_in_its_answer_and_found_by_its_name(
    client: TestClient, records: Records
) -> None:
    payload = "{" + "é" * 4000
    for position, lift_id in enumerate(("L001", "L002", "L001"), start=1):
        at_ns = T0_NS + position * 1_000_000_000
        refused = Refusal("syntax", "not JSON", f"lift/v1/x/{lift_id}/door", payload.encode(), at_ns, position, lift_id)
        records.judge(position=position, occurrences=[], now_ns=T0_NS, refusals=[refused])
    client.app.state.context.poller.poll()  # type: ignore[attr-defined]
    found = [{"reason": "syntax", "count": 2, "last": "2001-09-09T01:46:43.000Z"}]
    assert client.get("/api/v1/lifts/L001").json()["refused"] == found
    assert client.get("/api/v1/lifts/L003").json()["refused"] == []
    letters = client.get("/api/v1/dead-letters?lift_id=L001").json()["items"]
    assert [(each["lift_id"], each["payload_bytes"], each["payload_hex"]) for each in letters] == [
        ("L001", 8001, None),
        ("L001", 8001, None),
    ]
    assert len(letters[0]["payload"]) <= 4096


def test_non_finite_readings_are_null(client: TestClient, records: Records) -> None:
    wild = np.array([np.inf, -np.inf, np.nan, 1e308, 0.0, 0.0])
    records.put_live(table(6, position_m=wild, speed_mps=wild, direction=wild).encode(), {}, T0_NS)
    client.app.state.context.poller.poll()  # type: ignore[attr-defined]
    items = client.get("/api/v1/lifts?sort=lift_id").json()["items"]
    assert [item["position_m"] for item in items] == [None, None, None, 1e308, 0.0, 0.0]


def test_an_unregistered_lift_with_a_hostile_name_is_served(client: TestClient, records: Records) -> None:
    records.put_live(table(1, lift_id=np.array(["-__-"]), district=np.array(["-"])).encode(), {}, T0_NS)
    client.app.state.context.poller.poll()  # type: ignore[attr-defined]
    assert client.get("/api/v1/lifts/-__-").json()["registered"] is False
    assert client.get("/code/-__-").status_code == 200
    assert records.lift(facts("L001").lift_id) is not None
