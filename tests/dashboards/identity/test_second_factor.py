"""The second factor: its sealed secret, who may set it up, recovery codes, and whom a change is reported to."""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path
from typing import Any

import pyotp
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboards.sign_in.attempts import OF_ACCOUNT
from registry.ways import MAIL
from store.records.identity.credentials import new_totp_secret
from store.records.repository import AuditFilter
from tests.dashboards.identity.accounts import BY, PASSWORD, S_NS, Accounts, sign_in

PAGE = {"accept": "text/html"}
CODE = re.compile(r"\b(?:[A-Z2-7]{4}-){5}[A-Z2-7]{4}\b")


def send(client: TestClient, form: str, **fields: str) -> Any:
    """Send a form of the page of the account."""
    token = client.headers["X-CSRF-Token"]
    return client.post(f"/account/{form}", data={"csrf": token, "password": PASSWORD, **fields}, headers=PAGE)


def enrol(client: TestClient, accounts: Accounts, login: str = "viewer") -> tuple[str, list[str]]:
    """Sign in and set up a second factor; return its secret and the recovery codes."""
    assert sign_in(client, login).status_code == 200
    secret = new_totp_secret()
    page = send(client, "totp", secret=secret, code=pyotp.TOTP(secret).now())
    assert page.status_code == 200
    return secret, CODE.findall(page.text)


def notices(accounts: Accounts) -> list[str]:
    """Return the notices of accounts that wait to be sent."""
    waiting = accounts.records.claim_notifications(time.time_ns(), S_NS, 100)
    return [each.notification.sentence["en"] for each in waiting if each.notification.kind == "account"]


def add_mail(accounts: Accounts, person_id: str) -> None:
    """Give a person a verified address of mail."""
    way = accounts.records.add_way(person_id, MAIL, "v@example.org", None, BY, accounts.now_ns)
    (code,) = accounts.records.claim_notifications(accounts.now_ns, S_NS, 9)
    assert accounts.records.verify_way(person_id, way.way_id, code.notification.code or "", BY, accounts.now_ns)


