"""A dashboards application with accounts: an operator, two firms whose lifts are L001 and L002, and their people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from dashboards.app import create_app
from store.records.repository import Records
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
