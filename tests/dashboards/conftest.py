"""A dashboards application over real stores in a temporary folder, with a fleet that a monitor wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dashboards.app import create_app
from dashboards.desk import Settings
from store.connect import open_timeseries
from store.records import Records
from tests.dashboards.fleet import T0_NS, facts, table

BASE = "http://localhost"


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Records of six lifts, all heard."""
    with Records.open(f"sqlite:///{tmp_path}/records.db") as opened:
        opened.put_lifts([facts(f"L{number:03}") for number in range(6)], by="test", now_ns=T0_NS)
        opened.put_live(table(6).pack(), {"received": 6.0, "refused:not-json": 2.0}, T0_NS)
        yield opened


@pytest.fixture
def settings(tmp_path: Path, records: Records) -> Settings:
    """The front door's settings, with a simulator that remembers what it was told."""
    told: list[Any] = []
    return Settings(
        open_records=lambda: Records.open(f"sqlite:///{tmp_path}/records.db"),
        open_series=lambda: open_timeseries(tmp_path / "series", writable=False),
        demo=True,
        causes=("overspeed", "entrapment"),
        inject=lambda *asked: told.append(asked),
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A program that asks the API."""
    with TestClient(create_app(settings), base_url=BASE) as asking:
        yield asking


@pytest.fixture
def look(client: TestClient) -> Callable[[], None]:
    """Make the server look at the records at once."""
    return lambda: client.app.state.desk.watch.look()  # type: ignore[attr-defined]
