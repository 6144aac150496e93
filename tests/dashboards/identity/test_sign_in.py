"""Sign-in with passwords and codes, sessions in cookies, tokens, and the gate in front of every route."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pyotp
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from dashboards.sign_in.attempts import OF_ACCOUNT, AttemptLimits, AttemptPolicy, ChangeLimits
from dashboards.sign_in.gate import safe_return
from dashboards.sign_in.passwords import PasswordSignIn
from dashboards.sign_in.settings import SignInSettings
from registry.roles import Role
from store.records.identity import attempts
from store.records.identity.attempts import FORGOTTEN_AFTER_NS
from store.records.identity.credentials import new_totp_secret
from store.records.identity.sessions import TOKENS_LIMIT, hashed
from store.records.repository import Records
from telemetry.instant import rfc3339
from tests.dashboards.applications import Client, create_app
from tests.dashboards.identity.accounts import BY, COOKIE, PASSWORD, S_NS, Accounts, sign_in

T_NS = 1_000_000_000 * S_NS
PROBLEM = "application/problem+json"
PAGE = {"accept": "text/html"}


# ── the gate ──


@pytest.mark.parametrize("path", ["/api/v1/lifts", "/api/v1/me", "/api/v1/live", "/api/v1/people"])
def test_a_program_without_an_account_is_answered_401_with_a_challenge(shared_client: TestClient, path: str) -> None:
    answer = shared_client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/code/L001", "/sign-in", "/static/css/shell.css", "/welcome", "/api/openapi.json"]
)
def test_public_paths_need_no_account(shared_client: TestClient, path: str) -> None:
    assert shared_client.get(path, headers=PAGE).status_code in (200, 410, 503)


def test_a_page_without_an_account_redirects_to_sign_in_and_back(client: TestClient) -> None:
    answer = client.get("/lifts/L001?from=1", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Flifts%2FL001%3Ffrom%3D1")
    fields = {"login": "viewer", "password": PASSWORD, "next": "/lifts/L001?from=1"}
    signed_in = client.post("/sign-in", data=fields)
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/lifts/L001?from=1")
    assert client.get("/lifts/L001", headers=PAGE).status_code == 200


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/a\\b", "javascript:alert(1)", "", "x", "/\n/a",
     "/" + "a" * 70_000],
)  # fmt: skip
def test_a_return_to_another_site_leads_to_the_fleet(target: str) -> None:
    assert safe_return(target) == "/"


@pytest.mark.parametrize("target", ["/", "/lifts/L001?a=b&c=%2F%2F", "/alerts#x"])
def test_a_return_to_a_page_of_ours_is_kept(target: str) -> None:
    assert safe_return(target) == target


def test_metrics_are_for_this_machine_and_for_tokens(client: TestClient, app: FastAPI, accounts: Accounts) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 401
    remote = TestClient(app, base_url="http://localhost", client=("10.0.0.1", 4000))
    assert remote.get("/metrics").status_code == 401
    machine = accounts.add("scraper", accounts.desk, Role.ADMINISTRATOR, is_machine=True)
    assert remote.get("/metrics", headers=accounts.token(machine, accounts.desk)).status_code == 200
    assert remote.get("/metrics", headers=accounts.token(accounts.mechanic, accounts.firm)).status_code == 403


# ── without accounts ──


def test_without_accounts_everything_is_open_on_loopback_and_says_so(settings: Settings, records: Records) -> None:
    with Client(create_app(settings), base_url="http://localhost") as client:
        assert client.get("/api/v1/lifts").status_code == 200
        assert "add-administrator" in client.get("/", headers=PAGE).text
        assert "add-administrator" not in client.get("/code/L001", headers=PAGE).text
        assert client.get("/api/v1/me").json()["person"] is None
        invited = client.post(
            "/api/v1/people", json={"name": "A", "login": "a", "organisation_id": "0", "role": "administrator"}
        )
        assert invited.status_code == 409
        assert not records.has_people()


@pytest.mark.parametrize(
    ("host", "client_address", "headers"),
    [("127.0.0.1", "10.0.0.1", {}), ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "10.0.0.1"}),
     ("127.0.0.1", "127.0.0.1", {"Forwarded": "for=10.0.0.1"}), ("127.0.0.1", "127.0.0.1", {"Host": "10.1.2.3"}),
     ("0.0.0.0", "127.0.0.1", {})],
)  # fmt: skip
def test_without_accounts_nothing_is_open_to_another_machine(
    settings: Settings, host: str, client_address: str, headers: dict[str, str]
) -> None:
    app = create_app(replace(settings, host=host))
    with Client(app, base_url="http://localhost", client=(client_address, 4000)) as client:
        assert client.get("/api/v1/lifts", headers=headers).status_code == 401


@pytest.mark.parametrize(("headers", "status"), [({}, 200), ({"X-Forwarded-For": "10.0.0.1"}, 401)])
def test_a_demonstration_stays_open_on_this_machine_alone_although_there_are_accounts(
    settings: Settings, accounts: Accounts, headers: dict[str, str], status: int
) -> None:
    app = create_app(replace(settings, sign_in=SignInSettings(open_with_accounts=True)))
    with Client(app, base_url="http://localhost") as client:
        assert client.get("/api/v1/lifts", headers=headers).status_code == status
        assert ("demonstration" in client.get("/", headers=PAGE | headers).text) == (status == 200)


def test_where_sign_in_is_required_nothing_is_open_on_loopback_either(settings: Settings) -> None:
    app = create_app(replace(settings, sign_in=SignInSettings(required=True)))
    with Client(app, base_url="http://localhost") as client:
        assert client.get("/api/v1/lifts").status_code == 401


def test_the_first_account_ends_the_open_server(settings: Settings, records: Records) -> None:
    with Client(create_app(settings), base_url="http://localhost") as client:
        assert client.get("/api/v1/lifts").status_code == 200
        Accounts(records)
        end_s = time.monotonic() + 30
        while client.get("/api/v1/lifts").status_code != 401:
            assert time.monotonic() < end_s


# ── passwords ──


def test_a_session_begins_with_a_cookie_that_no_script_reads(client: TestClient) -> None:
    answer = sign_in(client, "Viewer")
    assert answer.json()["person"]["login"] == "viewer"
    assert (answer.json()["role"], answer.json()["verbs"]) == ("viewer", ["see"])
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(answer.headers["set-cookie"].split("; "))
    assert len(client.get("/api/v1/lifts").json()["items"]) == 6


def test_behind_tls_the_cookie_is_secure_and_bound_to_the_host(app: FastAPI) -> None:
    with Client(app, base_url="https://localhost") as client:
        header = sign_in(client, "viewer").headers["set-cookie"]
        assert header.startswith("__Host-liftwatch=")
        assert "Secure" in header
        assert client.get("/api/v1/me").status_code == 200
        unbound = {COOKIE: client.cookies["__Host-liftwatch"]}
        assert TestClient(app, base_url="https://localhost", cookies=unbound).get("/api/v1/me").status_code == 401


def test_a_wrong_password_an_unknown_login_and_a_disabled_account_are_answered_alike(
    client: TestClient, accounts: Accounts
) -> None:
    accounts.records.change_person(accounts.mechanic.person_id, {"is_disabled": True}, BY, accounts.now_ns)
    machine = accounts.add("robot", accounts.desk, Role.VIEWER, is_machine=True)
    answers = [
        sign_in(client, "viewer", "wrong horse battery"), sign_in(client, "nobody"), sign_in(client, "mechanic"),
        sign_in(client, machine.login), sign_in(client, "viewer", ""), sign_in(client, "viewer", "x" * 1000),
    ]  # fmt: skip
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    pages = [
        client.post("/sign-in", data={"login": login, "password": "wrong"}).text.replace(login, "")
        for login in ("viewer", "nobody")
    ]
    assert pages[0] == pages[1]


def test_a_refused_sign_in_is_audited_without_what_was_typed(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "my secret password", "x")
    sign_in(client, "viewer", "x")
    with accounts.records._database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM audit WHERE outcome = 'refused' ORDER BY id").all()
    assert [row.subject for row in rows] == ["", accounts.viewer.person_id]
    assert "secret" not in str(rows)


def test_attempts_on_one_account_are_limited_whether_it_exists_or_not(
    app: FastAPI, client: TestClient, records: Records
) -> None:
    limits = AttemptLimits(lambda: records, replace(OF_ACCOUNT, first_s=600.0))
    app.state.context.passwords = PasswordSignIn(lambda: records, limits)
    for login in ("viewer", "nobody"):
        statuses = [sign_in(client, login, "wrong").status_code for _ in range(OF_ACCOUNT.free + 1)]
        assert statuses == [401] * OF_ACCOUNT.free + [429], login
    refused = sign_in(client, "viewer")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert sign_in(client, "boss").status_code == 200


def test_the_wait_after_failures_doubles_up_to_a_limit_and_success_forgets_them(records: Records) -> None:
    policy = AttemptPolicy(free=2, most_s=5.0)
    assert [policy.wait_s(n) for n in range(7)] == [0, 0, 1, 2, 4, 5, 5]
    limits, other_process = AttemptLimits(lambda: records), AttemptLimits(lambda: records)
    for _ in range(OF_ACCOUNT.free):
        assert limits.begin("a", "10.0.0.1", T_NS) == 0
    assert other_process.begin("a", "10.0.0.2", T_NS) == 1
    assert limits.begin("a", "10.0.0.2", T_NS - 5 * S_NS) == 1  # the clock was set back
    assert limits.begin("a", "10.0.0.2", T_NS + S_NS) == 0
    limits.succeeded("a", "10.0.0.2")
    assert limits.begin("a", "10.0.0.1", T_NS + S_NS) == 0


def test_one_address_is_limited_over_all_accounts_and_a_whole_ipv6_network_is_one(records: Records) -> None:
    limits = AttemptLimits(lambda: records)
    tried = [limits.begin(f"account {n}", f"2001:db8::{n:x}", T_NS) for n in range(25)]
    assert tried[:20] == [0.0] * 20
    assert all(wait_s > 0 for wait_s in tried[20:])
    assert limits.begin("account 1", "2001:db8:1::1", T_NS) == 0
    assert limits.begin("account 9", "2001:db8::1", T_NS + FORGOTTEN_AFTER_NS + 1) == 0


def test_counts_of_failures_are_limited_and_hold_no_login(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "KEYS_LIMIT", 4)
    limits = AttemptLimits(lambda: records)
    for number in range(5):
        limits.begin(f"secret {number}", f"10.0.0.{number}", T_NS + number)
    with records._database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM sign_in_failures").all()
    assert {row.last_ns for row in rows} == {T_NS + 3, T_NS + 4}
    assert "secret" not in str(rows)


def test_changes_of_one_session_are_limited_on_average() -> None:
    limits = ChangeLimits(burst=3, a_second=1.0)
    assert [limits.take("s", 0.0) for _ in range(4)] == [True, True, True, False]
    assert limits.take("other", 0.0)
    assert [limits.take("s", 2.0) for _ in range(3)] == [True, True, False]


# ── one-time codes ──


def test_an_account_with_a_second_factor_needs_a_code_that_is_used_once(client: TestClient, accounts: Accounts) -> None:
    secret = new_totp_secret()
    accounts.records.set_totp(accounts.viewer.person_id, secret, 0, BY, accounts.now_ns)
    code = pyotp.TOTP(secret).now()
    assert sign_in(client, "viewer").status_code == 401
    assert sign_in(client, "viewer", "wrong", code=code).status_code == 401
    assert sign_in(client, "viewer", code=code).status_code == 200
    assert sign_in(client, "viewer", code=code).status_code == 401


# ── sessions ──


def test_an_organisation_demands_a_second_factor_and_who_lacks_it_is_led_to_set_it_up(
    client: TestClient, accounts: Accounts
) -> None:
    header = accounts.token(accounts.mechanic, accounts.firm)
    sign_in(client, "boss")
    demand = {"settings": {"second_factor": True}}
    firm = f"/api/v1/organisations/{accounts.firm.organisation_id}"
    assert client.patch(firm, json=demand).json()["settings"] == {"second_person": False, "second_factor": True}
    refused = client.get("/api/v1/lifts", headers=header)
    assert (refused.status_code, refused.json()["type"].endswith("second-factor-required")) == (403, True)
    assert client.get("/lifts/L001", headers=PAGE).headers["location"] == "/account"
    page = client.get("/account", headers=PAGE).text
    assert 'id="demanded"' in page
    secret, csrf = new_totp_secret(), client.headers["X-CSRF-Token"]
    fields = {"csrf": csrf, "secret": secret, "code": pyotp.TOTP(secret).now(), "password": PASSWORD}
    assert client.post("/account/totp", data=fields, headers=PAGE).status_code == 200
    assert client.get("/api/v1/lifts").json()["items"] != []
    assert 'id="demanded"' not in client.get("/account", headers=PAGE).text
    sign_in(client, "stranger")
    assert client.get("/api/v1/lifts").status_code == 200


def test_every_sign_in_has_a_new_session_and_signing_out_ends_it(client: TestClient) -> None:
    sign_in(client, "viewer")
    first = client.cookies[COOKIE]
    sign_in(client, "viewer")
    assert client.cookies[COOKIE] != first
    secret = client.cookies[COOKIE]
    assert client.delete("/api/v1/session").status_code == 204
    assert COOKIE not in client.cookies
    client.cookies[COOKIE] = secret
    assert client.get("/api/v1/me").status_code == 401


def test_signing_out_everywhere_ends_every_session(app: FastAPI, client: TestClient) -> None:
    sign_in(client, "viewer")
    other = TestClient(app, base_url="http://localhost")
    sign_in(other, "viewer")
    assert client.delete("/api/v1/session", params={"everywhere": True}).status_code == 204
    assert other.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "secret", ["", "x", "a" * 43, "%00", "é" * 43, "x" * 8200, "' OR 1=1 --", "../../etc/passwd", "\\x00\\xff"]
)
def test_a_malformed_or_oversized_cookie_is_no_session(shared_client: TestClient, secret: str) -> None:
    answer = shared_client.get("/api/v1/me", headers={"Cookie": f"{COOKIE}={secret}".encode()})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer x", "Basic dTpw", "Bearer lw_" + "a" * 43, "Bearer lw_" + "x" * 8200, "bearer lw_é"],
)  # fmt: skip
def test_a_malformed_or_oversized_token_is_refused_even_beside_a_good_cookie(
    shared_client: TestClient, header: str
) -> None:
    sign_in(shared_client, "viewer")
    answer = shared_client.get("/api/v1/me", headers={"Authorization": header.encode()})
    assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)


def session_row(accounts: Accounts, client: TestClient, **values: Any) -> None:
    """Change the row of the client's session."""
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    with accounts.records._database.writing() as connection:
        connection.exec_driver_sql(
            f"UPDATE sessions SET {assignments} WHERE id = :id", {**values, "id": hashed(client.cookies[COOKIE])}
        )


