"""Fixtures: an application of two tenants, and an account that takes any role of the organisation "Mine"."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboards.api.context import Settings
from dashboards.sign_in.settings import OidcSettings, SignInSettings
from registry.roles import OrganisationKind, Role
from store.records.repository import Records
from tests.dashboards.applications import Client, create_app
from tests.dashboards.roles.documented import (
    BY,
    Act,
)
from tests.dashboards.roles.tenants import open_tenants
from tests.dashboards.sample_fleet import T0_NS


@pytest.fixture(scope="session")
def tenants(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of records of two tenants, to be copied."""
    path: Path = tmp_path_factory.mktemp("tenants") / "records.db"
    shutil.copy(filled, path)
    with Records.open(f"sqlite:///{path}") as opened:
        open_tenants(opened)
    return path


@pytest.fixture(name="records")
def records_of_tenants(tenants: Path, tmp_path: Path) -> Iterator[Records]:
    """Records of two tenants."""
    shutil.copy(tenants, tmp_path / "records.db")
    with Records.open(f"sqlite:///{tmp_path}/records.db") as opened:
        yield opened


@pytest.fixture(name="app")
def application(settings: Settings, tmp_path: Path) -> FastAPI:
    """An application of two tenants, with the photo of a report."""
    (tmp_path / "reported.jpg").write_bytes(b"\xff\xd8")
    sign_in = SignInSettings(oidc=OidcSettings("https://provider.example", "liftwatch", "secret", "Provider"))
    return create_app(replace(settings, photos_dir=tmp_path, sign_in=sign_in))


@pytest.fixture(name="client")
def asking(app: FastAPI) -> Iterator[TestClient]:
    with Client(app, base_url="http://localhost") as client:
        yield client


@pytest.fixture(name="act")
def account(client: TestClient, records: Records) -> Act:
    """A function that lets the client act in a role of the organisation "Mine", which becomes one of a kind."""
    mine = next(each for each in records.organisations() if each.name == "Mine").organisation_id
    ada = records.add_person("Ada", "ada", {mine: Role.VIEWER}, BY, T0_NS, is_machine=True)
    assert ada is not None
    now_ns = time.time_ns()
    secret = records.add_token(ada.person_id, mine, "test", now_ns + 3600 * 1_000_000_000, BY, now_ns)
    client.headers["Authorization"] = f"Bearer {secret}"

    def act(kind: OrganisationKind, role: Role) -> None:
        districts = ("d1",) if kind is OrganisationKind.AUTHORITY else ()
        records.change_organisation(mine, {"kind": kind, "districts": districts}, BY, T0_NS)
        records.set_role(ada.person_id, mine, role, BY, T0_NS)

    return act
