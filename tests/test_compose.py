"""docker-compose.yml and all that it mounts, held against what can be known without a container engine.

The schema of the Compose specification, our own command line and configuration, a real Mosquitto for the broker's
files, and a real InfluxDB for the dashboard's queries.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import socket
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import paho.mqtt.client as mqtt
import pytest
import yaml

import configuration
import liftwatch

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SCHEMA = json.loads((ROOT / "tests/compose_spec/compose-spec.json").read_text(encoding="utf-8"))
GRAFANA = ROOT / "dashboards/grafana"
BOARD = json.loads((GRAFANA / "lifts.json").read_text(encoding="utf-8"))
SECRET_NAME = re.compile(r"PASSWORD|TOKEN|SECRET|CREDENTIAL|API_?KEY", re.IGNORECASE)
RANDOM_WORD = re.compile(r"\b(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{20,}\b", re.IGNORECASE)


def faults(compose: dict[str, Any]) -> list[str]:
    """Return what a compose file lacks of what we promise: health, least privilege, loopback, no secret."""
    found = []
    for name, service in compose["services"].items():
        wanted = {
            "a health check": bool(service.get("healthcheck", {}).get("test")),
            "a restart policy": service.get("restart") == "unless-stopped",
            "a read-only root": service.get("read_only") is True,
            "no new privileges": "no-new-privileges:true" in service.get("security_opt", []),
            "no capabilities": service.get("cap_drop") == ["ALL"] and not service.get("cap_add"),
            "a user that is not root": re.fullmatch(r"[1-9]\d*:\d+", service.get("user", "")) is not None,
            "ports on loopback": all(port.startswith("127.0.0.1:") for port in service.get("ports", [])),
            "a version of its image": bool(service.get("build")) or ":" in service.get("image", ""),
        }
        found += [f"{name} lacks {what}" for what, is_there in wanted.items() if not is_there]
        for key, value in service.get("environment", {}).items():
            if SECRET_NAME.search(key) and not (key.endswith("_FILE") and str(value).startswith("/run/secrets/")):
                found.append(f"{name} has a secret in {key}")
        declared = compose.get("secrets", {})
        found += [f"{name} asks for the unknown secret {s}" for s in service.get("secrets", []) if s not in declared]
    for name, secret in compose.get("secrets", {}).items():
        if not re.fullmatch(rf"\$\{{LIFTWATCH_SECRETS:\?[^}}]+\}}/{name}", secret.get("file", "")):
            found.append(f"the secret {name} comes from elsewhere than the user's own folder")
    return found


def ours() -> list[str]:
    """Return the services that run this project's own image."""
    return [name for name, service in COMPOSE["services"].items() if service["image"] == "liftwatch"]


def free_port() -> int:
    """Return a port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(ready: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    """Wait for `ready`, and fail by name where it does not come."""
    end = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < end, f"{what} did not come within {within_s:.0f} s"
        time.sleep(0.05)


def accepts(port: int) -> bool:
    """Say whether something listens on a port of the loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_compose_file_follows_the_specification() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(COMPOSE)


def test_the_specification_can_refuse() -> None:
    spoiled = copy.deepcopy(COMPOSE)
    spoiled["services"]["monitor"]["volums"] = []
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(spoiled)


def test_all_the_services_are_there() -> None:
    assert set(COMPOSE["services"]) == {"mosquitto", "influxdb", "grafana", "monitor", "dashboards", "simulator"}


def test_every_service_is_watched_and_unprivileged_and_holds_no_secret() -> None:
    assert faults(COMPOSE) == []


