"""Commands that change nothing in the records leave a row in the audit log too."""

from __future__ import annotations

from pathlib import Path

import pytest

import liftwatch
from registry.actor import Actor
from registry.lift_facts import LiftFacts
from store.records.repository import AuditFilter, Records
from tests.broker import Broker, mosquitto

T0_NS = 1_000_000_000_000_000_000


@pytest.fixture(name="config")
def configuration(tmp_path: Path) -> Path:
    """A configuration file with a broker and a lift."""
    config = tmp_path / "liftwatch.toml"
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records:
        records.put_lift(LiftFacts("A-1", "d1"), Actor.named("test"), T0_NS)
    config.write_text(f"[monitor]\ndata_dir = '{tmp_path}'\n", encoding="utf-8")
    return config


def actions(folder: Path) -> list[tuple[str, str]]:
    """Return the action and the subject of the rows of the command line, the newest first."""
    with Records.open(f"sqlite:///{folder}/records.db") as records:
        return [(each.action, each.subject) for each in records.audit(AuditFilter(who="command line")).items]


def test_recording_and_injecting_are_audited(config: Path, tmp_path: Path) -> None:
    broker = Broker(mosquitto(), tmp_path)
    try:
        with config.open("a", encoding="utf-8") as file:
            file.write(f"[broker]\nport = {broker.port}\n")
        for line in (["record", str(tmp_path / "taken"), "--for", "1"], ["inject", "A-1", "governor-overspeed"]):
            assert liftwatch.main(["--config", str(config), *line]) == 0
    finally:
        broker.stop()
    assert actions(tmp_path) == [("lift.fault", "A-1"), ("readings.record", "broker")]


def test_writing_the_files_of_the_broker_and_the_authority_are_audited(config: Path, tmp_path: Path) -> None:
    for action in (["write"], ["authority", "--server", "localhost"]):
        assert liftwatch.main(["--config", str(config), "devices", *action]) == 0
    assert actions(tmp_path) == [("device.authority", "authority"), ("device.write", "broker")]