HOUR_NS = 3600 * S_NS


@pytest.mark.parametrize(
    ("login", "begun_h", "used_h", "status"),
    [("mechanic", 1, 0.4, 200), ("mechanic", 1, 0.6, 401), ("viewer", 8, 7, 200), ("viewer", 9, 8.1, 401),
     ("viewer", 12.1, 0, 401), ("viewer", -1, -1, 401), ("viewer", 1, -1, 401)],
)  # fmt: skip
def test_a_session_ends_when_idle_when_old_and_when_the_clock_was_set_back(
    client: TestClient, accounts: Accounts, login: str, begun_h: float, used_h: float, status: int
) -> None:
    sign_in(client, login)
    now_ns = time.time_ns()
    session_row(accounts, client, created_ns=int(now_ns - begun_h * HOUR_NS), used_ns=int(now_ns - used_h * HOUR_NS))
    assert client.get("/api/v1/me").status_code == status
    assert client.get("/api/v1/me").status_code == status
    assert bool(accounts.records.session(hashed(client.cookies.get(COOKIE, "")))) is (status == 200)


@pytest.mark.parametrize(
    ("address", "agent", "status"),
    [("testclient", "another", 200), ("10.0.0.1", None, 200), ("10.0.0.1", "another", 401)],
)
def test_a_session_from_another_address_and_browser_is_ended_and_audited(
    app: FastAPI, client: TestClient, accounts: Accounts, address: str, agent: str | None, status: int
) -> None:
    sign_in(client, "viewer")
    cookies = {COOKIE: client.cookies[COOKIE]}
    headers = {} if agent is None else {"User-Agent": agent}
    thief = TestClient(app, base_url="http://localhost", client=(address, 1), cookies=cookies)
    assert thief.get("/api/v1/me", headers=headers).status_code == status
    assert client.get("/api/v1/me").status_code == status
    with accounts.records._database.reading() as connection:
        moved = connection.exec_driver_sql("SELECT * FROM audit WHERE detail LIKE '%moved%'").all()
    assert len(moved) == (status == 401)


