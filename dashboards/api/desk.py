"""What every route works with: the stores, the watch over the fleet, the live streams and the counters.

A store that is away when the dashboards start is no reason not to start: it is opened when it is first asked, and
again after it could not be. Until then the answer is a problem (503) that says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from dashboards.http.metrics import Meters
from dashboards.http.problem import away
from dashboards.live.stream import Hub
from dashboards.live.watch import Watch
from store.records.repository import Records
from store.series.timeseries import TimeSeries

REOPEN_S = 2.0
T = TypeVar("T")

Inject = Callable[[str, str, float], None]


@dataclass(frozen=True)
class Settings:
    """What the front door decides. `hosts` are names this server answers to besides localhost and addresses.

    `inject` tells the simulated lift `lift_id` to have the fault `cause` for so many seconds (OSError: nobody is there,
    ValueError: not such a fault); without it, or without `demo`, there is no such route. `causes` are the faults.
    """

    open_records: Callable[[], Records]
    open_series: Callable[[], TimeSeries]
    host: str = "127.0.0.1"
    port: int = 8080
    hosts: tuple[str, ...] = ()
    demo: bool = False
    causes: tuple[str, ...] = ()
    inject: Inject | None = None


class Reached(Generic[T]):
    """A store that is opened when it is first asked, by whoever asks, and not more often than `REOPEN_S` apart."""

    def __init__(self, what: str, opens: Callable[[], T]) -> None:
        self._what, self._open = what, opens
        self._lock = threading.Lock()
        self._store: T | None = None
        self._tried_s = -REOPEN_S
        self._cause = ""

    def __call__(self) -> T:
        """Return the store; a problem (503) while it cannot be opened."""
        with self._lock:
            if self._store is None:
                self._try()
            if self._store is None:
                raise away(self._what, self._cause)
            return self._store

    def _try(self) -> None:
        if time.monotonic() - self._tried_s < REOPEN_S:
            return
        self._tried_s = time.monotonic()
        try:
            self._store = self._open()
        except Exception as error:
            self._cause = str(error)

    def close(self) -> None:
        """Close the store if it was opened."""
        with self._lock:
            if self._store is not None:
                self._store.close()  # type: ignore[attr-defined]
                self._store = None


@dataclass
class Desk:
    """The parts of one dashboards process."""

    settings: Settings
    records: Reached[Records] = field(init=False)
    series: Reached[TimeSeries] = field(init=False)
    meters: Meters = field(init=False)
    hub: Hub = field(init=False)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.records = Reached("records", self.settings.open_records)
        self.series = Reached("time series", self.settings.open_series)
        self.meters = Meters()
        self.hub = Hub(self.meters)
        self.watch = Watch(self.records, self.hub, self.meters)

    def close(self) -> None:
        """Stop watching and let go of the stores."""
        self.watch.stop()
        self.records.close()
        self.series.close()