@pytest.mark.parametrize(
    ("service", "key", "value", "fault"),
    [
        ("monitor", "healthcheck", {}, "monitor lacks a health check"),
        ("influxdb", "restart", "no", "influxdb lacks a restart policy"),
        ("grafana", "read_only", False, "grafana lacks a read-only root"),
        ("grafana", "security_opt", [], "grafana lacks no new privileges"),
        ("mosquitto", "cap_add", ["NET_ADMIN"], "mosquitto lacks no capabilities"),
        ("simulator", "user", "0:0", "simulator lacks a user that is not root"),
        ("dashboards", "ports", ["8080:8080"], "dashboards lacks ports on loopback"),
        ("influxdb", "image", "influxdb", "influxdb lacks a version of its image"),
        (
            "grafana",
            "environment",
            {"GF_SECURITY_ADMIN_PASSWORD": "x"},
            "grafana has a secret in GF_SECURITY_ADMIN_PASSWORD",
        ),
        ("monitor", "secrets", ["other"], "monitor asks for the unknown secret other"),
    ],
)
def test_a_spoiled_compose_file_is_told_by_name(service: str, key: str, value: object, fault: str) -> None:
    spoiled = copy.deepcopy(COMPOSE)
    spoiled["services"][service][key] = value
    assert faults(spoiled) == [fault]


def test_a_secret_with_a_default_is_told_by_name() -> None:
    spoiled = copy.deepcopy(COMPOSE)
    spoiled["secrets"]["influx_token"]["file"] = "./secrets/influx_token"
    assert faults(spoiled) == ["the secret influx_token comes from elsewhere than the user's own folder"]


@pytest.mark.parametrize("path", ["docker-compose.yml", "Dockerfile", "ingest/mosquitto.conf", "ingest/mosquitto.acl"])
def test_nothing_that_looks_like_a_secret_stands_in(path: str) -> None:
    assert RANDOM_WORD.findall((ROOT / path).read_text(encoding="utf-8")) == []


def test_a_token_would_be_seen() -> None:
    assert RANDOM_WORD.findall("TOKEN: 4f0c2e9a81b34d77a6d2b5c1e9f00a13") != []


@pytest.mark.parametrize("service", ours())
def test_the_commands_are_ones_the_command_line_knows(service: str) -> None:
    liftwatch.build_parser().parse_args(COMPOSE["services"][service]["command"])


@pytest.mark.parametrize("service", ours())
def test_the_environment_names_keys_that_the_configuration_knows(service: str) -> None:
    environment = COMPOSE["services"][service]["environment"]
    assert all(name.startswith(configuration.PREFIX) and "__" in name for name in environment)
    configuration.read(None, environment)


def test_what_is_mounted_is_there() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (source.startswith("./") and (ROOT / source).is_file()), volume


def test_the_python_in_health_checks_compiles() -> None:
    snippets = [
        s["healthcheck"]["test"][3] for s in COMPOSE["services"].values() if "python" in s["healthcheck"]["test"]
    ]
    assert len(snippets) == len(ours())
    for snippet in snippets:
        compile(snippet, "health check", "exec")


def test_the_image_runs_the_same_command_line_as_the_same_user() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert 'ENTRYPOINT ["liftwatch"]' in text
    assert "-c constraints.txt" in text
    uid = re.search(r"--uid (\d+)", text)
    assert uid is not None
    assert {COMPOSE["services"][name]["user"] for name in ours()} == {f"{uid[1]}:{uid[1]}"}


def test_the_image_is_given_every_package_that_the_project_names() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    packages = [pattern.rstrip("*") for pattern in named["packages"]["find"]["include"]]
    admitted = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert "!*.py" in admitted
    assert [name for name in packages if f"!{name}" not in admitted] == []


