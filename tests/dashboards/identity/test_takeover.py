"""Attempts to keep or gain the rights of others: by old links and credentials, tokens, settings and device ids."""

from __future__ import annotations

import time

import pyotp
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboards.api.audit.writer import AuditWriter
from dashboards.api.context import Settings
from registry.devices import GATEWAY, PASSWORD, Credential, Device
from registry.lift_facts import LiftFacts
from registry.roles import Role
from registry.ways import MAIL
from store.records.identity.credentials import hash_password
from tests.dashboards.applications import Client, create_app
from tests.dashboards.identity.accounts import BY, S_NS, Accounts, sign_in
from tests.loopback import until
from tests.store.test_ways import sent_code

OTHER = "another horse battery"


def test_who_joins_a_further_organisation_loses_what_the_first_one_could_have_set(
    client: TestClient, accounts: Accounts
) -> None:
    records, person_id = accounts.records, accounts.mechanic.person_id
    link = records.add_link(person_id, accounts.now_ns * 2, BY, accounts.now_ns)
    records.set_totp(person_id, pyotp.random_base32(), 0, BY, accounts.now_ns)
    records.bind_subject(person_id, "https://id.example", "subject", BY, accounts.now_ns)
    now_ns = time.time_ns()
    way = records.add_way(person_id, MAIL, "of-the-first@example.org", None, BY, now_ns)
    assert records.verify_way(person_id, way.way_id, sent_code(records, now_ns), BY, now_ns)
    sign_in(client, "admin")
    role = {"role": "dispatcher"}
    path = f"/api/v1/people/{person_id}/roles/{accounts.other.organisation_id}"
    assert client.put(path, json=role).status_code == 200
    now = records.person(person_id)
    assert now is not None
    assert (now.has_password, now.has_totp, len(now.memberships)) == (False, False, 2)
    assert records.person_of_subject("https://id.example", "subject") is None
    assert records.link(link, time.time_ns()) is None
    assert records.ways(person_id) == []
    assert sign_in(client, "mechanic").status_code == 401


def test_a_change_of_role_and_an_account_that_the_operator_manages_keep_their_credentials(accounts: Accounts) -> None:
    records = accounts.records
    records.set_role(accounts.mechanic.person_id, accounts.firm.organisation_id, Role.MANAGER, BY, accounts.now_ns)
    records.set_role(accounts.admin.person_id, accounts.firm.organisation_id, Role.VIEWER, BY, accounts.now_ns)
    for person in (accounts.mechanic, accounts.admin):
        now = records.person(person.person_id)
        assert now is not None
        assert now.has_password


@pytest.mark.parametrize("how", ["password", "everywhere", "taken out"])
def test_tokens_end_with_the_password_with_signing_out_everywhere_and_with_the_role(
    accounts: Accounts, how: str
) -> None:
    records, person_id = accounts.records, accounts.mechanic.person_id
    accounts.token(accounts.mechanic, accounts.firm)
    if how == "password":
        records.set_password(person_id, hash_password(OTHER), BY, accounts.now_ns)
    elif how == "everywhere":
        records.end_sessions(person_id, BY, accounts.now_ns)
    else:
        records.set_role(person_id, accounts.firm.organisation_id, None, BY, accounts.now_ns)
    assert records.tokens(person_id) == []


def test_a_token_ends_with_its_organisation_and_does_not_act_for_another(
    client: TestClient, accounts: Accounts
) -> None:
    records = accounts.records
    records.set_role(accounts.mechanic.person_id, accounts.other.organisation_id, Role.VIEWER, BY, accounts.now_ns)
    header = accounts.token(accounts.mechanic, accounts.firm)
    assert client.get("/api/v1/lifts", headers=header).status_code == 200
    records.change_organisation(accounts.firm.organisation_id, {"closed_ns": accounts.now_ns}, BY, accounts.now_ns)
    assert client.get("/api/v1/lifts", headers=header).status_code == 401


