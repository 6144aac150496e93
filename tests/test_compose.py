"""docker-compose.yml and all that it mounts, held against what can be known without a container engine.

The schema of the Compose specification, the tree it mounts from, and our own command line and configuration.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import configuration
import liftwatch

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SCHEMA = json.loads((ROOT / "tests/compose_spec/compose-spec.json").read_text(encoding="utf-8"))
SECRET_NAME = re.compile(r"PASSWORD|TOKEN|SECRET|CREDENTIAL|API_?KEY", re.IGNORECASE)
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")
RANDOM_TEXT = re.compile(r"\b(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{20,}\b", re.IGNORECASE)


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
def test_a_spoiled_compose_file_is_reported_by_service_and_key(
    service: str, key: str, value: object, fault: str
) -> None:
    spoiled = copy.deepcopy(COMPOSE)
    spoiled["services"][service][key] = value
    assert faults(spoiled) == [fault]


def test_a_secret_with_a_default_is_reported_by_name() -> None:
    spoiled = copy.deepcopy(COMPOSE)
    spoiled["secrets"]["influx_token"]["file"] = "./secrets/influx_token"
    assert faults(spoiled) == ["the secret influx_token comes from elsewhere than the user's own folder"]


@pytest.mark.parametrize("path", ["docker-compose.yml", "Dockerfile", "ingest/mosquitto.conf", "ingest/mosquitto.acl"])
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
    assert all(name.startswith(configuration.PREFIX) and "__" in name for name in environment)
    configuration.read(None, {name: DEFAULT.sub(r"\1", str(value)) for name, value in environment.items()})


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
