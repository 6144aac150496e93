"""Sign-in with OpenID Connect against a provider that runs on loopback."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey

from dashboards.api.context import Settings
from dashboards.sign_in import oidc
from dashboards.sign_in.settings import OidcSettings, SignInSettings
from registry.people import Person
from registry.roles import Role
from store.records.identity.credentials import new_totp_secret
from store.records.repository import AuditFilter
from tests.dashboards.applications import Client, create_app
from tests.dashboards.identity.accounts import BY, COOKIE, PASSWORD, Accounts, sign_in
from tests.dashboards.identity.provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider
from tests.dashboards.identity.test_second_factor import add_mail, notices

REFUSED = "/sign-in?refused=provider"


@pytest.fixture(scope="module")
def server_of_provider() -> Iterator[Provider]:
    """A provider for all cases: at one address, the application analyses its routes once."""
    with running_provider() as provider:
        yield provider


@pytest.fixture(name="provider")
def new_provider(server_of_provider: Provider) -> Provider:
    """The provider as it was started."""
    server_of_provider.reset()
    return server_of_provider


@pytest.fixture(name="app")
def application(settings: Settings, accounts: Accounts, provider: Provider) -> FastAPI:
    city = OidcSettings(provider.issuer, CLIENT_ID, CLIENT_SECRET, "City ID")
    return create_app(replace(settings, sign_in=SignInSettings(oidc=city)))


@pytest.fixture(name="invited")
def invite(accounts: Accounts) -> Person:
    roles = {accounts.firm.organisation_id: Role.MECHANIC}
    added = accounts.records.add_person("Invited", "Invited@Example.org", roles, BY, accounts.now_ns)
    assert added is not None
    return added


def at_provider(client: TestClient, path: str) -> str:
    """Begin, and be sent back by the provider; return the path and query of the way back."""
    begun = client.get(path)
    assert begun.status_code == 303
    return sent_back_from(begun.headers["location"])


def sent_back_from(address: str) -> str:
    """Return the path and query to which the provider sends a browser back from an address."""
    sent_back = httpx.get(address)
    assert sent_back.status_code == 302
    parts = urlsplit(sent_back.headers["location"])
    return f"{parts.path}?{parts.query}"


def signed_in_as(client: TestClient) -> str | None:
    """Return the login of the client, None where it is not signed in."""
    answer = client.get("/api/v1/me")
    return answer.json()["person"]["login"] if answer.status_code == 200 else None


def test_an_invited_person_is_bound_by_the_verified_address_and_signs_in_by_the_subject(
    client: TestClient, provider: Provider, invited: Person
) -> None:
    back = client.get(at_provider(client, "/sign-in/oidc?next=/lifts/L001"))
    assert (back.status_code, back.headers["location"]) == (303, "/lifts/L001")
    assert "HttpOnly" in back.headers["set-cookie"]
    assert signed_in_as(client) == "Invited@Example.org"
    client.cookies.clear()
    provider.user = {"sub": "subject-1", "email": "renamed@example.org", "email_verified": True}
    client.get(at_provider(client, "/sign-in/oidc"))
    assert signed_in_as(client) == "Invited@Example.org"


@pytest.mark.parametrize(
    "user",
    [{"email": "invited@example.org", "email_verified": False}, {"email": "invited@example.org"},
     {"email": "nobody@example.org", "email_verified": True}, {"email": "viewer", "email_verified": True}, {}],
)  # fmt: skip
def test_nobody_is_created_or_bound_without_an_invitation(
    client: TestClient, accounts: Accounts, provider: Provider, invited: Person, user: dict[str, Any]
) -> None:
    before = accounts.records.people()
    provider.user = {"sub": "subject-2", **user}
    assert client.get(at_provider(client, "/sign-in/oidc")).headers["location"] == REFUSED
    assert signed_in_as(client) is None
    assert accounts.records.people() == before
    assert "invitation" in client.get(REFUSED, headers={"accept": "text/html"}).text


def link_token(client: TestClient, secret: str) -> str | None:
    """Return the token of the form of a one-time link's page, None where the page does not offer the provider."""
    page = client.get(f"/welcome?code={secret}", headers={"accept": "text/html"}).text
    token = re.search(r'name="form_token" value="(\w+)"', page)
    return None if token is None else token[1]


