"""The operator's settings as frozen values: one class for each table of the file, with the default of each key.

`commands.configuration_file` reads the file and the environment. Secrets are in files of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from commands.errors import Unusable


class Section(BaseModel):
    """A table of the file: frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BrokerSettings(Section):
    """The MQTT broker: its address, and how to sign in."""

    host: str = "127.0.0.1"
    port: int = Field(1883, ge=1, le=65535)
    username: str | None = None
    password_file: Path | None = None
    tls: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    access_dir: str = "{data_dir}/broker"
    authority_dir: str = "{data_dir}/authority"
    pid_file: Path | None = None
    client_id: str = Field("liftwatch", min_length=1, max_length=64)
    protocol: Literal["auto", "5", "3.1.1"] = "auto"

    def password(self) -> str | None:
        """Return the password in `password_file`, if there is one."""
        return secret(self.password_file, "broker.password_file")


class RecordsSettings(Section):
    """The database of lifts, alerts and answers."""

    url: str = "sqlite:///{data_dir}/records.db"
    keep_years: int = Field(5, ge=4)
    key_file: str = "{data_dir}/records.key"


class TimeSeriesSettings(Section):
    """The store of readings: local files or InfluxDB 2."""

    kind: Literal["files", "influxdb"] = "files"
    path: str = "{data_dir}/series"
    url: str = "http://127.0.0.1:8086"
    org: str = "liftwatch"
    token_file: Path | None = None
    raw_days: int = Field(30, ge=1)
    trip_days: int = Field(90, ge=1)
    minute_days: int = Field(730, ge=1)

    @property
    def measured_days(self) -> int:
        """For how many days trips are kept; in InfluxDB they are in the bucket of the readings."""
        return self.raw_days if self.kind == "influxdb" else max(self.raw_days, self.trip_days)

    def token(self) -> str | None:
        """Return the token in `token_file`, if there is one."""
        return secret(self.token_file, "timeseries.token_file")


class MonitorSettings(Section):
    """The process that receives and judges."""

    data_dir: Path = Path("data")
    journal_limit_mb: int = Field(4096, ge=16)
    batch_s: float = Field(0.2, ge=0.01, le=5.0)
    batch_messages: int = Field(10_000, ge=1)
    partition: str = "0/1"
    http_host: str = "127.0.0.1"
    http_port: int = Field(8081, ge=0, le=65535)


class DetectionSettings(Section):
    """The rules of the operator's own, beside those of the catalogue and of installed packages."""

    rule_files: tuple[Path, ...] = ()


class HealthSettings(Section):
    """The health of lifts, reckoned from the trends of their trips and from their alerts."""

    alarms_per_lift_month: float = Field(0.1, ge=0.01, le=1.0)