@pytest.mark.parametrize("form", ["totp", "link", "disabled", "subject"])
def test_the_own_second_factor_is_not_removed_without_the_password(
    client: TestClient, accounts: Accounts, form: str
) -> None:
    secret = pyotp.random_base32()
    accounts.records.set_totp(accounts.admin.person_id, secret, 0, BY, accounts.now_ns)
    sign_in(client, "admin", code=pyotp.TOTP(secret).now())
    fields = {"csrf": client.headers["X-CSRF-Token"], "disabled": "yes"}
    path = f"/people/{accounts.admin.person_id}/{form}"
    assert client.post(path, data=fields, headers={"accept": "text/html"}).status_code == 409
    now = accounts.records.person(accounts.admin.person_id)
    assert now is not None
    assert (now.has_totp, now.is_disabled) == (True, False)


def test_an_administrator_ends_the_sessions_and_tokens_of_an_account_of_the_own_organisation_alone(
    app: FastAPI, client: TestClient, accounts: Accounts
) -> None:
    mechanic, stranger = (TestClient(app, base_url="http://localhost") for _ in range(2))
    for browser, login in ((mechanic, "mechanic"), (stranger, "stranger")):
        assert sign_in(browser, login).status_code == 200
    token = accounts.token(accounts.mechanic, accounts.firm)
    sign_in(client, "boss")
    form, page = {"csrf": client.headers["X-CSRF-Token"]}, {"accept": "text/html"}
    assert client.post(f"/people/{accounts.mechanic.person_id}/sessions", data=form, headers=page).status_code == 303
    assert client.post(f"/people/{accounts.stranger.person_id}/sessions", data=form, headers=page).status_code == 404
    own = client.post(f"/people/{accounts.boss.person_id}/sessions", data=form, headers=page)
    assert (own.status_code, client.get("/api/v1/me").status_code) == (409, 200)
    assert mechanic.get("/api/v1/me").status_code == 401
    assert client.get("/api/v1/me", headers=token).status_code == 401
    assert stranger.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(
    ("wanted", "of_firm", "of_operator", "with_reason"),
    [({"second_person": False}, 403, 422, 202), ({}, 200, 200, 200), (None, 403, 422, 202)],
)
def test_a_firm_does_not_end_the_demand_for_a_second_person_and_the_operator_gives_a_reason(
    client: TestClient,
    accounts: Accounts,
    wanted: dict[str, bool] | None,
    of_firm: int,
    of_operator: int,
    with_reason: int,
) -> None:
    firm = accounts.firm.organisation_id
    path = f"/api/v1/organisations/{firm}"
    sign_in(client, "boss")
    assert client.patch(path, json={"settings": {"second_person": True}}).status_code == 200
    assert client.patch(path, json={"settings": wanted}).status_code == of_firm
    assert client.patch(path, json={"address": "Main Street 1"}).status_code == 200
    sign_in(client, "admin")
    assert client.patch(path, json={"settings": wanted}).status_code == of_operator
    explained = {"reason": "The firm has one employee"}
    assert client.patch(path, params=explained, json={"settings": wanted}).status_code == with_reason
    assert client.get(path).json()["settings"]["second_person"]


def test_a_gateway_of_another_firm_and_an_id_that_nobody_has_are_answered_alike(
    client: TestClient, accounts: Accounts
) -> None:
    accounts.records.put_lift(LiftFacts("L001", "d1", maintenance_firm="Firm"), BY, accounts.now_ns)
    accounts.records.put_lift(LiftFacts("L002", "d0", maintenance_firm="Other", gateway_id="GW-2"), BY, accounts.now_ns)
    device = Device("GW-3", GATEWAY, ("L002",), Credential(PASSWORD))
    accounts.records.add_devices([device], BY, accounts.now_ns)
    sign_in(client, "boss")
    answers = set()
    for gateway_id in ("GW-2", "GW-3", "GW-9"):
        answer = client.post("/api/v1/devices", json={"gateway_id": gateway_id, "lifts": ["L001"]})
        answers.add((answer.status_code, answer.text.replace(gateway_id, "")))
    assert len(answers) == 1
    assert answers.pop()[0] == 422


