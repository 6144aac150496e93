"""Grafana's files agree with each other and the contract, and InfluxDB answers every query of the dashboard."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from influxdb_client import InfluxDBClient

from store.series.influx_tokens import TOKEN_NAMES
from tests.store.influxd import Influx, organisation

ROOT = Path(__file__).parent.parent
GRAFANA = ROOT / "dashboards/grafana"
BOARD = json.loads((GRAFANA / "lifts.json").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def queries() -> list[tuple[str, str]]:
    """Return every Flux query of the dashboard with the name of where it stands."""
    panels = [(f"{p['title']} {t['refId']}", t["query"]) for p in BOARD["panels"] for t in p.get("targets", [])]
    variables = [(v["name"], v["query"]) for v in BOARD["templating"]["list"] if v["type"] == "query"]
    return panels + variables


def test_grafana_is_given_what_its_files_name() -> None:
    source = yaml.safe_load((GRAFANA / "datasources.yaml").read_text(encoding="utf-8"))["datasources"][0]
    provider = yaml.safe_load((GRAFANA / "dashboards.yaml").read_text(encoding="utf-8"))["providers"][0]
    service, influx = COMPOSE["services"]["grafana"], COMPOSE["services"]["influxdb"]["environment"]
    mounted = dict(volume.split(":")[:2][::-1] for volume in service["volumes"])
    assert mounted[f"{provider['options']['path']}/lifts.json"] == "./dashboards/grafana/lifts.json"
    assert service["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] in mounted
    assert (source["type"], source["jsonData"]["version"]) == ("influxdb", "Flux")
    assert source["jsonData"]["organization"] == influx["DOCKER_INFLUXDB_INIT_ORG"]
    assert source["jsonData"]["defaultBucket"] == influx["DOCKER_INFLUXDB_INIT_BUCKET"]
    assert source["secureJsonData"] == {"token": "$__file{/tokens/grafana/token}"}
    assert "grafana-token:/tokens/grafana:ro" in service["volumes"]
    assert "grafana" in TOKEN_NAMES
    used = {target["datasource"]["uid"] for panel in BOARD["panels"] for target in panel.get("targets", [])}
    assert used == {source["uid"]}


def test_the_dashboards_panels_have_names_of_their_own_and_do_not_overlap() -> None:
    panels = BOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_dashboard_asks_for_nothing_but_what_the_contract_keeps() -> None:
    axes = {f"{what}_{axis}" for what in ("rms", "min", "max") for axis in "xyz"}
    kept = {
        "speed": {"v"},
        "displacement": {"z"},
        "door": {"state"},
        "infrared": {"presence", "curtain"},
        "vibration": axes,
        "status": {"online", "alarm", "mode", "power"},
    }
    asked = re.compile(r'r\._measurement == "(\w+)" and r\._field == "(\w+)"')
    for name, text in queries():
        assert set(re.findall(r'bucket: "(\w+)"', text)) == {"lifts"}, name
        assert [field for measurement, field in asked.findall(text) if field not in kept[measurement]] == [], name
        assert "schema.tagValues" in text or asked.search(text), name
    shown = {pair for _, text in queries() for pair in asked.findall(text)}
    assert {measurement for measurement, _ in shown} == set(kept)


@pytest.fixture(scope="module")
def filled(influxd: Influx) -> Iterator[httpx.Client]:
    """An InfluxDB that holds ten minutes of two lifts, in an organisation of these tests' own."""
    with organisation(influxd) as own, InfluxDBClient(own.url, own.token, own.org) as client:
        client.buckets_api().create_bucket(bucket_name="lifts", org=own.org)
        headers, org = {"Authorization": f"Token {own.token}"}, {"org": own.org}
        with httpx.Client(base_url=own.url, headers=headers, params=org, timeout=60, trust_env=False) as asking:
            asking.post("/api/v2/write", params=org | {"bucket": "lifts"}, content=ten_minutes()).raise_for_status()
            yield asking


def ten_minutes() -> str:
    """Return ten minutes of two lifts as line protocol; the second is on battery and reported itself offline."""
    lines, end_ns = [], time.time_ns()
    axes = ",".join(f"{what}_{axis}=0.1" for what in ("rms", "min", "max") for axis in "xyz")
    for k in range(600):
        at = end_ns - (600 - k) * 1_000_000_000
        for lift, power in (("A-1", "mains"), ("B-2", "battery")):
            who = f"lift={lift},district=north"
            lines += [f"speed,{who} v=1.5 {at}", f"displacement,{who} z=3 {at}", f"vibration,{who} {axes} {at}"]
            if k % 60 == 0:
                online = 1 if lift == "A-1" or k < 300 else 0
                lines += [
                    f"door,{who} state={k // 60 % 4}i {at}",
                    f"infrared,{who} presence={k // 60 % 2}i,curtain=0i {at}",
                    f'status,{who} online={online}i,alarm={k // 60 % 2}i,mode="normal",power="{power}" {at}',
                ]
    return "\n".join(lines)


def ask(filled: httpx.Client, flux: str) -> list[str]:
    """Return the rows that a query of the dashboard gives, with Grafana's variables filled in."""
    for variable, value in (("${district:regex}", "north"), ("${lift}", "A-1")):
        flux = flux.replace(variable, value)
    assert "${" not in flux
    imports = "\n".join(line for line in flux.splitlines() if line.startswith("import"))
    window = "option v = {timeRangeStart: -15m, timeRangeStop: now(), windowPeriod: 10s}"
    body = "\n".join(line for line in flux.splitlines() if not line.startswith("import"))
    headers = {"Content-Type": "application/vnd.flux", "Accept": "application/csv"}
    answer = filled.post("/api/v2/query", headers=headers, content=f"{imports}\n{window}\n{body}")
    assert answer.status_code == 200, answer.text
    return answer.text.split()[1:]


@pytest.mark.influx
@pytest.mark.parametrize(("name", "flux"), queries(), ids=[name for name, _ in queries()])
def test_influxdb_answers(filled: httpx.Client, name: str, flux: str) -> None:
    assert ask(filled, flux) != [], name


@pytest.mark.influx
@pytest.mark.parametrize(
    ("panel", "number"),
    [
        ("Heard in the last 3 minutes", 2),
        ("Said they are offline", 1),
        ("On battery", 1),
        ("Alarm button pressed", 10),
    ],
)
def test_the_numbers_of_the_fleet_are_right(filled: httpx.Client, panel: str, number: int) -> None:
    flux = dict(queries())[f"{panel} A"]
    assert [row.rpartition(",")[2] for row in ask(filled, flux)] == [str(number)]