class DashboardsSettings(Section):
    """The process that serves the pages and the HTTP API."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    public_url: str | None = Field(None, pattern=r"^https?://[^\s/?#]+$")
    certificate_file: Path | None = None
    key_file: Path | None = None
    photo_days: int = Field(30, ge=1, le=365)
    demo: bool = False


class MapConfiguration(Section):
    """The map of the pages: outlines of districts as GeoJSON, and base tiles from an address or a PMTiles file."""

    districts_file: Path | None = None
    tiles: str | None = Field(None, min_length=1, max_length=500)
    attribution: str = Field("", max_length=300)


class SignInConfiguration(Section):
    """Who may use the pages and the HTTP API, and for how long a session lasts."""

    required: bool = False
    open_with_accounts: bool = False
    idle_minutes: float = Field(30, gt=0, le=24 * 60)
    desk_idle_minutes: float = Field(8 * 60, gt=0, le=24 * 60)
    session_hours: float = Field(12, gt=0, le=7 * 24)
    oidc_issuer: str | None = Field(None, pattern=r"^https?://")
    oidc_client_id: str = "liftwatch"
    oidc_client_secret_file: Path | None = None
    oidc_name: str = Field("OpenID Connect", min_length=1, max_length=60)

    def oidc_client_secret(self) -> str | None:
        """Return the secret in `oidc_client_secret_file`, if there is one."""
        return secret(self.oidc_client_secret_file, "sign_in.oidc_client_secret_file")


class RescuePointSettings(Section):
    """A rescue point of the net (level 2) or a professional service (level 3)."""

    name: str = Field(min_length=1, max_length=100)
    level: Literal[2, 3] = 2
    phone: str | None = Field(None, pattern=r"^[0-9+()#* -]{3,40}$")
    lat: FiniteFloat | None = Field(None, ge=-90, le=90)
    lon: FiniteFloat | None = Field(None, ge=-180, le=180)
    districts: tuple[str, ...] = ()


class RescueSettings(Section):
    """Within how long a rescue is to be answered and people are to arrive, and who helps where the firm does not."""

    answer_minutes: float = Field(3, gt=0, le=60)
    arrive_minutes: float = Field(30, gt=0, le=24 * 60)
    arrive_minutes_of: dict[str, Annotated[float, Field(gt=0, le=24 * 60)]] = {}
    points: tuple[RescuePointSettings, ...] = ()


class WebhookSettings(Section):
    """An HTTP endpoint for alerts and incidents (`about`), and the filter of them."""

    name: str = Field(min_length=1, max_length=64)
    url: str = Field(pattern=r"^https?://")
    secret_file: Path
    severities: tuple[Literal["critical", "major", "minor", "trend"], ...] = ("critical", "major")
    districts: tuple[str, ...] = ()
    kinds: tuple[Literal["entrapment", "alarm-call", "unsafe", "out-of-order", "nuisance", "upkeep", "data"], ...] = ()
    organisations: tuple[str, ...] = ()
    about: tuple[Literal["alert", "incident"], ...] = Field(("alert", "incident"), min_length=1)


class MailSettings(Section):
    """The SMTP server of the operator."""

    host: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = Field(min_length=3, max_length=200)
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None


class GatewaySettings(Section):
    """An HTTP gateway for SMS or voice calls: templates with `{to}`, `{text}`, `{language}`, `{id}` and `{secret}`."""

    url: str = Field(pattern=r"^https?://")
    method: Literal["POST", "GET", "PUT"] = "POST"
    body: str = '{"to": "{to}", "text": "{text}"}'
    content_type: str = "application/json"
    headers: dict[str, str] = {}
    secret_file: Path | None = None
    success_contains: str | None = None


class PushSettings(Section):
    """Web Push: the private key of VAPID, and the address at which push services reach the operator."""

    private_key_file: Path
    contact: str = Field(pattern=r"^(mailto:|https://)\S+$")


class NotificationSettings(Section):
    """The ways by which people are notified, as far as the operator has to provide them."""

    private_addresses: bool = False
    apprise_schemes: tuple[str, ...] = ()
    mail: MailSettings | None = None
    sms: GatewaySettings | None = None
    voice: GatewaySettings | None = None
    push: PushSettings | None = None


class Configuration(Section):
    """All tables of the file."""

    broker: BrokerSettings = BrokerSettings()
    records: RecordsSettings = RecordsSettings()
    timeseries: TimeSeriesSettings = TimeSeriesSettings()
    monitor: MonitorSettings = MonitorSettings()
    detection: DetectionSettings = DetectionSettings()
    health: HealthSettings = HealthSettings()
    dashboards: DashboardsSettings = DashboardsSettings()
    map: MapConfiguration = MapConfiguration()
    sign_in: SignInConfiguration = SignInConfiguration()
    notifications: NotificationSettings = NotificationSettings()
    rescue: RescueSettings = RescueSettings()
    webhooks: tuple[WebhookSettings, ...] = ()
    rules: dict[str, dict[str, FiniteFloat]] = {}

    @property
    def records_url(self) -> str:
        """The records' address with the data directory filled in."""
        return self.records.url.replace("{data_dir}", str(self.monitor.data_dir))

    @property
    def records_key_path(self) -> Path:
        """The file with the keys of the secrets in the records."""
        return Path(self.records.key_file.replace("{data_dir}", str(self.monitor.data_dir)))

    @property
    def access_path(self) -> Path:
        """The folder of the files that Mosquitto reads: passwords, topics and certificates."""
        return Path(self.broker.access_dir.replace("{data_dir}", str(self.monitor.data_dir)))

    @property
    def authority_path(self) -> Path:
        """The folder of the certificate authority."""
        return Path(self.broker.authority_dir.replace("{data_dir}", str(self.monitor.data_dir)))

    @property
    def series_path(self) -> Path:
        """The folder of the embedded time series."""
        return Path(self.timeseries.path.replace("{data_dir}", str(self.monitor.data_dir)))


def secret(path: Path | None, name: str) -> str | None:
    """Return the text of the file of the secret `name`; raise Unusable where it cannot be read."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise Unusable(f"{name}: cannot read {path} ({why}); create it with the secret in it") from None
