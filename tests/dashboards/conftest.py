"""Fixtures: a dashboards application over real stores in a temporary folder, with the live state of six lifts."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from dashboards.api.context import DeviceActions, Settings
from dashboards.api.map.settings import BaseTiles, MapSettings
from registry.actor import Actor
from registry.devices import Credential
from store.records.repository import Records
from store.series.connect import open_timeseries
from tests.dashboards.applications import Client, accept_fault, create_app
from tests.dashboards.sample_fleet import T0_NS, facts, table

BASE = "http://localhost"
CITY = Path(__file__).with_name("city.pmtiles")
DEVICES = DeviceActions(
    new_password=lambda name: (Credential("password", f"$7$hash of {name}"), f"password of {name}"),
    apply=lambda records: None,
    hindrance=lambda: None,
)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of records of six lifts, all online; made once, copied for each test."""
    path: Path = tmp_path_factory.mktemp("filled") / "records.db"
    with Records.open(f"sqlite:///{path}") as opened:
        opened.put_lifts([facts(f"L{number:03}") for number in range(6)], by=Actor.named("test"), now_ns=T0_NS)
        opened.put_live(table(6).encode(), {"received": 6.0, "refused:not-json": 2.0}, T0_NS)
    return path


@pytest.fixture
def records(filled: Path, tmp_path: Path) -> Iterator[Records]:
    """Records of six lifts, all online."""
    shutil.copy(filled, tmp_path / "records.db")
    with Records.open(f"sqlite:///{tmp_path}/records.db") as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path, records: Records) -> Settings:
    """The settings of the pages, with a simulator that keeps the faults it was asked to inject."""
    return settings_in(tmp_path)


def settings_in(folder: Path) -> Settings:
    """Return the settings of pages over the records and readings in `folder`."""
    return Settings(
        open_records=lambda: Records.open(f"sqlite:///{folder}/records.db"),
        open_series=lambda: open_timeseries(folder / "series", writable=False),
        demo=True,
        monitor_silent_s=math.inf,
        map=MapSettings(tiles=BaseTiles("raster", file=CITY)),
        causes=("overspeed", "entrapment"),
        inject=accept_fault,
        devices=DEVICES,
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A program that asks the API."""
    with Client(create_app(settings), base_url=BASE) as asking:
        yield asking


@pytest.fixture(scope="module")
def shared_client(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A program that asks an API whose records nobody changes; one for all cases of a module."""
    folder: Path = tmp_path_factory.mktemp("read")
    shutil.copy(filled, folder / "records.db")
    with Client(create_app(settings_in(folder)), base_url=BASE) as asking:
        yield asking