# ── forged requests ──


def test_a_change_by_a_cookie_needs_the_token_of_its_session(app: FastAPI, client: TestClient) -> None:
    sign_in(client, "admin")
    body = {"kind": "owner", "name": "New"}
    good = client.headers.pop("X-CSRF-Token")
    for forged in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "x" * 64}, {"X-CSRF-Token": "é".encode()}):
        assert client.post("/api/v1/organisations", json=body, headers=forged).status_code == 403
    other = TestClient(app, base_url="http://localhost")
    sign_in(other, "admin")
    foreign = {"X-CSRF-Token": other.headers["X-CSRF-Token"]}
    assert client.post("/api/v1/organisations", json=body, headers=foreign).status_code == 403
    assert client.post("/api/v1/organisations", json=body, headers={"X-CSRF-Token": good}).status_code == 201


def test_a_form_by_a_cookie_needs_the_token_in_a_field(client: TestClient, accounts: Accounts) -> None:
    good = sign_in(client, "viewer").json()["csrf"]
    del client.headers["X-CSRF-Token"]
    assert client.post("/account/language", data={"language": "zh"}).status_code == 403
    assert client.post("/account/language", data={"language": "zh", "csrf": good}).status_code == 303
    found = accounts.records.person(accounts.viewer.person_id)
    assert found is not None
    assert found.language == "zh"


