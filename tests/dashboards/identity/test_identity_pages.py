"""Pages of sign-in, the own account, people and organisations as HTML, and what their forms do."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import replace

import pyotp
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from dashboards.pages.shown_agent import shown_agent
from dashboards.sign_in.settings import SignInSettings
from registry.roles import OrganisationKind, Role
from store.records.repository import AuditFilter, Records
from tests.dashboards.applications import Client, create_app
from tests.dashboards.identity.accounts import BY, COOKIE, HASH, PASSWORD, S_NS, Accounts, sign_in

PAGE = {"accept": "text/html"}
NEW = "another quiet battery"


def post(client: TestClient, path: str, **fields: str) -> tuple[int, str]:
    """Send a form of a page; return the status, and the redirect or the page."""
    answer = client.post(path, data={"csrf": client.headers["X-CSRF-Token"], **fields}, headers=PAGE)
    return answer.status_code, answer.headers.get("location") or answer.text


def link_in(page: str) -> str:
    """Return the path of the one-time link on a page."""
    found = re.search(r'value="http://localhost(/welcome\?code=[\w-]+)"', page)
    assert found is not None
    return found[1]


# ── one-time links ──


def test_an_invited_person_sets_a_password_by_the_link_once(app: FastAPI, client: TestClient) -> None:
    sign_in(client, "boss")
    firm = client.get("/api/v1/me").json()["organisation_id"]
    status, page = post(client, "/people", name="Li", login="li", organisation=firm, role="mechanic")
    assert status == 200
    path = link_in(page)
    code = path.partition("=")[2]
    guest = TestClient(app, base_url="http://localhost", follow_redirects=False)
    assert "Li" in guest.get(path, headers=PAGE).text
    for password, again in (("short", "short"), (NEW, "other"), ("liftwatch12", "liftwatch12"), ("", "")):
        assert guest.post("/welcome", data={"code": code, "password": password, "again": again}).status_code == 422
    done = guest.post("/welcome", data={"code": code, "password": NEW, "again": NEW})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert guest.get("/api/v1/me").json()["person"]["login"] == "li"
    assert guest.get(path, headers=PAGE).status_code == 410
    guest.cookies.clear()
    assert guest.post("/welcome", data={"code": code, "password": NEW, "again": NEW}).status_code == 410


def test_a_link_stays_where_too_many_passwords_are_being_hashed(
    client: TestClient, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = accounts.records.add_link(accounts.viewer.person_id, time.time_ns() * 2, BY, accounts.now_ns)
    passwords = client.app.state.context.passwords  # type: ignore[attr-defined]
    with monkeypatch.context() as busy:
        busy.setattr(passwords, "_slots", threading.BoundedSemaphore(1))
        busy.setattr("dashboards.sign_in.passwords.HASH_WAIT_S", 0.01)
        assert passwords._slots.acquire()
        assert client.post("/welcome", data={"code": code, "password": NEW, "again": NEW}).status_code == 429
    assert client.post("/welcome", data={"code": code, "password": NEW, "again": NEW}).status_code == 303


def test_the_link_printed_at_the_first_start_creates_the_first_administrator_once(
    settings: Settings, records: Records
) -> None:
    app = create_app(replace(settings, host="0.0.0.0", sign_in=SignInSettings(required=True)))
    now_ns = time.time_ns()
    code = records.add_link(None, now_ns + 1800 * S_NS, BY, now_ns)
    first = {"name": "Mei", "login": "mei", "organisation": "City", "password": NEW, "again": NEW, "code": code}
    with Client(app, base_url="http://localhost", follow_redirects=False) as client:
        assert client.post("/welcome", data=first | {"login": "two words"}).status_code == 422
        assert not records.has_people()
        assert client.post("/welcome", data=first).status_code == 303
        assert client.get("/api/v1/me").json()["role"] == "administrator"
        assert len(client.get("/api/v1/lifts").json()["items"]) == 6
        client.cookies.clear()
        assert client.post("/welcome", data=first | {"login": "eve"}).status_code == 410
    assert [each.login for each in records.people()] == ["mei"]


def test_a_link_does_not_replace_the_second_factor(client: TestClient, accounts: Accounts) -> None:
    accounts.records.set_totp(accounts.viewer.person_id, pyotp.random_base32(), 0, BY, accounts.now_ns)
    code = accounts.records.add_link(accounts.viewer.person_id, accounts.now_ns * 2, BY, accounts.now_ns)
    done = client.post("/welcome", data={"code": code, "password": NEW, "again": NEW})
    assert done.headers["location"] == "/sign-in"
    assert COOKIE not in client.cookies


# ── the own account ──


def test_a_change_of_password_needs_the_present_one_and_ends_all_other_sessions(
    app: FastAPI, client: TestClient
) -> None:
    sign_in(client, "viewer")
    other = TestClient(app, base_url="http://localhost")
    sign_in(other, "viewer")
    assert post(client, "/account/password", password="wrong", new=NEW, again=NEW)[0] == 422
    assert post(client, "/account/password", password=PASSWORD, new="viewer123456", again="viewer123456")[0] == 422
    assert post(client, "/account/password", password=PASSWORD, new=NEW, again=NEW) == (303, "/account?did=password")
    assert client.get("/account?did=password", headers=PAGE).status_code == 200
    assert other.get("/api/v1/me").status_code == 401
    assert sign_in(other, "viewer").status_code == 401
    assert sign_in(other, "viewer", NEW).status_code == 200


def test_a_second_factor_is_turned_on_with_a_code_and_off_with_another(client: TestClient) -> None:
    sign_in(client, "viewer")
    page = client.get("/account", headers=PAGE).text
    assert "<svg" in page
    found = re.search(r'name="secret" value="(\w+)"', page)
    assert found is not None
    code = pyotp.TOTP(found[1]).now()
    assert post(client, "/account/totp", secret=found[1], code="000000", password=PASSWORD)[0] == 422
    assert post(client, "/account/totp", secret="not base 32!", code=code, password=PASSWORD)[0] == 422
    assert post(client, "/account/totp", secret=found[1], code=code, password="wrong")[0] == 422
    status, shown = post(client, "/account/totp", secret=found[1], code=code, password=PASSWORD)
    recovery = re.search(r'<pre id="codes">([\w-]+)', shown)
    assert (status, recovery is not None, "Recovery codes left: 10" in shown) == (200, True, True)
    assert recovery is not None
    assert client.get("/api/v1/me").json()["person"]["has_totp"]
    assert post(client, "/account/no-totp", password="wrong")[0] == 422
    assert post(client, "/account/no-totp", password=PASSWORD, code=code)[0] == 422, "the code was used"
    assert post(client, "/account/no-totp", password=PASSWORD, code=recovery[1])[0] == 303
    assert not client.get("/api/v1/me").json()["person"]["has_totp"]


def test_a_token_is_shown_once_and_revoked(client: TestClient) -> None:
    sign_in(client, "mechanic")
    assert post(client, "/account/token", name="export", days="31")[0] == 422
    status, page = post(client, "/account/token", name="export", days="30")
    found = re.search(r'value="(lw_[\w-]+)"', page)
    assert status == 200
    assert found is not None
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {found[1]}"}).status_code == 200
    shown = client.get("/account", headers=PAGE).text
    assert found[1] not in shown
    token_id = re.search(r'name="token" value="(\w+)"', shown)
    assert token_id is not None
    assert post(client, "/account/revoke", token=token_id[1])[0] == 303
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {found[1]}"}).status_code == 401


def test_a_person_of_two_organisations_acts_for_one_at_a_time(client: TestClient, accounts: Accounts) -> None:
    accounts.records.set_role(accounts.mechanic.person_id, accounts.other.organisation_id, Role.VIEWER, BY, 0)
    accounts.records.set_password(accounts.mechanic.person_id, HASH, BY, 0)
    sign_in(client, "mechanic")
    assert [each["lift_id"] for each in client.get("/api/v1/lifts").json()["items"]] == ["L001"]
    assert post(client, "/account/organisation", organisation=accounts.other.organisation_id)[0] == 303
    assert [each["lift_id"] for each in client.get("/api/v1/lifts").json()["items"]] == ["L002"]
    assert client.get("/api/v1/me").json()["role"] == "viewer"
    assert post(client, "/account/organisation", organisation=accounts.desk.organisation_id)[0] == 422
    assert client.patch("/api/v1/session", json={"organisation_id": accounts.firm.organisation_id}).status_code == 200
    assert client.patch("/api/v1/session", json={"organisation_id": "00"}).status_code == 404
    assert len(accounts.records.audit(AuditFilter(action="session.organisation")).items) == 2
    assert client.get("/api/v1/me").json()["role"] == "mechanic"


def test_signing_out_on_the_page_ends_the_session(client: TestClient) -> None:
    sign_in(client, "viewer")
    assert client.get("/", headers=PAGE).headers["cache-control"] == "no-store"
    left = client.post("/sign-out", data={"csrf": client.headers["X-CSRF-Token"]})
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    assert left.headers["clear-site-data"] == '"cache", "storage"'
    assert client.get("/account", headers=PAGE).headers["location"] == "/sign-in?next=%2Faccount"


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/130.0 Safari/537.36 Edg/130.0",
            "Edge · Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox · Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU like Mac OS X) Version/18.0 Safari/604",
            "Safari · iOS",
        ),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome · Android"),
        ("curl/8.0", "curl/8.0"),
        ("", ""),
    ],
)
def test_a_session_is_named_by_browser_and_system(agent: str, shown: str) -> None:
    assert shown_agent(agent) == shown


# ── people ──


def test_administrators_see_and_change_their_own_organisation_alone(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "boss")
    assert {each["login"] for each in client.get("/api/v1/people").json()["items"]} == {"boss", "mechanic"}
    assert [each["name"] for each in client.get("/api/v1/organisations").json()["items"]] == ["Firm"]
    for path in (f"people/{accounts.stranger.person_id}", f"organisations/{accounts.other.organisation_id}"):
        assert client.get(f"/api/v1/{path}").status_code == 404
        assert client.get(f"/{path}", headers=PAGE).status_code == 404
        assert client.patch(f"/api/v1/{path}", json={}).status_code == 404
    firm = f"/api/v1/organisations/{accounts.firm.organisation_id}"
    assert client.patch(firm, json={"duty_telephone": "+852 1234 5678"}).status_code == 200
    for change in ({"name": "Other Name"}, {"kind": "operator"}, {"districts": ["d0"]}):
        assert client.patch(firm, json=change).status_code == 403
    role = f"/api/v1/people/{accounts.mechanic.person_id}/roles/{accounts.desk.organisation_id}"
    assert client.put(role, json={"role": "administrator"}).status_code == 404


def test_an_account_of_two_organisations_is_managed_by_the_operator(client: TestClient, accounts: Accounts) -> None:
    accounts.records.set_role(accounts.mechanic.person_id, accounts.other.organisation_id, Role.VIEWER, BY, 0)
    sign_in(client, "boss")
    seen = client.get(f"/api/v1/people/{accounts.mechanic.person_id}").json()
    assert [each["organisation"] for each in seen["memberships"]] == ["Firm"]
    path = f"/api/v1/people/{accounts.mechanic.person_id}"
    assert client.post(f"{path}/link").status_code == 403
    assert client.patch(path, json={"is_disabled": True}).status_code == 403
    assert client.delete(f"{path}/roles/{accounts.firm.organisation_id}").status_code == 200
    assert client.get(path).status_code == 404
    sign_in(client, "admin")
    assert client.patch(path, json={"is_disabled": True}).json()["is_disabled"]
    assert client.post(f"{path}/link").status_code == 201


def test_a_role_is_given_on_the_page_and_an_older_page_is_refused(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "admin")
    page = f"/people/{accounts.mechanic.person_id}"
    found = re.search(r'name="revision" value="(\d+)"', client.get(page, headers=PAGE).text)
    assert found is not None
    fields = {"organisation": accounts.firm.organisation_id, "role": "manager", "revision": found[1]}
    assert post(client, f"{page}/role", **fields)[0] == 303
    assert post(client, f"{page}/role", **fields | {"role": "viewer"})[0] == 412
    after = accounts.records.person(accounts.mechanic.person_id)
    assert after is not None
    assert [each.role for each in after.memberships] == [Role.MANAGER]


def test_the_page_of_the_own_account_leads_to_the_one_that_asks_for_the_password(
    client: TestClient, accounts: Accounts
) -> None:
    sign_in(client, "admin")
    own = client.get(f"/people/{accounts.admin.person_id}", headers=PAGE).text
    assert 'href="/account">Change your own account' in own
    other = client.get(f"/people/{accounts.mechanic.person_id}", headers=PAGE).text
    for form in ("/link", "/disabled"):
        assert (f'{form}"' in own, f'{form}"' in other) == (False, True)


def test_a_change_of_no_field_changes_nothing(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "admin")
    path = f"/api/v1/people/{accounts.mechanic.person_id}"
    before = client.get(path)
    unchanged = client.patch(path, json={})
    assert (unchanged.status_code, unchanged.json()) == (200, before.json())
    assert client.patch(f"/api/v1/organisations/{accounts.firm.organisation_id}", json={}).status_code == 200


def test_the_last_administrator_and_the_own_account_stay(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "admin")
    own = f"/api/v1/people/{accounts.admin.person_id}"
    assert client.patch(own, json={"is_disabled": True}).status_code == 409
    assert client.delete(f"{own}/roles/{accounts.desk.organisation_id}").status_code == 409
    desk = accounts.desk.organisation_id
    assert (
        client.patch(f"/api/v1/organisations/{desk}", json={"kind": "owner"}, params={"reason": "x"}).status_code == 409
    )
    assert client.post(f"/api/v1/organisations/{desk}/close").status_code == 409
    assert client.get("/api/v1/me").json()["role"] == "administrator"


def test_a_login_that_is_taken_and_fields_that_are_wrong_are_named(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "admin")
    new = {"name": "A", "login": "VIEWER", "organisation_id": accounts.firm.organisation_id, "role": "viewer"}
    taken = client.post("/api/v1/people", json=new)
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "login")
    wrong = client.post("/api/v1/people", json=new | {"login": "a b", "name": " "})
    assert {each["field"] for each in wrong.json()["errors"]} == {"login", "name"}
    assert client.post("/api/v1/people", json=new | {"login": "x", "organisation_id": "00"}).status_code == 404
    status, page = post(client, "/people", name="A", login="viewer", organisation=new["organisation_id"], role="viewer")
    assert status == 409
    assert 'role="alert"' in page


# ── organisations ──


def test_an_organisation_is_added_renamed_merged_and_closed_on_its_page(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "admin")
    assert post(client, "/organisations", kind="maintenance-firm", name="Firm")[0] == 409
    status, where = post(client, "/organisations", kind="authority", name="District")
    assert status == 303
    fields = {"kind": "authority", "name": "District", "districts": "d0, d1", "reason": "as the city decided"}
    assert post(client, f"{where}/details", **fields)[0] == 303
    assert post(client, f"{where}/details", kind="authority", name="District", districts="D 0")[0] == 422
    firm = f"/organisations/{accounts.firm.organisation_id}"
    assert post(client, f"{firm}/details", kind="maintenance-firm", name="New Firm")[0] == 303
    found = accounts.records.lift("L001")
    assert found is not None
    assert found.facts.maintenance_firm == "New Firm"
    assert post(client, f"{firm}/merge", other="nobody")[0] == 404
    assert post(client, f"{firm}/merge", other=" Ｏther ")[0] == 303
    merged = accounts.records.organisation(accounts.firm.organisation_id)
    assert merged is not None
    assert merged.names == {"Firm", "New Firm", "Other"}
    assert [each.login for each in accounts.records.people(merged.organisation_id)] == ["boss", "mechanic", "stranger"]
    assert post(client, f"{firm}/closed", closed="yes")[0] == 303
    closed = accounts.records.organisation(merged.organisation_id)
    assert closed is not None
    assert closed.closed_ns is not None
    assert closed.kind is OrganisationKind.MAINTENANCE_FIRM


def test_people_of_a_closed_organisation_sign_in_and_see_nothing(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "mechanic")
    assert client.get("/api/v1/lifts/L001").status_code == 200
    accounts.records.change_organisation(accounts.firm.organisation_id, {"closed_ns": 1}, BY, accounts.now_ns)
    assert client.get("/api/v1/lifts/L001").status_code == 401, "the session that acted for it has ended"
    sign_in(client, "mechanic")
    assert client.get("/api/v1/lifts/L001").status_code == 404
    assert client.get("/api/v1/lifts").status_code == 403
    assert client.get("/account", headers=PAGE).status_code == 200
    assert accounts.records.lift("L001") is not None


# ── every page ──

PATHS = ("/sign-in", "/welcome", "/account", "/people", "/organisations", "/people/{person}", "/organisations/{firm}")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_has_no_inline_script_or_style_and_its_language(
    shared_client: TestClient, shared_accounts: Accounts, path: str, language: str
) -> None:
    if path not in ("/sign-in", "/welcome"):
        sign_in(shared_client, "admin")
    where = path.format(person=shared_accounts.mechanic.person_id, firm=shared_accounts.firm.organisation_id)
    page = shared_client.get(f"{where}?lang={language}", headers=PAGE).text
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}">' in page
    assert not re.search(r"<script(?![^>]*src=)(?![^>]*application/json)|\sstyle=|\son\w+=|javascript:", page)
    assert re.search("[\u4e00-\u9fff]", page)


def test_names_are_escaped_on_every_page(client: TestClient, accounts: Accounts) -> None:
    hostile = "<img src=x>\"'{{7*7}}"
    accounts.records.change_person(accounts.admin.person_id, {"name": hostile}, BY, accounts.now_ns)
    accounts.records.change_organisation(accounts.firm.organisation_id, {"name": hostile}, BY, accounts.now_ns)
    sign_in(client, "admin")
    for path in ("/account", "/people", "/organisations", f"/organisations/{accounts.firm.organisation_id}"):
        page = client.get(path, headers=PAGE).text
        assert "<img src" not in page
        assert "49" not in re.sub(r"[0-9a-f]{12,}|\d{3,}", "", page)
