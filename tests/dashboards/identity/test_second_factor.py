"""The second factor: its sealed secret, who may set it up, recovery codes, and whom a change is reported to."""

from __future__ import annotations

import logging
from pathlib import Path

import pyotp
import pytest
from fastapi.testclient import TestClient

from store.records.identity.credentials import new_totp_secret
from tests.dashboards.identity.accounts import BY, PASSWORD, Accounts, sign_in


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