def test_a_refused_sign_in_names_the_account_for_its_organisation(client: TestClient, accounts: Accounts) -> None:
    sign_in(client, "MECHANIC", "x")
    sign_in(client, "boss")
    rows = client.get("/api/v1/audit", params={"action": "session.begin", "outcome": "refused"}).json()["items"]
    assert [(row["subject"], row["detail"], row["by"]["address"]) for row in rows] == [
        (accounts.mechanic.person_id, {"login": "mechanic"}, "testclient")
    ]


def test_expired_sessions_tokens_and_links_are_removed_daily(accounts: Accounts) -> None:
    records, person_id = accounts.records, accounts.mechanic.person_id
    long_ago_ns = accounts.now_ns - 100 * S_NS
    records.begin_session(person_id, BY, long_ago_ns, "agent")
    records.add_token(person_id, accounts.firm.organisation_id, "t", long_ago_ns + 1, BY, long_ago_ns)
    writer = AuditWriter(lambda: records, session_s=50.0)
    writer.start()
    until(lambda: (records.sessions(person_id), records.tokens(person_id)) == ([], []), "the removal")
    writer.stop()


@pytest.mark.parametrize(
    "headers",
    [{"Via": "1.1 cache"}, {"X-Forwarded-Proto": "http"}, {"X-Real-IP": "127.0.0.1"}, {"CF-Connecting-IP": "192.0.2.1"},
     {"Referer": "https://lifts.example/"}, {"Referer": "https://lifts.example/", "Sec-Fetch-Site": "same-origin"}],
)  # fmt: skip
def test_without_accounts_nothing_is_open_through_a_proxy_on_this_machine(
    settings: Settings, headers: dict[str, str]
) -> None:
    with Client(create_app(settings), base_url="http://localhost") as client:
        assert client.get("/api/v1/lifts", headers=headers).status_code == 401
        linked = {"Referer": "https://wiki.example/", "Sec-Fetch-Site": "cross-site"}
        for own in (linked, {"Referer": "http://localhost/map", "Sec-Fetch-Site": "same-origin"}):
            assert client.get("/api/v1/lifts", headers=own).status_code == 200


async def _answer_of(app: FastAPI, http_version: str) -> int:
    """Return the status of a request by a version of HTTP."""
    statuses: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(int(str(message["status"])))

    scope = {
        "type": "http", "http_version": http_version, "method": "GET", "path": "/api/v1/me", "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")], "scheme": "http", "client": ("127.0.0.1", 9), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    await app(scope, receive, send)  # type: ignore[arg-type]
    return statuses[0]


@pytest.mark.parametrize(("http_version", "status"), [("1.0", 401), ("1.1", 200)])
def test_without_accounts_http_1_0_is_taken_for_a_proxy(settings: Settings, http_version: str, status: int) -> None:
    app = create_app(settings)
    with Client(app, base_url="http://localhost") as client:
        assert client.portal is not None
        assert client.portal.call(_answer_of, app, http_version) == status


def test_the_tokens_and_links_of_a_disabled_account_stay_revoked_when_it_is_enabled(
    client: TestClient, accounts: Accounts
) -> None:
    by_token = accounts.token(accounts.mechanic, accounts.firm)
    link = accounts.records.add_link(accounts.mechanic.person_id, time.time_ns() * 2, BY, accounts.now_ns)
    assert client.get("/api/v1/me", headers=by_token).status_code == 200
    for is_disabled in (True, False):
        accounts.records.change_person(accounts.mechanic.person_id, {"is_disabled": is_disabled}, BY, accounts.now_ns)
    assert client.get("/api/v1/me", headers=by_token).status_code == 401
    assert accounts.records.link(link, time.time_ns()) is None