def come_back_by_link(client: TestClient, secret: str, token: str | None) -> str:
    """Begin at the page of a one-time link; return where the way back from the provider leads."""
    begun = client.post("/sign-in/oidc", data={"code": secret, "form_token": token or ""})
    address = re.search(r'id="continue" href="([^"]+)"', begun.text)
    assert address is not None
    return str(client.get(sent_back_from(html.unescape(address[1]))).headers["location"])


def test_a_one_time_link_binds_whatever_address_the_provider_names_and_the_owner_is_notified(
    client: TestClient, accounts: Accounts, provider: Provider
) -> None:
    add_mail(accounts, accounts.viewer.person_id)
    secret = accounts.records.add_link(accounts.viewer.person_id, accounts.now_ns * 2, BY, accounts.now_ns)
    provider.user = {"sub": "subject-3"}
    assert come_back_by_link(client, secret, link_token(client, secret)) == "/"
    assert signed_in_as(client) == "viewer"
    assert accounts.records.link(secret, time.time_ns()) is None
    assert notices(accounts) == ["The identity provider now signs in to your account"]


def test_a_one_time_link_binds_no_subject_to_an_account_with_a_second_factor(
    client: TestClient, accounts: Accounts, provider: Provider
) -> None:
    secret = accounts.records.add_link(accounts.viewer.person_id, accounts.now_ns * 2, BY, accounts.now_ns)
    token = link_token(client, secret)
    accounts.records.set_totp(accounts.viewer.person_id, new_totp_secret(), 0, BY, accounts.now_ns)
    assert link_token(client, secret) is None
    provider.user = {"sub": "subject-5"}
    assert come_back_by_link(client, secret, token) == REFUSED
    assert signed_in_as(client) is None
    assert accounts.records.person_of_subject(provider.issuer, "subject-5") is None
    assert accounts.records.link(secret, time.time_ns()) is not None, "it still sets a password"


def test_another_site_does_not_bind_the_visitors_subject_to_an_account_of_its_own(
    client: TestClient, accounts: Accounts, provider: Provider
) -> None:
    secret = accounts.records.add_link(accounts.stranger.person_id, accounts.now_ns * 2, BY, accounts.now_ns)
    provider.user = {"sub": "subject-4"}
    assert client.get(at_provider(client, f"/sign-in/oidc?code={secret}")).headers["location"] == REFUSED
    client.get(f"/welcome?code={secret}", headers={"accept": "text/html"})
    for token in ("", "0" * 64):
        assert client.post("/sign-in/oidc", data={"code": secret, "form_token": token}).status_code == 403
    assert accounts.records.link(secret, time.time_ns()) is not None


def test_a_disabled_person_does_not_sign_in(client: TestClient, accounts: Accounts, invited: Person) -> None:
    client.get(at_provider(client, "/sign-in/oidc"))
    accounts.records.change_person(invited.person_id, {"is_disabled": True}, BY, accounts.now_ns)
    assert client.get(at_provider(client, "/sign-in/oidc")).headers["location"] == REFUSED


@pytest.mark.parametrize(
    "spoil",
    [
        {"claims": {"nonce": "another"}}, {"claims": {"nonce": None}}, {"claims": {"aud": "another"}},
        {"claims": {"iss": "http://evil.example"}}, {"claims": {"exp": 1}}, {"claims": {"sub": None}},
        {"claims": {"azp": "another"}}, {"claims": {"iat": "now"}}, {"alg": "none"}, {"alg": "HS256"},
        {"key": RSAKey.generate_key(2048, {"kid": "k1"})},
    ],
)  # fmt: skip
def test_an_id_token_that_is_not_for_this_sign_in_is_refused(
    client: TestClient, provider: Provider, invited: Person, spoil: dict[str, Any]
) -> None:
    provider.spoil = spoil
    assert client.get(at_provider(client, "/sign-in/oidc")).headers["location"] == REFUSED
    assert COOKIE not in client.cookies
    provider.spoil = {}
    client.get(at_provider(client, "/sign-in/oidc"))
    assert signed_in_as(client) == "Invited@Example.org"


def test_a_way_back_works_once_and_in_the_browser_that_began(app: FastAPI, client: TestClient, invited: Person) -> None:
    way_back = at_provider(client, "/sign-in/oidc")
    victim = TestClient(app, base_url="http://localhost", follow_redirects=False)
    assert victim.get(way_back).headers["location"] == REFUSED
    assert client.get(way_back).headers["location"] == REFUSED
    way_back = at_provider(client, "/sign-in/oidc")
    assert client.get(way_back).headers["location"] == "/"
    assert client.get(way_back).headers["location"] == REFUSED


