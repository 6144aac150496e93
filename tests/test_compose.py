"""docker-compose.yml and all that it mounts, held against what can be known without a container engine.

The schema of the Compose specification, the tree it mounts from, and our own command line and configuration.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import liftwatch
from commands import configuration_file
from store.series.influx_tokens import TOKEN_NAMES

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SCHEMA = json.loads((ROOT / "tests/compose_spec/compose-spec.json").read_text(encoding="utf-8"))
SECRET_NAME = re.compile(r"PASSWORD|TOKEN|SECRET|CREDENTIAL|API_?KEY", re.IGNORECASE)
ONCE = {name for name, service in COMPOSE["services"].items() if service["restart"] == "no"}
"""Services that end by themselves: another one waits for their success, which is all the health they have."""
SECRET_FOLDERS = ("/run/secrets/", "/tokens/", "/access/")
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")
RANDOM_TEXT = re.compile(r"\b(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{20,}\b", re.IGNORECASE)


def faults(compose: dict[str, Any]) -> list[str]:
    """Return what a compose file lacks of what we promise: health, least privilege, loopback, no secret."""
    found = []
    for name, service in compose["services"].items():
        wanted = {
            "a health check": name in ONCE or bool(service.get("healthcheck", {}).get("test")),
            "a restart policy": name in ONCE or service.get("restart") == "unless-stopped",
            "a read-only root": service.get("read_only") is True,
            "no new privileges": "no-new-privileges:true" in service.get("security_opt", []),
            "no capabilities": service.get("cap_drop") == ["ALL"] and not service.get("cap_add"),
            "a user that is not root": re.fullmatch(r"[1-9]\d*:\d+", service.get("user", "")) is not None,
            "ports on loopback": all(port.startswith("127.0.0.1:") for port in service.get("ports", [])),
            "a version of its image": bool(service.get("build")) or ":" in service.get("image", ""),
        }
        found += [f"{name} lacks {what}" for what, is_there in wanted.items() if not is_there]
        for key, value in service.get("environment", {}).items():
            if SECRET_NAME.search(key) and not (key.endswith("_FILE") and str(value).startswith(SECRET_FOLDERS)):
                found.append(f"{name} has a secret in {key}")
        declared = compose.get("secrets", {})
        found += [f"{name} asks for the unknown secret {s}" for s in service.get("secrets", []) if s not in declared]
    for name, secret in compose.get("secrets", {}).items():
        if not re.fullmatch(rf"\$\{{LIFTWATCH_SECRETS:-\./secrets\}}/{name}", secret.get("file", "")):
            found.append(f"the secret {name} comes from elsewhere than the user's own folder")
    return found


def ours() -> list[str]:
    """Return the services that run this project's own image."""
    return [name for name, service in COMPOSE["services"].items() if service["image"] == "liftwatch"]


def test_compose_file_follows_the_specification() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(COMPOSE)


def test_the_specification_can_refuse() -> None:
    spoiled = copy.deepcopy(COMPOSE)
    spoiled["services"]["monitor"]["volums"] = []
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(spoiled)


def test_all_the_services_are_there() -> None:
    lasting = {"mosquitto", "influxdb", "grafana", "monitor", "dashboards", "simulator"}
    assert set(COMPOSE["services"]) == lasting | {"access", "access-demo", "tokens"}


def test_somebody_waits_for_the_success_of_each_service_that_runs_once() -> None:
    conditions = [service.get("depends_on") for service in COMPOSE["services"].values()]
    waited = {
        name
        for awaited in conditions
        for name, how in (awaited.items() if isinstance(awaited, dict) else ())
        if how["condition"] == "service_completed_successfully"
    }
    assert waited == ONCE == {"access", "access-demo", "tokens"}


def test_nothing_of_a_demonstration_starts_by_itself() -> None:
    for name, service in COMPOSE["services"].items():
        is_demo = "--demo" in service.get("command", []) or "simulate" in service.get("command", [])
        assert (service.get("profiles") == ["demo"]) is is_demo, name
    assert COMPOSE["services"]["dashboards"]["environment"]["LIFTWATCH_DASHBOARDS__DEMO"].endswith(":-false}")


