"""What the operator decides: one TOML file, overridden by the environment, read once at the front door.

`LIFTWATCH_BROKER__HOST=mqtt.example` overrides `host` in `[broker]`. An unknown key is an error that names the nearest
known one; a bad value is one line that says what to do. Secrets are read from files, never written here.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from detectors.catalogue import BY_SLUG, RULES
from detectors.rule import Rule
from registry.catalogue import SEVERITIES

PREFIX = "LIFTWATCH_"
TIMES = ("hold_s", "clear_s")


class Unusable(Exception):
    """The configuration, or something it names, cannot be used; the text is one line that says what to do."""


class Section(BaseModel):
    """A table of the file: frozen, and closed to keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Broker(Section):
    """Where lifts speak."""

    host: str = "127.0.0.1"
    port: int = Field(1883, ge=1, le=65535)
    username: str | None = None
    password_file: Path | None = None
    tls: bool = False
    ca_file: Path | None = None
    client_id: str = Field("liftwatch", min_length=1, max_length=64)
    protocol: Literal["auto", "5", "3.1.1"] = "auto"

    def password(self) -> str | None:
        """Return the password in `password_file`, if there is one."""
        return secret(self.password_file, "broker.password_file")


class Records(Section):
    """Where lifts, alerts and answers are kept."""

    url: str = "sqlite:///{data_dir}/records.db"
    keep_years: int = Field(5, ge=4)


class TimeSeries(Section):
    """Where readings are kept."""

    kind: Literal["files", "influxdb"] = "files"
    path: str = "{data_dir}/series"
    url: str = "http://127.0.0.1:8086"
    org: str = "liftwatch"
    token_file: Path | None = None
    raw_days: int = Field(30, ge=1)
    minute_days: int = Field(730, ge=1)

    def token(self) -> str | None:
        """Return the token in `token_file`, if there is one."""
        return secret(self.token_file, "timeseries.token_file")


class Monitor(Section):
    """The process that hears and judges."""

    data_dir: Path = Path("data")
    journal_limit_mb: int = Field(4096, ge=16)
    batch_s: float = Field(0.2, ge=0.01, le=5.0)
    batch_messages: int = Field(10_000, ge=1)
    partition: str = "0/1"


class Dashboards(Section):
    """The process that people and programs ask."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    hosts: tuple[str, ...] = ()
    demo: bool = False


class Webhook(Section):
    """Who else is told, and of what."""

    name: str = Field(min_length=1, max_length=64)
    url: str = Field(pattern=r"^https?://")
    secret_file: Path
    severities: tuple[Literal["critical", "major", "minor", "trend"], ...] = ("critical", "major")
    districts: tuple[str, ...] = ()


class Configuration(Section):
    """All of it."""

    broker: Broker = Broker()
    records: Records = Records()
    timeseries: TimeSeries = TimeSeries()
    monitor: Monitor = Monitor()
    dashboards: Dashboards = Dashboards()
    webhooks: tuple[Webhook, ...] = ()
    rules: dict[str, dict[str, FiniteFloat]] = {}

    @property
    def records_url(self) -> str:
        """The records' address with the data directory filled in."""
        return self.records.url.replace("{data_dir}", str(self.monitor.data_dir))

    @property
    def series_path(self) -> Path:
        """The folder of the embedded time series."""
        return Path(self.timeseries.path.replace("{data_dir}", str(self.monitor.data_dir)))


def secret(path: Path | None, name: str) -> str | None:
    """Return the text of a secret's file; Unusable where it cannot be read."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Unusable(f"{name}: cannot read {path} ({error.strerror}); create it with the secret in it") from None


def read(path: Path | None, environ: Mapping[str, str] = os.environ) -> Configuration:
    """Return the configuration in `path` (defaults where None), overridden by the environment."""
    tables: dict[str, Any] = {}
    if path is not None:
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise Unusable(f"cannot read {path} ({error.strerror}); name another file with --config") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Unusable(f"{path} is not TOML: {error}") from None
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and "__" in name:
            override(tables, name, value)
    try:
        return Configuration.model_validate(tables)
    except ValidationError as error:
        raise Unusable(explain(error, path)) from None


def override(tables: dict[str, Any], name: str, value: str) -> None:
    """Put one variable of the environment into `tables`; empty text is as if it were not set."""
    section, _, key = name.removeprefix(PREFIX).lower().partition("__")
    if value:
        table = tables.setdefault(section, {})
        if not isinstance(table, dict):
            raise Unusable(f"{name}: only the tables of the file can be overridden, not the list [[{section}]]")
        table[key] = value


def explain(error: ValidationError, path: Path | None) -> str:
    """Return the first fault of a configuration as one line with its remedy."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    source = str(path or "the environment")
    if fault["type"] != "extra_forbidden":
        return f"{source}: {where} = {fault['input']!r}: {fault['msg'].lower()}"
    known = known_keys(fault["loc"][:-1])
    return f"{source}: unknown key {where}{nearest(str(fault['loc'][-1]), known)}"


def known_keys(path: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the table at `path` knows."""
    if not path:
        return list(Configuration.model_fields)
    if path[0] == "webhooks":
        return list(Webhook.model_fields)
    return list(type(getattr(Configuration(), str(path[0]))).model_fields)


def rules(settings: Configuration) -> tuple[Rule, ...]:
    """Return the catalogue with the thresholds that `[rules.<slug>]` changes."""
    for slug in settings.rules:
        if slug not in BY_SLUG:
            raise Unusable(f"rules.{slug}: no such rule{nearest(slug, BY_SLUG)}")
    return tuple(tuned(rule, settings.rules.get(rule.slug, {})) for rule in RULES)


def thresholds(settings: Configuration) -> dict[str, float]:
    """Return the thresholds of the rules that are other than the catalogue's, as `slug.name`."""
    return {
        f"{slug}.{name}": value
        for slug, changes in settings.rules.items()
        for name, value in changes.items()
        if tuned(BY_SLUG[slug], {name: value}) != BY_SLUG[slug]
    }


def tuned(rule: Rule, changes: Mapping[str, float]) -> Rule:
    """Return a rule with other thresholds: its detector's fields, and `{severity}_hold_s` and `{severity}_clear_s`."""
    detector = cast(Any, rule.detector)
    known = {field.name for field in dataclasses.fields(detector) if field.type in ("float", "int")}
    times = {f"{SEVERITIES[level.severity]}_{name}" for level in rule.levels for name in TIMES}
    for name in changes:
        if name not in known | times:
            raise Unusable(f"rules.{rule.slug}.{name}: no such threshold{nearest(name, known | times)}")
    levels = tuple(
        dataclasses.replace(level, **{name: changes.get(f"{severity}_{name}", getattr(level, name)) for name in TIMES})
        for level, severity in ((level, SEVERITIES[level.severity]) for level in rule.levels)
    )
    detector = dataclasses.replace(detector, **{name: changes[name] for name in changes if name in known})
    return dataclasses.replace(rule, detector=detector, levels=levels)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at the nearest known name, or at all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(names)}"