def test_a_form_is_limited_in_size_and_fields(client: TestClient) -> None:
    assert client.post("/sign-in", data={"login": "x" * 70_000}).status_code == 413
    assert client.post("/sign-in", data={f"f{n}": "" for n in range(300)}).status_code == 400
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/sign-in", content=b"login=%ff%00&password=%c3", headers=form).status_code == 401


# ── tokens ──


def test_a_token_acts_as_its_account_in_one_organisation_until_it_ends(client: TestClient, accounts: Accounts) -> None:
    header = accounts.token(accounts.mechanic, accounts.firm)
    assert [each["lift_id"] for each in client.get("/api/v1/lifts", headers=header).json()["items"]] == ["L001"]
    assert client.get("/api/v1/lifts/L002", headers=header).status_code == 404
    assert client.get("/api/v1/me", headers=accounts.token(accounts.mechanic, accounts.firm, -1)).status_code == 401
    assert client.get("/api/v1/me", headers=accounts.token(accounts.mechanic, accounts.other)).status_code == 401
    accounts.records.set_role(accounts.mechanic.person_id, accounts.firm.organisation_id, None, BY, accounts.now_ns)
    assert client.get("/api/v1/me", headers=header).status_code == 401


def test_a_token_does_not_change_its_account(client: TestClient, accounts: Accounts) -> None:
    header = accounts.token(accounts.admin, accounts.desk)
    for method, path in (("GET", "/api/v1/me/sessions"), ("DELETE", "/api/v1/session"), ("POST", "/api/v1/me/tokens")):
        content = {"json": {"name": "t", "expires": "2040-01-01T00:00:00Z"}} if method == "POST" else {}
        assert client.request(method, path, headers=header, **content).status_code == 403
    assert client.get("/account", headers=header | PAGE).status_code == 403


