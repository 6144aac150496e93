"""The time series: opened at the address of the configuration."""

from __future__ import annotations

from configuration import Configuration
from store.series.connect import open_timeseries
from store.series.timeseries import TimeSeries


def open_series(settings: Configuration, *, writable: bool) -> TimeSeries:
    """Open the time series of `[timeseries]`; only the monitor opens them writable."""
    where = settings.timeseries
    return open_timeseries(
        where.url if where.kind == "influxdb" else settings.series_path,
        token=where.token() or "",
        org=where.org,
        raw_days=where.raw_days,
        trip_days=where.trip_days,
        minute_days=where.minute_days,
        writable=writable,
    )