@pytest.mark.parametrize("query", ["", "?state=x&code=y", "?error=access_denied", "?state=" + "x" * 4000])
def test_ways_back_that_nobody_began_are_refused_and_counted_in_one_audit_row(
    client: TestClient, accounts: Accounts, query: str
) -> None:
    for _ in range(3):
        assert client.get(f"/sign-in/oidc/return{query}").headers["location"] == REFUSED
    client.app.state.context.audit.stop()  # type: ignore[attr-defined]
    (row,) = accounts.records.audit(AuditFilter(action="session.begin")).items
    assert (row.outcome, row.subject, row.by.address) == ("refused", "", "testclient")
    assert '"count":3' in (row.detail or "")


def test_whoever_begins_many_sign_ins_ends_those_of_no_other_address(
    app: FastAPI, client: TestClient, invited: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "ATTEMPTS_OF_ADDRESS", 2)
    monkeypatch.setattr(oidc, "ATTEMPTS_LIMIT", 4)
    way_back = at_provider(client, "/sign-in/oidc")
    other = TestClient(app, base_url="http://localhost", follow_redirects=False, client=("127.0.0.9", 1))
    assert {other.get("/sign-in/oidc").status_code for _ in range(6)} == {303}
    assert client.get(way_back).headers["location"] == "/"


def test_a_provider_that_names_another_issuer_is_refused(client: TestClient, provider: Provider) -> None:
    provider.claimed_issuer = "http://evil.example"
    assert client.get("/sign-in/oidc").headers["location"] == REFUSED


def test_a_provider_that_does_not_answer_leaves_passwords(settings: Settings, accounts: Accounts) -> None:
    oidc = OidcSettings("http://127.0.0.1:9", CLIENT_ID, CLIENT_SECRET, "City ID")
    app = create_app(replace(settings, sign_in=SignInSettings(oidc=oidc)))
    with Client(app, base_url="http://localhost", follow_redirects=False) as client:
        assert client.get("/sign-in/oidc").headers["location"] == REFUSED
        assert "City ID" in client.get("/sign-in", headers={"accept": "text/html"}).text


def test_without_a_provider_there_is_no_such_path(settings: Settings, accounts: Accounts) -> None:
    with Client(create_app(settings), base_url="http://localhost") as client:
        assert client.get("/sign-in/oidc").status_code == 404


@pytest.mark.parametrize("by_owner", [True, False])
def test_the_sign_in_by_the_provider_is_ended_by_the_owner_or_an_administrator(
    app: FastAPI, client: TestClient, accounts: Accounts, provider: Provider, by_owner: bool
) -> None:
    viewer = accounts.viewer.person_id
    add_mail(accounts, viewer)
    accounts.records.bind_subject(viewer, provider.issuer, "subject-6", BY, accounts.now_ns)
    provider.user = {"sub": "subject-6"}
    assert client.get(at_provider(client, "/sign-in/oidc")).headers["location"] == "/"
    assert signed_in_as(client) == "viewer"
    acting, path = TestClient(app, base_url="http://localhost", follow_redirects=False), "/account/no-subject"
    login = "viewer" if by_owner else "admin"
    assert sign_in(acting, login).status_code == 200
    form, page = {"csrf": acting.headers["X-CSRF-Token"]}, {"accept": "text/html"}
    if by_owner:
        assert acting.post(path, data={**form, "password": "wrong"}, headers=page).status_code == 422
    else:
        path = f"/people/{viewer}/subject"
        assert f'"{path}"' in acting.get(f"/people/{viewer}", headers=page).text
    assert acting.post(path, data={**form, "password": PASSWORD}, headers=page).status_code == 303
    assert signed_in_as(acting) == login
    assert signed_in_as(client) is None
    assert client.get(at_provider(client, "/sign-in/oidc")).headers["location"] == REFUSED
    assert notices(accounts)[-1].startswith("The identity provider does not sign in to your account any more")
    row = accounts.records.audit(AuditFilter(action="person.no-subject"), limit=1).items[0]
    assert (row.subject, '"oidc_subject":"subject-6"' in (row.detail or "")) == (viewer, True)