def test_own_tokens_are_made_listed_and_revoked(client: TestClient) -> None:
    sign_in(client, "mechanic")
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    made = client.post("/api/v1/me/tokens", json={"name": "export", "expires": later})
    assert made.status_code == 201
    for bad in ("2001-01-01T00:00:00Z", "2100-01-01T00:00:00Z"):
        assert client.post("/api/v1/me/tokens", json={"name": "export", "expires": bad}).status_code == 422
    header = {"Authorization": f"Bearer {made.json()['secret']}"}
    assert client.get("/api/v1/me", headers=header).json()["role"] == "mechanic"
    (listed,) = client.get("/api/v1/me/tokens").json()["items"]
    assert listed["name"] == "export"
    assert client.delete(f"/api/v1/me/tokens/{listed['token_id']}").status_code == 204
    assert client.get("/api/v1/me", headers=header).status_code == 401
    assert client.delete(f"/api/v1/me/tokens/{listed['token_id']}").status_code == 404


def test_sessions_are_listed_and_ended_one_by_one(app: FastAPI, client: TestClient) -> None:
    sign_in(client, "viewer")
    other = TestClient(app, base_url="http://localhost", headers={"User-Agent": "phone"})
    sign_in(other, "viewer")
    listed = client.get("/api/v1/me/sessions").json()["items"]
    assert [(each["agent"], each["is_current"]) for each in listed] == [("phone", False), ("testclient", True)]
    assert client.delete(f"/api/v1/me/sessions/{listed[0]['session_id']}").status_code == 204
    assert other.get("/api/v1/me").status_code == 401
    assert client.delete(f"/api/v1/me/sessions/{'0' * 64}").status_code == 404


