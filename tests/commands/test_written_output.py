"""Standard output as other programs read it, and a cause of `inject` that does not exist."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

import liftwatch
from commands import configuration_file, demo
from registry.actor import Actor
from registry.facts import LiftFacts
from store.records.repository import Records
from tests.processes import start_process

LIFTS = 2000
"""Their export is longer than a pipe holds."""


def test_an_export_whose_reader_ends_early_ends_without_an_error(tmp_path: Path) -> None:
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records:
        records.put_lifts(
            [LiftFacts(lift_id=f"A{n}", district="d") for n in range(LIFTS)], by=Actor.named("test"), now_ns=1
        )
    config = tmp_path / "liftwatch.toml"
    config.write_text(f"[monitor]\ndata_dir = '{tmp_path}'\n", encoding="utf-8")
    command = [sys.executable, "-m", "liftwatch", "--config", str(config), "lifts", "export"]
    with start_process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
        assert export.stdout is not None
        assert export.stderr is not None
        assert export.stdout.readline() == b"[\n"
        export.stdout.close()
        assert export.stderr.read() == b""
    assert export.returncode == 0


def test_an_unknown_cause_is_refused_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        liftwatch.main(["inject", "sim-00001", "governor-overspeeds"])
    assert end.value.code == 2
    assert "'governor-overspeeds' is no cause; did you mean governor-overspeed?" in capsys.readouterr().err


def test_the_demonstration_takes_no_port_that_nobody_named(tmp_path: Path) -> None:
    options = argparse.Namespace(broker_port=1, port=2, lifts=1, seed=1, faults_per_hour=0.0)
    demo.own_processes(options, tmp_path)
    assert configuration_file.read(tmp_path / demo.CONFIG_NAME).monitor.http_port == 0
