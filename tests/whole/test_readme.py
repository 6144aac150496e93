"""The README's commands, run verbatim on a running installation except for ports."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import liftwatch
from tests.loopback import until
from tests.processes import start_process
from tests.whole.installation import System

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (\S.*(?:\n      \S.*)*)$", README, re.MULTILINE)
"""Indented lines; what is indented further goes on."""
PROGRAMS = ("curl", "mosquitto_pub")
MARKED = re.compile(r"`((?:\.venv/bin/)?(?:liftwatch|make) [^`]+)`")


def commands_of(program: str) -> list[str]:
    return [command for command in COMMANDS if command.startswith(f"{program} ")]


@pytest.fixture
def environment(system: System, tmp_path: Path) -> dict[str, str]:
    """Where Mosquitto's own clients find the port of the broker."""
    for program in (*PROGRAMS, "mosquitto_sub"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} on PATH (Debian: curl, mosquitto-clients)")
        (tmp_path / program).write_text(f"-p {system.broker.port}\n", encoding="ascii")
    return os.environ | {"XDG_CONFIG_HOME": str(tmp_path)}


def run(command: str, system: System, environment: dict[str, str]) -> str:
    """Run a command as a shell does and return what it printed."""
    here = command.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{system.port}")
    return subprocess.run(["bash", "-c", here], env=environment, check=True, capture_output=True, text=True).stdout


def shown(system: System) -> tuple[str, bool, float]:
    """Return what the fleet's list shows of the lift."""
    (lift,) = (item for item in system.get("/api/v1/lifts", q="A17")["items"] if item["lift_id"] == "A17")
    return lift["door"], lift["presence"], lift["position_m"]


def test_the_readmes_commands_connect_a_lift(system: System, environment: dict[str, str]) -> None:
    assert (len(commands_of("curl")), len(commands_of("mosquitto_pub"))) == (1, 4)
    (register,) = commands_of("curl")
    assert '"registered":true' in run(register, system, environment).replace(" ", "")
    subscription = next(marked for marked in re.findall(r"`(mosquitto_sub [^`]+)`", README))
    with start_process(
        ["bash", "-c", f"exec {subscription} -W 60"], env=environment, stdout=subprocess.PIPE
    ) as listening:
        for command in commands_of("mosquitto_pub"):
            run(command, system, environment)
        assert listening.stdout is not None
        received = next(line for line in listening.stdout if b'"A17"' in line)
        listening.terminate()
    assert b'"alarm-button"' in received
    until(lambda: system.received("A17") == 4, "every message")
    until(lambda: shown(system) == ("open", True, 4.18), "the last of its readings")
    refused = system.get("/api/v1/dead-letters")["items"]
    assert not [letter for letter in refused if "A17" in letter["topic"]]


def test_every_other_command_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    commands = [*COMMANDS, *MARKED.findall(README)]
    for command in commands:
        program, *arguments = shlex.split(command.removeprefix(".venv/bin/"), comments=True)
        if program == "make":
            assert arguments[0] in targets, command
        elif program == "liftwatch" and "--help" not in arguments:
            liftwatch.parse(arguments)
    assert {command.split()[0].removeprefix(".venv/bin/") for command in commands} >= {"make", "liftwatch", *PROGRAMS}
