"""`liftwatch influx-tokens` at a real InfluxDB: what each token may do, and that it may do no more."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from influxdb_client import InfluxDBClient
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

import liftwatch
from store.series.connect import open_timeseries
from store.series.influx import BUCKETS
from store.series.timeseries import MINUTE_NS
from tests.store.influxd import Influx

pytestmark = pytest.mark.influx
POINT = b"speed,lift_id=A-1 v_mps=1.0"


@pytest.fixture(name="make")
def tokens_command(influx: Influx, tmp_path: Path) -> Callable[[], dict[str, str]]:
    (tmp_path / "operator").write_text(influx.token, encoding="utf-8")
    config = tmp_path / "liftwatch.toml"
    config.write_text(
        f"[timeseries]\nkind = 'influxdb'\nurl = '{influx.url}'\norg = '{influx.org}'\n"
        f"token_file = '{tmp_path}/operator'\n[monitor]\ndata_dir = '{tmp_path}/data'\n",
        encoding="utf-8",
    )

    def make() -> dict[str, str]:
        assert liftwatch.main(["--config", str(config), "influx-tokens", "--to", str(tmp_path / "tokens")]) == 0
        return {path.parent.name: path.read_text(encoding="ascii") for path in tmp_path.glob("tokens/*/token")}

    return make


def test_the_monitor_writes_and_the_others_only_read(
    make: Callable[[], dict[str, str]], influx: Influx, tmp_path: Path
) -> None:
    tokens = make()
    assert all(stat.S_IMODE((tmp_path / "tokens" / name / "token").stat().st_mode) == 0o640 for name in tokens)
    open_timeseries(influx.url, token=tokens["monitor"], org=influx.org).close()  # prepares buckets and task again
    for name, token in tokens.items():
        with InfluxDBClient(influx.url, token, org=influx.org) as client:
            try:
                client.write_api(write_options=SYNCHRONOUS).write(BUCKETS[0], record=POINT)
                may = True
            except ApiException:
                may = False
            assert may == (name == "monitor"), name
            for forbidden in (
                lambda: client.authorizations_api().create_authorization(influx.org, []),
                lambda: client.users_api().create_user("x"),
                lambda: client.organizations_api().create_organization("x"),
            ):
                with pytest.raises((ApiException, InfluxDBError)):
                    forbidden()
            if name != "monitor":
                with pytest.raises((ApiException, InfluxDBError)):
                    client.buckets_api().create_bucket(bucket_name="x", org=influx.org)
        series = open_timeseries(influx.url, token=token, org=influx.org, writable=False)
        assert series.series("A-1", "speed", 0, MINUTE_NS, 10) is not None
        series.close()


def test_tokens_stay_as_they_are_until_the_server_or_the_file_has_lost_them(
    make: Callable[[], dict[str, str]], influx: Influx, tmp_path: Path
) -> None:
    first = make()
    assert make() == first
    (tmp_path / "tokens/grafana/token").unlink()
    second = make()
    assert {name: second[name] == first[name] for name in first} == {
        "monitor": True, "dashboards": True, "grafana": False,
    }  # fmt: skip
    with InfluxDBClient(influx.url, first["grafana"], org=influx.org) as client, pytest.raises(ApiException):
        client.query_api().query(f'from(bucket: "{BUCKETS[0]}") |> range(start: -1m)')
