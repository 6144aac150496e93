"""Every store of readings, empty and open, one after the other: what is true of one is true of all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.series.connect import open_timeseries
from store.series.timeseries import TimeSeries
from tests.store.influxd import Influx


@pytest.fixture(params=["files", pytest.param("influx", marks=pytest.mark.influx)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TimeSeries]:
    if request.param == "files":
        opened = open_timeseries(tmp_path / "series", raw_days=0, minute_days=0)
    else:
        influx: Influx = request.getfixturevalue("influx")
        opened = open_timeseries(influx.url, token=influx.token, org=influx.org, raw_days=0, minute_days=0)
    yield opened
    opened.close()
