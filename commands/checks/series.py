"""The time series: a folder that can be written, or an InfluxDB that is healthy and lets the token read and write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from commands.checks.config_check import ConfigCheck
from commands.checks.folders import usable_folder
from commands.errors import Unusable
from configuration import Configuration
from store.series.influx import InfluxSeries
from store.series.timeseries import TimeSeriesRefused, TimeSeriesUnavailable

URL_KEY, TOKEN_FILE_KEY = "timeseries.url", "timeseries.token_file"


def checks(settings: Configuration) -> Iterator[ConfigCheck]:
    """Return the checks of `[timeseries]`."""
    where = settings.timeseries
    if where.kind == "files":
        yield ConfigCheck("timeseries.path", lambda: usable_folder(settings.series_path, "timeseries.path"))
        return

    def health() -> str:
        with closing(InfluxSeries.open(where.url, "", where.org, writable=False)) as series:
            try:
                return f"{where.url} is healthy ({series.check_health()})"
            except (TimeSeriesUnavailable, TimeSeriesRefused) as error:
                raise Unusable(f"{error}; start an InfluxDB 2 there, or set {URL_KEY}") from None

    def access() -> str:
        with closing(InfluxSeries.open(where.url, where.token() or "", where.org, writable=False)) as series:
            try:
                return series.check_access()
            except TimeSeriesRefused as error:
                raise Unusable(f"{error}; look at timeseries.org and {TOKEN_FILE_KEY}") from None

    yield ConfigCheck(URL_KEY, health)
    if where.token_file:
        yield ConfigCheck(TOKEN_FILE_KEY, lambda: f"{where.token_file} holds {len(where.token() or '')} characters")
    yield ConfigCheck("timeseries", access, (URL_KEY, TOKEN_FILE_KEY))
