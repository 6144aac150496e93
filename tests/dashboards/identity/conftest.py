"""A dashboards application with accounts: an operator, two firms whose lifts are L001 and L002, and their people."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from store.records.repository import Records
from tests.dashboards.applications import Client, create_app
from tests.dashboards.conftest import settings_in
from tests.dashboards.identity.accounts import Accounts


@pytest.fixture(scope="session")
def filled_with_accounts(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Accounts]:
    """A file of records with the accounts; made once, copied for each test."""
    path: Path = tmp_path_factory.mktemp("accounts") / "records.db"
    shutil.copy(filled, path)
    with Records.open(f"sqlite:///{path}") as records:
        return path, Accounts(records)


@pytest.fixture(name="records")
def records_of_test(request: pytest.FixtureRequest, filled: Path, tmp_path: Path) -> Iterator[Records]:
    """Records of six lifts, with the accounts where the test uses them."""
    has_accounts = "accounts" in request.fixturenames
    shutil.copy(request.getfixturevalue("filled_with_accounts")[0] if has_accounts else filled, tmp_path / "records.db")
    with Records.open(f"sqlite:///{tmp_path}/records.db") as opened:
        yield opened


@pytest.fixture
def accounts(filled_with_accounts: tuple[Path, Accounts], records: Records) -> Accounts:
    """The accounts in the records."""
    return filled_with_accounts[1].copied(records)


@pytest.fixture
def app(settings: Settings, accounts: Accounts) -> FastAPI:
    """The application in front of them."""
    return create_app(settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A browser on this machine that is not signed in."""
    with Client(app, base_url="http://localhost", follow_redirects=False) as asking:
        yield asking


@pytest.fixture(scope="module")
def shared_application(
    filled_with_accounts: tuple[Path, Accounts], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestClient, Accounts]]:
    """An application for all cases of a module that change no record, and its accounts."""
    folder: Path = tmp_path_factory.mktemp("shared")
    shutil.copy(filled_with_accounts[0], folder / "records.db")
    with Records.open(f"sqlite:///{folder}/records.db") as records:
        app = create_app(settings_in(folder))
        with Client(app, base_url="http://localhost", follow_redirects=False) as asking:
            yield asking, filled_with_accounts[1].copied(records)


@pytest.fixture
def shared_accounts(shared_application: tuple[TestClient, Accounts]) -> Accounts:
    """The accounts of the application that the cases of a module share."""
    return shared_application[1]


@pytest.fixture
def shared_client(shared_application: tuple[TestClient, Accounts]) -> TestClient:
    """A browser that is not signed in, at the application that the cases of a module share."""
    shared_application[0].cookies.clear()
    shared_application[0].headers.pop("X-CSRF-Token", None)
    return shared_application[0]