def test_without_its_key_a_second_factor_is_refused_after_the_password_and_others_sign_in(
    client: TestClient, accounts: Accounts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = new_totp_secret()
    accounts.records.set_totp(accounts.viewer.person_id, secret, 0, BY, accounts.now_ns)
    (tmp_path / "records.key").rename(tmp_path / "away.key")
    assert sign_in(client, "viewer", "wrong password", code="123456").status_code == 401
    with caplog.at_level(logging.ERROR):
        refused = sign_in(client, "viewer", code=pyotp.TOTP(secret).now())
    assert (refused.status_code, refused.json()["type"].endswith("secrets-unreadable")) == (503, True)
    assert str(tmp_path) not in refused.text, "the place of the key is for the log"
    assert f"restore {tmp_path / 'records.key'} from a backup" in caplog.text
    assert sign_in(client, "mechanic").status_code == 200
    (tmp_path / "away.key").rename(tmp_path / "records.key")
    assert sign_in(client, "viewer", PASSWORD, code=pyotp.TOTP(secret).now()).status_code == 200


def test_a_session_without_the_password_neither_sets_up_nor_removes_a_second_factor(
    client: TestClient, accounts: Accounts
) -> None:
    sign_in(client, "viewer")
    secret = new_totp_secret()
    code = pyotp.TOTP(secret).now()
    for password in ("", "wrong password"):
        assert send(client, "totp", secret=secret, code=code, password=password).status_code == 422
    assert send(client, "totp", secret=secret, code="000000").status_code == 422
    assert send(client, "totp", secret="A" * 24, code=pyotp.TOTP("A" * 24).now()).status_code == 422
    token = accounts.token(accounts.viewer, accounts.desk)
    client.cookies.clear()
    assert client.post("/account/totp", data={"secret": secret, "code": code}, headers=token).status_code == 403
    found = accounts.records.person(accounts.viewer.person_id)
    assert found is not None
    assert not found.has_totp


def test_removing_it_and_new_recovery_codes_need_a_code_within_the_limits_of_attempts(
    client: TestClient, accounts: Accounts
) -> None:
    _, codes = enrol(client, accounts)
    assert send(client, "no-totp").status_code == 422
    assert send(client, "recovery", code="000000").status_code == 422
    renewed = CODE.findall(send(client, "recovery", code=codes[0]).text)
    assert (len(renewed), set(renewed) & set(codes)) == (10, set())
    assert [send(client, "no-totp", code=codes[1]).status_code for _ in range(OF_ACCOUNT.free + 1)] == [422] * (
        OF_ACCOUNT.free + 1
    )
    assert "too many attempts" in send(client, "no-totp", code=renewed[0]).text, "guessing waits"


def test_a_second_factor_that_is_on_is_not_replaced_with_the_password_alone(
    client: TestClient, accounts: Accounts
) -> None:
    secret, _ = enrol(client, accounts)
    other = new_totp_secret()
    replaced = send(client, "totp", secret=other, code=pyotp.TOTP(other).now())
    assert replaced.status_code == 422
    assert "turn it off first" in replaced.text
    found = accounts.records.credentials(accounts.viewer.person_id)
    assert found is not None
    assert accounts.records.totp_secret(found) == secret


def test_a_recovery_code_signs_in_once_and_is_stored_as_a_hash(app: FastAPI, accounts: Accounts) -> None:
    client = TestClient(app, base_url="http://localhost", follow_redirects=False)
    add_mail(accounts, accounts.viewer.person_id)
    _, codes = enrol(client, accounts)
    assert len(set(codes)) == 10
    with accounts.records._database.reading() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM recovery_codes").all())
    assert not any(code.replace("-", "") in rows or code in rows for code in codes)
    assert sign_in(client, "viewer", "wrong password", code=codes[0]).status_code == 401
    assert sign_in(client, "mechanic", code=codes[0]).status_code == 200, "without a second factor a code is not read"
    assert sign_in(client, "viewer", code=codes[0].lower()).status_code == 200
    assert sign_in(client, "viewer", code=codes[0]).status_code == 401
    form = {"login": "viewer", "password": PASSWORD, "code": "", "recovery": codes[1]}
    browser = TestClient(app, base_url="http://localhost", follow_redirects=False)
    assert browser.post("/sign-in", data=form).status_code == 303
    assert accounts.records.recovery_codes_left(accounts.viewer.person_id) == 8
    assert notices(accounts).count("A recovery code was used for your account, from testclient") == 2
    accounts.records.set_totp(accounts.viewer.person_id, None, 0, BY, time.time_ns())
    assert accounts.records.recovery_codes_left(accounts.viewer.person_id) == 0


def test_a_recovery_code_signs_in_where_the_key_of_the_secret_is_missing(
    client: TestClient, accounts: Accounts, tmp_path: Path
) -> None:
    _, codes = enrol(client, accounts)
    (tmp_path / "records.key").unlink()
    assert sign_in(client, "viewer", code=codes[0]).status_code == 200


def test_the_owner_is_notified_of_each_change_of_credentials_and_the_audit_log_has_it(
    client: TestClient, accounts: Accounts
) -> None:
    add_mail(accounts, accounts.viewer.person_id)
    secret, codes = enrol(client, accounts)
    assert send(client, "no-totp", code=codes[0]).status_code == 303
    assert send(client, "password", new="another horse battery", again="another horse battery").status_code == 303
    assert sorted(notices(accounts)) == [
        f"{what}, from testclient"
        for what in (
            "A recovery code was used for your account",
            "A second factor was set up for your account",
            "The password of your account was changed",
            "The second factor of your account was removed",
        )
    ]
    rows = accounts.records.audit(AuditFilter(who=accounts.viewer.account)).items
    acts = [row.action for row in sorted(rows, key=lambda row: row.id) if row.action.startswith("person.")]
    assert acts == [
        "person.totp", "person.recovery-codes", "person.recover", "person.totp", "person.password",
    ]  # fmt: skip
    assert not any(text in str(rows) for text in (secret, codes[0], codes[0].replace("-", "")))