# The broker: the container's own script, its own files, and a real Mosquitto.


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None or shutil.which("mosquitto_sub") is None:
        pytest.skip("no mosquitto with its clients on PATH (Debian: mosquitto, mosquitto-clients)")
    service, port = COMPOSE["services"]["mosquitto"], free_port()
    for folder in ("run", "config", "data", "secrets"):
        (tmp_path / folder).mkdir()
    for secret in service["secrets"]:
        (tmp_path / "secrets" / secret).write_text(f"{secret}-pass\n", encoding="utf-8")
    for volume in service["volumes"]:
        source, target = volume.split(":")[:2]
        if source.startswith("./"):
            text = (ROOT / source).read_text(encoding="utf-8").replace("/mosquitto/", f"{tmp_path}/")
            text = text.replace("listener 1883", f"listener {port} 127.0.0.1")
            if os.geteuid() == 0 and target.endswith(".conf"):
                text += "\nuser root\n"
            (tmp_path / "config" / Path(target).name).write_text(text, encoding="utf-8")
    script = in_place(service["command"][0], tmp_path).replace("exec mosquitto ", f"exec {program} ")
    process = subprocess.Popen([*service["entrypoint"], script], stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: process.poll() is not None or accepts(port), "the broker")
        assert process.poll() is None, process.stderr and process.stderr.read()
        yield port, tmp_path
    finally:
        process.terminate()
        process.communicate(timeout=20)


def in_place(script: str, folder: Path) -> str:
    """Return a script of the compose file as the container's shell would see it, with its folders moved."""
    return script.replace("$$", "$").replace("/mosquitto/", f"{folder}/").replace("/run/secrets/", f"{folder}/secrets/")


@pytest.mark.broker
def test_the_brokers_health_check_tells_a_living_broker_from_a_dead_one(broker: tuple[int, Path]) -> None:
    port, folder = broker
    script = in_place(COMPOSE["services"]["mosquitto"]["healthcheck"]["test"][1], folder)
    for at, expected in ((port, True), (free_port(), False)):
        check = script.replace("mosquitto_sub ", f"mosquitto_sub -h 127.0.0.1 -p {at} ")
        assert (subprocess.run(["sh", "-c", check], check=False, capture_output=True).returncode == 0) is expected


@pytest.mark.broker
@pytest.mark.parametrize(
    ("who", "topic", "may"),
    [
        ("lifts", "lift/v1/north/A-1/speed", True),
        ("lifts", "lift/v1/north/A-1/alert", False),
        ("lifts", "sim/v1/A-1/fault", False),
        ("dashboards", "sim/v1/A-1/fault", True),
        ("dashboards", "lift/v1/north/A-1/alert", False),
        ("monitor", "lift/v1/north/A-1/alert", True),
        ("monitor", "lift/v1/north/A-1/speed", False),
        ("monitor", "sim/v1/A-1/fault", False),
    ],
)
def test_everyone_may_say_only_what_is_theirs(broker: tuple[int, Path], who: str, topic: str, may: bool) -> None:
    assert publish(broker[0], who, f"broker_{who}-pass", topic) == ("Success" if may else "Not authorized")


@pytest.mark.broker
@pytest.mark.parametrize(("who", "password"), [(None, None), ("monitor", "broker_lifts-pass")])
def test_strangers_are_turned_away(broker: tuple[int, Path], who: str | None, password: str | None) -> None:
    assert publish(broker[0], who, password, "lift/v1/north/A-1/speed") == "refused: Not authorized"


def publish(port: int, who: str | None, password: str | None, topic: str) -> str:
    """Publish one message and return what the broker answered to it, or to the greeting."""
    answers: list[str] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
    if who is not None:
        client.username_pw_set(who, password)

    def connected(client: mqtt.Client, _: object, __: object, reason: Any, ___: object) -> None:
        if reason.is_failure:
            answers.append(f"refused: {reason}")
        else:
            client.publish(topic, b"{}", qos=1)

    def published(_: mqtt.Client, __: object, ___: int, reason: Any, ____: object) -> None:
        answers.append("Success" if not reason.is_failure else str(reason))

    client.on_connect, client.on_publish = connected, published
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        until(lambda: bool(answers), "the broker's answer")
    finally:
        client.disconnect()
        client.loop_stop()
    return answers[0]


# Grafana: its files agree with each other, and its queries are ones that InfluxDB answers.


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
    assert source["secureJsonData"] == {"token": "$__file{/run/secrets/influx_grafana}"}
    assert "influx_grafana" in service["secrets"]
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
