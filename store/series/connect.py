"""Opens the store of time series: a folder on this machine, or an InfluxDB 2 by its address."""

from __future__ import annotations

from pathlib import Path

from store.series.files import FileSeries
from store.series.influx import InfluxSeries
from store.series.timeseries import MINUTE_DEFAULT_DAYS, RAW_DEFAULT_DAYS, TRIP_DEFAULT_DAYS, TimeSeries


def open_timeseries(
    where: str | Path,
    *,
    token: str = "",
    org: str = "liftwatch",
    raw_days: int = RAW_DEFAULT_DAYS,
    trip_days: int = TRIP_DEFAULT_DAYS,
    minute_days: int = MINUTE_DEFAULT_DAYS,
    writable: bool = True,
) -> TimeSeries:
    """Open the store at `where`: `http(s)://host:port` is an InfluxDB 2 (with `token` and `org`), else a folder.

    InfluxDB keeps trips as long as readings: `trip_days` is for files.

    The monitor opens it writable, everything else with `writable=False`.
    """
    if str(where).startswith(("http://", "https://")):
        return InfluxSeries.open(str(where), token, org, raw_days, minute_days, writable)
    return FileSeries.open(where, raw_days, minute_days, writable, trip_days)
