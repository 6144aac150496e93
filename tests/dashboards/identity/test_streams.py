"""Live streams of accounts: they end when the account may no longer see them, and are limited for each account."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from dashboards.api.context import Settings
from dashboards.live import event_stream
from dashboards.sign_in.identity import Authenticator
from registry.roles import Role
from tests.dashboards.browser_world import served
from tests.dashboards.identity.accounts import BY, PASSWORD, Accounts
from tests.loopback import until

Change = Callable[[Accounts], object]


@pytest.fixture(name="address")
def serve(settings: Settings, accounts: Accounts) -> Iterator[str]:
    with served(settings) as address:
        yield address


@contextmanager
def open_stream(address: str, headers: dict[str, str]) -> Iterator[threading.Event]:
    """Open a stream; yield an event that is set when the server has ended the stream."""
    ended, begun = threading.Event(), threading.Event()

    def read() -> None:
        with httpx.stream("GET", f"{address}/api/v1/live", headers=headers, timeout=60) as answer:
            for _ in answer.iter_raw():
                begun.set()
        ended.set()

    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(60)
    yield ended
    thread.join(60)


CHANGES: dict[str, Change] = {
    "the role is taken": lambda of: of.records.set_role(
        of.mechanic.person_id, of.firm.organisation_id, None, BY, of.now_ns
    ),
    "the account is disabled": lambda of: of.records.change_person(
        of.mechanic.person_id, {"is_disabled": True}, BY, of.now_ns
    ),
    "the organisation is closed": lambda of: of.records.change_organisation(
        of.firm.organisation_id, {"closed_ns": of.now_ns}, BY, of.now_ns
    ),
    "the token is revoked": lambda of: of.records.revoke_token(
        of.mechanic.person_id, of.records.tokens(of.mechanic.person_id)[0].token_id, BY, of.now_ns
    ),
    "the organisation is renamed": lambda of: of.records.change_organisation(
        of.firm.organisation_id, {"name": "Firm and Sons"}, BY, of.now_ns
    ),
    "the organisation is merged into another": lambda of: of.records.merge_organisations(
        of.desk.organisation_id, of.firm.organisation_id, BY, of.now_ns
    ),
    "the role is another one": lambda of: of.records.set_role(
        of.mechanic.person_id, of.firm.organisation_id, Role.VIEWER, BY, of.now_ns
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_open_stream_ends_soon_after_the_account_loses_it(address: str, accounts: Accounts, change: Change) -> None:
    header = accounts.token(accounts.mechanic, accounts.firm)
    other = accounts.token(accounts.stranger, accounts.other)
    with open_stream(address, header) as ended, open_stream(address, other) as others:
        change(accounts)
        until(ended.is_set, "the end of the stream")
        assert not others.is_set()
        accounts.records.change_person(accounts.stranger.person_id, {"is_disabled": True}, BY, accounts.now_ns)


def test_a_stream_of_a_session_ends_soon_after_the_role_is_taken(address: str, accounts: Accounts) -> None:
    with httpx.Client(base_url=address) as browser:
        begun = browser.post("/api/v1/session", json={"login": "mechanic", "password": PASSWORD})
        cookie = {"Cookie": begun.headers["set-cookie"].split(";")[0]}
    with open_stream(address, cookie) as ended:
        CHANGES["the role is taken"](accounts)
        until(ended.is_set, "the end of the stream")


def test_a_stream_ends_whose_access_cannot_be_checked(
    address: str, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_stream(address, accounts.token(accounts.mechanic, accounts.firm)) as ended:
        monkeypatch.setattr(Authenticator, "is_current", lambda *_: 1 // 0)
        accounts.records.change_person(accounts.stranger.person_id, {"name": "S"}, BY, accounts.now_ns)
        until(ended.is_set, "the end of the stream")


def test_access_is_checked_within_five_seconds() -> None:
    assert event_stream.ACCESS_CHECK_S + 1.0 < 5.0


def test_one_account_has_a_limited_number_of_streams(
    address: str, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "SUBSCRIBERS_OF_AN_ACCOUNT_LIMIT", 1)
    header = accounts.token(accounts.mechanic, accounts.firm)
    with open_stream(address, header):
        again = httpx.get(f"{address}/api/v1/live", headers=accounts.token(accounts.mechanic, accounts.firm))
        assert again.status_code == 429
        CHANGES["the account is disabled"](accounts)