def test_only_the_services_that_make_credentials_may_write_them_or_read_what_makes_them() -> None:
    makers = {"/access": {"access", "access-demo"}, "/authority": {"access", "access-demo"}}
    makers |= {f"/tokens/{name}": {"tokens"} for name in TOKEN_NAMES}
    for name, service in COMPOSE["services"].items():
        for volume in service.get("volumes", []):
            _, target, *options = volume.split(":")
            assert name in makers.get(target, {name}) or (options == ["ro"] and target != "/authority"), (name, volume)
        assert "influx_token" not in service.get("secrets", []) or name in ("influxdb", "tokens")
        has_key = any(volume.startswith("authority:") for volume in service.get("volumes", []))
        assert has_key == (service.get("network_mode") == "none"), name


def test_each_service_sees_its_own_token_of_the_time_series_alone() -> None:
    volumes = {f"{name}-token": name for name in TOKEN_NAMES}
    for name, service in COMPOSE["services"].items():
        mounted = [volume for volume in service.get("volumes", []) if "token" in volume]
        wanted = set(volumes.values()) if name == "tokens" else {name} & set(volumes.values())
        assert {volumes[each.split(":")[0]] for each in mounted} == wanted, name


def test_every_connection_to_the_broker_is_encrypted_and_no_port_of_it_is_open_to_anybody() -> None:
    for name in ("monitor", "dashboards", "simulator"):
        environment = COMPOSE["services"][name]["environment"]
        assert environment["LIFTWATCH_BROKER__TLS"] == "true"
        assert environment["LIFTWATCH_BROKER__USERNAME"].startswith("liftwatch-")
    text = (ROOT / "ingest/mosquitto.conf").read_text(encoding="utf-8")
    listeners = text.split("\nlistener ")[1:]
    assert [listener.split("\n")[0] for listener in listeners] == ["8883", "8884", "8885"]
    assert all("\ncertfile " in listener for listener in listeners)
    assert "\nallow_anonymous false\n" in text
    assert {port.split(":")[2] for port in COMPOSE["services"]["mosquitto"]["ports"]} == {"8883", "8884"}


def test_one_command_makes_every_secret_and_keeps_those_that_are_there(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    made = [path for _ in range(2) for path in [make_secrets(tmp_path)]]
    assert made[0] == made[1]
    assert set(made[0]) == set(COMPOSE["secrets"])
    assert len(set(made[0].values())) == len(made[0])
    assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in made[0].values())
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert "/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def make_secrets(folder: Path) -> dict[str, str]:
    subprocess.run(["make", "-C", str(folder), "secrets"], check=True, capture_output=True)
    return {path.name: path.read_text(encoding="utf-8") for path in (folder / "secrets").iterdir()}


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
def test_a_spoiled_compose_file_is_reported_by_service_and_key(
    service: str, key: str, value: object, fault: str
) -> None:
    spoiled = copy.deepcopy(COMPOSE)
    spoiled["services"][service][key] = value
    assert faults(spoiled) == [fault]


def test_a_secret_with_a_default_is_reported_by_name() -> None:
    spoiled = copy.deepcopy(COMPOSE)
    spoiled["secrets"]["influx_token"]["file"] = "/etc/influx_token"
    assert faults(spoiled) == ["the secret influx_token comes from elsewhere than the user's own folder"]


@pytest.mark.parametrize("path", ["docker-compose.yml", "Dockerfile", "Makefile", "ingest/mosquitto.conf"])
def test_nothing_that_looks_like_a_secret_stands_in(path: str) -> None:
    assert RANDOM_TEXT.findall((ROOT / path).read_text(encoding="utf-8")) == []


def test_a_token_would_be_seen() -> None:
    assert RANDOM_TEXT.findall("TOKEN: 4f0c2e9a81b34d77a6d2b5c1e9f00a13") != []


@pytest.mark.parametrize("service", ours())
def test_the_commands_are_ones_the_command_line_knows(service: str) -> None:
    liftwatch.parse(COMPOSE["services"][service]["command"])


@pytest.mark.parametrize("service", ours())
def test_the_environment_names_keys_that_the_configuration_knows(service: str) -> None:
    environment = COMPOSE["services"][service]["environment"]
    assert all(name.startswith(configuration_file.PREFIX) and "__" in name for name in environment)
    configuration_file.read(None, {name: DEFAULT.sub(r"\1", str(value)) for name, value in environment.items()})


def test_what_is_mounted_is_there() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (source.startswith("./") and (ROOT / source).is_file()), volume


def test_the_python_in_health_checks_compiles() -> None:
    snippets = [
        s["healthcheck"]["test"][3]
        for s in COMPOSE["services"].values()
        if "python" in s.get("healthcheck", {}).get("test", [])
    ]
    assert len(snippets) == len(set(ours()) - ONCE)
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
