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
from tests.dashboards.applications import create_app
from tests.dashboards.conftest import settings_in
from tests.dashboards.identity.accounts import Accounts


@pytest.fixture
def accounts(records: Records) -> Accounts:
    """The accounts in the records."""
    return Accounts(records)


@pytest.fixture
def app(settings: Settings, accounts: Accounts) -> FastAPI:
    """The application in front of them."""
    return create_app(settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A browser on this machine that is not signed in."""
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as asking:
        yield asking


@pytest.fixture(scope="module")
def shared_application(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Accounts]]:
    """An application for all cases of a module that change no record, and its accounts."""
    folder: Path = tmp_path_factory.mktemp("shared")
    shutil.copy(filled, folder / "records.db")
    with Records.open(f"sqlite:///{folder}/records.db") as records:
        accounts = Accounts(records)
        app = create_app(settings_in(folder))
        with TestClient(app, base_url="http://localhost", follow_redirects=False) as asking:
            yield asking, accounts


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
