"""The parts of `liftwatch demo --secure`: sign-in, https, a broker with passwords and certificates, a user a program.

simulated fleet ─ password ─► OWN ┐
one more lift ─ certificate ─► CERTIFICATES ├─ Mosquitto ◄─ password ─ OWN ─ monitor
your own devices ─ password ─► DEVICES ┘
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from commands.child_process import LOOPBACK, ChildProcess, is_listening, own_command
from commands.errors import Unusable

SHIPPED = Path(__file__).parents[1] / "ingest" / "mosquitto.conf"
DEVICES, CERTIFICATES, OWN = 8883, 8884, 8885
"""The listeners of the shipped configuration; here they are consecutive ports from `--broker-port` on."""
HOST = "localhost"
DISTRICTS_FILE = Path(__file__).parents[1] / "simulator" / "buildings" / "districts.geojson"
"""Outlines of the districts for the map of the demonstration: roughly drawn, not their borders."""
RUSH_HOUR = "7.75"
"""The traffic of a morning, whatever the clock says."""
LISTENING = "listening on"
"""The words of the server's log at each start, which follow the link of that start."""
FIRST_LINK = re.compile(r"https://\S+/welcome\?code=\S+")


def secure_ports(first: int) -> dict[int, int]:
    """Return the port for each listener of the shipped configuration."""
    return {listener: first + place for place, listener in enumerate((DEVICES, CERTIFICATES, OWN))}


def secure_processes(
    options: argparse.Namespace, data: Path, mosquitto: str | None, config: Path
) -> list[ChildProcess]:
    """Make credentials and configurations in `data`; return broker, monitor, dashboards, fleet and device."""
    if mosquitto is None:
        raise Unusable("--secure: needs Mosquitto (Debian: apt-get install mosquitto); leave --secure out without it")
    ports, lifts = secure_ports(options.broker_port), options.lifts
    device = f"sim-{lifts + 1:05}"
    program = functools.partial(_configuration, options, data, ports[OWN])
    config.write_text(program("liftwatch-dashboards"), encoding="utf-8")
    _make_credentials(config, data, device)
    paths = {name: data / f"{name}.toml" for name in ("monitor", "simulator", "device")}
    paths["monitor"].write_text(program("liftwatch-monitor"), encoding="utf-8")
    paths["simulator"].write_text(program("liftwatch-simulator"), encoding="utf-8")
    paths["device"].write_text(_device_configuration(data, ports[CERTIFICATES], device), encoding="utf-8")
    (data / "mosquitto.conf").write_text(_mosquitto_configuration(data, ports), encoding="utf-8")
    monitor_log = data / "monitor.log"
    fleet = ["simulate", "--lifts", str(lifts + 1), "--seed", str(options.seed), "--hour", RUSH_HOUR]
    faults = ["--faults-per-hour", str(options.faults_per_hour), "--labels", str(data / "labels.jsonl")]
    own = {name: own_command(path) for name, path in paths.items()}

    def child(name: str, *command: str) -> ChildProcess:
        return ChildProcess(name, [*own[name], *command], data / f"{name}.log", lambda: True)

    monitor, serving = child("monitor", "monitor"), [*own_command(config), "serve"]
    monitor.is_ready = lambda: b"receiving from" in monitor_log.read_bytes()
    is_healthy = functools.partial(is_healthy_over_tls, options.port, data / "broker" / "authority.pem")
    listening = functools.partial(is_listening, ports[OWN])
    return [
        ChildProcess("broker", [mosquitto, "-c", str(data / "mosquitto.conf")], data / "broker.log", listening),
        monitor,
        ChildProcess("dashboards", serving, data / "dashboards.log", is_healthy),
        child("simulator", *fleet, "--register", "--numbers", f"1-{lifts}", *faults),
        child("device", *fleet, "--numbers", f"{lifts + 1}-{lifts + 1}"),
    ]


def secure_hints(options: argparse.Namespace, data: Path) -> list[str]:
    """Return the addresses and credentials of the demonstration's pages and devices."""
    ports, device = secure_ports(options.broker_port), f"sim-{options.lifts + 1:05}"
    link = FIRST_LINK.search((data / "dashboards.log").read_text(encoding="utf-8").split(LISTENING)[-2:][0])
    first = [f"Create the first administrator within 30 minutes: {link[0]}"] if link else []
    return [
        f"Liftwatch is at https://{HOST}:{options.port}/ (let the browser trust {data / 'broker' / 'authority.pem'})",
        *first,
        f"Devices: port {ports[DEVICES]} with a password, {ports[CERTIFICATES]} with a certificate, as {device} has in",
        f"  {data / 'devices' / device}",
    ]


def is_healthy_over_tls(port: int, authority: Path) -> bool:
    """Return whether the dashboards answer on a loopback port with a certificate of the authority."""
    try:
        trusted = ssl.create_default_context(cafile=str(authority))
        with urllib.request.urlopen(f"https://{HOST}:{port}/healthz", timeout=2, context=trusted):  # nosec B310
            return True
    except (urllib.error.URLError, OSError):
        return False


def _make_credentials(config: Path, data: Path, device: str) -> None:
    """Make the authority, the server's certificate, the programs' passwords and the certificate of one device."""
    _run(config, "authority", "--server", HOST, LOOPBACK)
    _run(config, "programs", "--demo", "--secrets", str(data / "secrets"))
    if not (data / "devices" / device).exists():
        _run(config, "add", device, "--certificate", "--to", str(data / "devices" / device))


def _run(config: Path, *arguments: str) -> None:
    done = subprocess.run([*own_command(config), "devices", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unusable(f"--secure: {done.stderr.strip()}")


def _configuration(options: argparse.Namespace, data: Path, port: int, user: str) -> str:
    return (
        f"[broker]\nhost = '{HOST}'\nport = {port}\ntls = true\nca_file = '{data}/broker/authority.pem'\n"
        f"username = '{user}'\npassword_file = '{data}/secrets/{user}'\npid_file = '{data}/mosquitto.pid'\n"
        f"[monitor]\ndata_dir = '{data}'\njournal_limit_mb = 1024\nhttp_port = 0\n"
        f"[dashboards]\nport = {options.port}\ndemo = true\n"
        f"certificate_file = '{data}/broker/server.pem'\nkey_file = '{data}/broker/server.key'\n"
        "[sign_in]\nrequired = true\n"
        f"[map]\ndistricts_file = '{DISTRICTS_FILE}'\n"
    )


def _device_configuration(data: Path, port: int, device: str) -> str:
    folder = data / "devices" / device
    return (
        f"[broker]\nhost = '{HOST}'\nport = {port}\ntls = true\nca_file = '{folder}/authority.pem'\n"
        f"certificate_file = '{folder}/{device}.pem'\nkey_file = '{folder}/{device}.key'\n"
    )


def _mosquitto_configuration(data: Path, ports: dict[int, int]) -> str:
    """Return the shipped configuration with these ports on loopback and the files in `data`."""
    text = SHIPPED.read_text(encoding="utf-8")
    for shipped, port in ports.items():
        text = text.replace(f"listener {shipped}\n", f"listener {port} {LOOPBACK}\n")
    text = text.replace("/mosquitto/access/", f"{data}/broker/").replace("/mosquitto/data/", f"{data}/")
    root = "user root\n" if os.geteuid() == 0 else ""  # else it gives up the right to write there
    return f"{text}pid_file {data}/mosquitto.pid\n{root}"
