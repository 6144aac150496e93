"""The request guard: hosts, origins and body sizes; every error is a problem document without internal details."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from dashboards.http.request_guard import BODY_LIMIT_BYTES, HEADERS
from store.records.repository import Records
from store.series.timeseries import TimeSeriesUnavailable
from tests.dashboards.applications import Client, create_app
from tests.dashboards.conftest import BASE

PROBLEM = "application/problem+json"
ACK = "/api/v1/alerts/none/ack"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "a.localhost", "127.0.0.1:1", "[::1]:8080", "10.1.2.3", "lifts.example"]
)
def test_own_host_names_and_addresses_are_accepted(settings: Settings, host: str) -> None:
    named = Settings(settings.open_records, settings.open_series, hosts=("lifts.example",))
    with Client(create_app(named), base_url=BASE) as client:
        assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::1", "x y"]
)
def test_a_foreign_host_name_is_refused_against_dns_rebinding(shared_client: TestClient, host: str) -> None:
    answer = shared_client.get("/api/v1/lifts", headers={"Host": host})
    assert (answer.status_code, answer.headers["content-type"]) == (421, PROBLEM)
    assert "hosts" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:81"},
                {"Sec-Fetch-Site": "cross-site"}],
)  # fmt: skip
def test_a_write_from_another_site_is_refused(shared_client: TestClient, headers: dict[str, str]) -> None:
    assert shared_client.post(ACK, json={"by": "x"}, headers=headers).status_code == 403
    assert shared_client.get("/api/v1/lifts", headers=headers).status_code == 200


def test_a_write_from_the_same_site_is_accepted(client: TestClient) -> None:
    headers = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}
    assert client.post(ACK, json={"by": "x"}, headers=headers).status_code == 404


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
def test_a_media_type_that_a_cross_site_form_can_send_is_refused(
    shared_client: TestClient, media_type: str | None
) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    answer = shared_client.post(ACK, content=b'{"by": "x"}', headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (415, PROBLEM)


def test_a_body_over_its_limit_is_refused_with_or_without_content_length(client: TestClient) -> None:
    body = b" " * (BODY_LIMIT_BYTES + 1)
    announced = client.post(ACK, content=body, headers={"Content-Type": "application/json"})
    streamed = client.post(ACK, content=iter([body]), headers={"Content-Type": "application/json"})
    assert [announced.status_code, streamed.status_code] == [413, 413]
    assert {announced.headers["content-type"], streamed.headers["content-type"]} == {PROBLEM}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"by": ' + b"9" * 5000 + b"}", b'{"by": "\\ud800"}',
     b'{"by": "a\\u0000b"}', b'{"by": ""}', b'{"by": "   "}', b'{"by": 1}', b'{"by": "a", "by2": 1}',
     b'{"by": "' + b"a" * 300 + b'"}', b'{"by": NaN}'],
)  # fmt: skip
def test_an_invalid_body_is_a_problem_that_names_the_field(shared_client: TestClient, body: bytes) -> None:
    answer = shared_client.post(ACK, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == PROBLEM
    assert set(answer.json()) >= {"type", "title", "status", "detail"}
    if answer.status_code == 422:
        assert answer.json()["errors"][0]["field"].startswith("b")


def test_an_unknown_field_is_a_problem_with_field_and_remedy(client: TestClient) -> None:
    answer = client.get("/api/v1/lifts/L001/series?stream=nose&from=yesterday&points=0").json()
    details = {each["field"]: each["detail"] for each in answer["errors"]}
    assert details.keys() == {"stream", "from", "points"}
    assert "2026-11-22T08:15:02.300Z" in details["from"]
    assert "displacement" in details["stream"]


def test_a_wrong_method_is_answered_with_the_allowed_methods(client: TestClient) -> None:
    answer = client.put("/api/v1/fleet")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.headers["content-type"] == PROBLEM


def test_an_unknown_path_is_a_problem_for_programs_and_a_page_for_browsers(client: TestClient) -> None:
    assert client.get("/nowhere").headers["content-type"] == PROBLEM
    page = client.get("/nowhere", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert client.get("/api/nowhere", headers={"Accept": "text/html"}).headers["content-type"] == PROBLEM


def test_an_unexpected_error_is_logged_and_answered_without_internal_details(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Records, "alerts", lambda *_, **__: 1 / 0)
    with caplog.at_level(logging.ERROR):
        answer = client.get("/api/v1/alerts")
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert "division" not in answer.text
    assert "ZeroDivisionError" in caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_log_of_an_unexpected_error_has_no_secret_of_a_path(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Records, "roster_of_link", lambda *_: 1 / 0)
    with caplog.at_level(logging.ERROR):
        assert client.get(f"/calendars/{'secret-1' * 5}.ics").status_code == 500
    assert "GET /calendars/… failed" in caplog.text
    assert "secret-1" not in caplog.text


@pytest.mark.parametrize("path", ["/", "/api/v1/lifts", "/nowhere", "/static/nowhere.js", "/healthz", "/code/L001"])
def test_every_answer_carries_the_strict_headers(shared_client: TestClient, path: str) -> None:
    headers = shared_client.get(path).headers
    assert headers.keys() >= {name.lower() for name in HEADERS}
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_a_long_response_is_compressed_for_clients_that_accept_gzip(client: TestClient) -> None:
    assert client.get("/api/v1/lifts").headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get("/api/v1/lifts", headers={"Accept-Encoding": "identity"}).headers


def test_the_server_starts_and_answers_503_while_the_records_are_unavailable(
    settings: Settings, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    away = Settings(lambda: Records.open(f"sqlite:///{blocked}/records.db"), settings.open_series)
    with Client(create_app(away), base_url=BASE) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/metrics").status_code == 200
        for path in ("/readyz", "/api/v1/lifts", "/api/v1/lifts/L001", "/api/v1/alerts", "/api/v1/fleet",
                     "/api/v1/dead-letters", "/api/v1/live"):  # fmt: skip
            answer = client.get(path)
            assert (path, answer.status_code, answer.headers["content-type"]) == (path, 503, PROBLEM)
            assert int(answer.headers["retry-after"]) > 0


def test_the_fleet_is_served_while_the_time_series_are_unavailable(settings: Settings) -> None:
    def refuse() -> None:
        raise TimeSeriesUnavailable("nobody at http://127.0.0.1:1")

    away = Settings(settings.open_records, refuse)  # type: ignore[arg-type]
    with Client(create_app(away), base_url=BASE) as client:
        assert client.get("/api/v1/lifts").status_code == 200
        assert client.get("/api/v1/lifts/L001/series?stream=speed").status_code == 503
        assert client.get("/readyz").headers["content-type"] == PROBLEM


def test_metrics_are_labelled_by_route_and_never_by_the_requested_path(client: TestClient) -> None:
    client.get("/api/v1/lifts/SOME-LIFT")
    client.get("/some/path")
    client.request("BREW", "/api/v1/lifts")
    text = client.get("/metrics").text
    assert 'route="/api/v1/lifts/{lift_id}",status="404"' in text
    assert 'method="other"' in text
    assert "SOME-LIFT" not in text
    assert "/some/path" not in text
    assert 'liftwatch_lifts{state="normal"} 6.0' in text
    assert 'liftwatch_monitor_refused_total{kind="not-json",monitor="0/1"} 2.0' in text


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/readyz", "/api/v1/lifts", "/api/v1/live", "/nowhere"])
def test_head_is_answered_as_get_without_a_body(shared_client: TestClient, path: str) -> None:
    head = shared_client.head(path)
    assert head.content == b""
    if path != "/api/v1/live":  # a stream, which GET would not end
        got = shared_client.get(path)
        assert (head.status_code, head.headers["content-type"]) == (got.status_code, got.headers["content-type"])
    assert shared_client.app.state.context.broadcaster.listeners == set()  # type: ignore[attr-defined]


def test_the_openapi_document_refers_to_no_other_host(client: TestClient) -> None:
    assert client.get("/api/openapi.json").json()["openapi"].startswith("3.1")
    assert client.get("/docs").status_code == 404


@pytest.mark.parametrize(
    ("address", "is_sent"),
    [("https://lifts.example", True), ("http://lifts.example", False), ("https://localhost:8080", False)],
)
def test_browsers_keep_to_tls_by_names_of_other_machines(settings: Settings, address: str, is_sent: bool) -> None:
    named = Settings(settings.open_records, settings.open_series, hosts=("lifts.example",))
    with Client(create_app(named), base_url=address) as client:
        answer = client.get("/healthz")
    assert ("Strict-Transport-Security" in answer.headers) is is_sent


def test_the_cookie_of_the_language_is_secure_behind_tls(settings: Settings) -> None:
    with Client(create_app(settings), base_url="https://localhost") as client:
        cookie = client.get("/?lang=zh").headers["set-cookie"]
        assert cookie.startswith("__Host-lang=zh")
        assert "Secure" in cookie
        assert 'lang="zh' in client.get("/").text