# ── limits of changes ──


def test_an_account_that_changes_too_much_at_once_waits_and_others_do_not(
    app: FastAPI, client: TestClient, accounts: Accounts
) -> None:
    sign_in(client, "mechanic")
    other = TestClient(app, base_url="http://localhost")
    sign_in(other, "viewer")
    answers = (client.delete("/api/v1/me/tokens/none") for _ in range(2000))
    refused = next(each for each in answers if each.status_code != 422)
    assert refused.json()["type"] == "urn:liftwatch:problem:too-many-changes"
    assert refused.headers["retry-after"] == "5"
    assert client.get("/api/v1/me").status_code == 200
    assert other.delete("/api/v1/me/tokens/none").status_code == 422


def test_an_account_has_a_limited_number_of_tokens(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "viewer")
    body = {"name": "t", "expires": rfc3339(accounts.now_ns + 3600 * S_NS)}
    for _ in range(TOKENS_LIMIT):
        accounts.token(accounts.viewer, accounts.desk)
    refused = client.post("/api/v1/me/tokens", json=body, headers={"Accept-Language": "zh"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:liftwatch:problem:too-many-tokens")
    assert f"最多 {TOKENS_LIMIT} 个令牌" in refused.json()["detail"]
    form = {"csrf": client.headers["X-CSRF-Token"], "name": "t", "days": "30"}
    page = client.post("/account/token", data=form, headers={"accept": "text/html"})
    assert (page.status_code, f"at most {TOKENS_LIMIT} tokens" in page.text) == (422, True)
    one = client.get("/api/v1/me/tokens").json()["items"][0]["token_id"]
    assert client.delete(f"/api/v1/me/tokens/{one}").status_code == 204
    assert client.post("/api/v1/me/tokens", json=body).status_code == 201
