"""The application context of the dashboards: settings, stores, metrics, poller of the fleet and event broadcaster.

The dashboards start also while a store is unavailable: a store is opened at its first use, and a failed attempt is
repeated at a later use. Until the store opens, requests that need the store are answered with a problem (503).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from alerts.incidents.rescue import RescuePoint, RescueTimes
from dashboards.api.audit.writer import AuditWriter
from dashboards.api.incidents.photos import ReportPhotos
from dashboards.api.map.settings import MapSettings
from dashboards.http.metrics import ServerMetrics
from dashboards.http.problem import unavailable
from dashboards.live.event_stream import EventBroadcaster
from dashboards.live.imports import RunningImports
from dashboards.live.partitions import MONITOR_SILENT_S
from dashboards.live.poller import FleetPoller
from dashboards.sign_in.identity import Authenticator
from dashboards.sign_in.oidc import OidcClient
from dashboards.sign_in.passwords import PasswordSignIn
from dashboards.sign_in.settings import SignInSettings
from detectors.catalogue import RULES
from detectors.rule import Rule
from registry.devices import Credential
from store.records.repository import Records
from store.series.timeseries import TimeSeries

REOPEN_S = 2.0
T = TypeVar("T")

InjectFault = Callable[[str, str, float], None]


@dataclass(frozen=True)
class DeviceActions:
    """The access of the routes of devices to the broker: new passwords, and its files written from the records.

    `new_password(device_id)` returns a credential and its password. `apply(records)` lets the broker read a change;
    `hindrance()` is why this server cannot, None where it can. `reserved` are beginnings of ids that devices may not
    have.
    """

    new_password: Callable[[str], tuple[Credential, str]]
    apply: Callable[[Records], None]
    hindrance: Callable[[], str | None]
    reserved: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """The settings of one dashboards process. `hosts` are accepted host names besides localhost and IP addresses;
    `proxies` are the addresses of reverse proxies, whose `X-Forwarded-For` names the client. `public_url` begins the
    addresses that are printed or sent; where None, the address of the request does. With `certificate_file`
    and `key_file` the server accepts TLS only.

    `inject(lift_id, cause, seconds)` injects a fault into a simulated lift (OSError: the broker is unreachable,
    ValueError: the simulator has no such fault); the route exists only with `inject` and `demo`. `causes` are the
    faults that the simulator offers, `cause_names` their names by language. Photos of public reports are kept in
    `photos_dir` for `photo_days`; without a folder none is taken. A monitor that has written nothing for
    `monitor_silent_s` does not run.
    `way_kinds` are the kinds of ways by which people may be notified; `push_key` is the key of Web Push.
    `rules` are those that the monitor judges.
    """

    open_records: Callable[[], Records]
    open_series: Callable[[], TimeSeries]
    host: str = "127.0.0.1"
    port: int = 8080
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    public_url: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    demo: bool = False
    causes: tuple[str, ...] = ()
    cause_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    inject: InjectFault | None = None
    photos_dir: Path | None = None
    photo_days: int = 30
    rescue_times: RescueTimes = field(default_factory=RescueTimes)
    rescue_points: tuple[RescuePoint, ...] = ()
    devices: DeviceActions | None = None
    monitor_silent_s: float = MONITOR_SILENT_S
    way_kinds: tuple[str, ...] = ()
    push_key: str | None = None
    sign_in: SignInSettings = field(default_factory=SignInSettings)
    map: MapSettings = field(default_factory=MapSettings)
    rules: tuple[Rule, ...] = RULES


class LazyStore(Generic[T]):
    """A store that is opened at its first use; attempts to open the store are at least `REOPEN_S` apart."""

    def __init__(self, what: str, open_store: Callable[[], T]) -> None:
        self._what, self._open = what, open_store
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
                raise unavailable(self._what, self._cause)
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
        """Close the store where it is open."""
        with self._lock:
            if self._store is not None:
                self._store.close()  # type: ignore[attr-defined]
                self._store = None


@dataclass
class AppContext:
    """Everything that the routes of one dashboards process share; `oidc` is None where no provider is configured."""

    settings: Settings
    records: LazyStore[Records] = field(init=False)
    series: LazyStore[TimeSeries] = field(init=False)
    server_metrics: ServerMetrics = field(init=False)
    broadcaster: EventBroadcaster = field(init=False)
    poller: FleetPoller = field(init=False)
    audit: AuditWriter = field(init=False)
    photos: ReportPhotos = field(init=False)
    authenticator: Authenticator = field(init=False)
    passwords: PasswordSignIn = field(init=False)
    oidc: OidcClient | None = field(init=False)
    imports: RunningImports = field(default_factory=RunningImports)

    def __post_init__(self) -> None:
        self.records = LazyStore("records", self.settings.open_records)
        self.series = LazyStore("time series", self.settings.open_series)
        self.authenticator = Authenticator(
            self.records,
            self.settings.sign_in.limits,
            open_with_accounts=self.settings.sign_in.open_with_accounts,
        )
        self.passwords = PasswordSignIn(self.records)
        self.oidc = OidcClient(self.settings.sign_in.oidc) if self.settings.sign_in.oidc else None
        self.server_metrics = ServerMetrics()
        self.broadcaster = EventBroadcaster(self.server_metrics)
        self.poller = FleetPoller(self.records, self.broadcaster, self.server_metrics, self.settings.monitor_silent_s)
        self.audit = AuditWriter(self.records, self.settings.sign_in.limits.absolute_s)
        self.photos = ReportPhotos(self.settings.photos_dir, self.settings.photo_days)

    def start(self) -> None:
        """Start the poller and the writer of the audit log."""
        self.poller.start()
        self.audit.start()

    def close(self) -> None:
        """Stop the poller and the writer of the audit log, and close the stores."""
        self.poller.stop()
        self.audit.stop()
        self.records.close()
        self.series.close()
