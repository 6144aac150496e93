"""Recordings: what is read back equals what was written, and a recording is never silently short."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from registry.facts import Floor, LiftFacts
from store.recordings import recording as recordings
from store.recordings.format import TABLES, InvalidRecording, RecordingHeader
from store.recordings.recording import Recording, RecordingWriter
from telemetry.batch import NO_MACHINE
from telemetry.wire.decode import decode
from tests.store.messages import sample_entries
from tests.telemetry.wire import assert_same

FACTS = [
    LiftFacts("L0", "north", rated_speed_mps=1.75, floors=(Floor("G", 0.0), Floor("1", 4.2)), parks_door_open=True),
    LiftFacts("L1", "north", name="人民路 1", door_zone_m=0.35),
]
LABEL: dict[str, Any] = {
    "lift_id": "L0",
    "event": "L0/1",
    "kind": "fault",
    "cause": "door-friction",
    "form": "growing",
    "severity": 0.5,
    "onset": 1_000_000_000_000_000_000,
    "end": 1_000_000_060_000_000_000,
    "functional_failure": None,
    "symptom": None,
    "symptom_onset": None,
    "symptom_end": None,
    "rules": ["door-close-fault"],
}


def header() -> RecordingHeader:
    return RecordingHeader(source="test", product="0", seed=7, scenario="none")


def taken(folder: Path, groups: int = 4) -> Path:
    """Record the messages in some groups, and two labels."""
    entries = sample_entries()
    cut = [len(entries) * k // groups for k in range(groups + 1)]
    with RecordingWriter(folder, header(), FACTS) as writer:
        for begin, end in pairwise(cut):
            writer.add(decode(entries[begin:end]))
        writer.add_labels([LABEL, LABEL | {"symptom": "door-slow", "symptom_onset": LABEL["onset"]}])
    return folder


@pytest.mark.parametrize("groups", [1, 7, 30])
@pytest.mark.parametrize("part_bytes", [1000, recordings.PART_BYTES])
def test_a_recording_reads_back_the_same_messages(
    tmp_path: Path, groups: int, part_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "PART_BYTES", part_bytes)
    recording = Recording(taken(tmp_path / "taken", groups))
    (whole,) = recording.groups(messages=1_000_000)
    assert_same(whole, decode(sample_entries()))
    assert recording.header.complete
    assert recording.header.messages == len(whole.messages.seq)
    assert recording.header.refusals == len(whole.refusals) > 0
    assert recording.header.start == "2001-09-09T01:46:40.000000000Z"
    assert recording.header.lifts == 5


def test_groups_are_read_in_the_order_of_arrival(tmp_path: Path) -> None:
    groups = list(Recording(taken(tmp_path / "taken")).groups(messages=5))
    assert [len(group.messages.seq) for group in groups[:-1]] == [5] * (len(groups) - 1)
    arrived = [t for group in groups for t in group.messages.arrived_ns.tolist()]
    assert arrived == sorted(arrived)
    assert all(int(s.message.max(initial=0)) < 5 for group in groups for s in group.samples.values())


def test_facts_and_labels_are_read_back(tmp_path: Path) -> None:
    recording = Recording(taken(tmp_path / "taken"))
    assert recording.facts() == FACTS
    assert recording.labels()[0] == LABEL
    assert recording.labels()[1]["symptom"] == "door-slow"


def test_an_empty_recording_is_a_recording(tmp_path: Path) -> None:
    RecordingWriter(tmp_path / "empty", header()).close()
    recording = Recording(tmp_path / "empty")
    assert recording.header.complete
    assert recording.header.start is None
    assert list(recording.groups()) == []
    assert recording.facts() == recording.labels() == []


def test_a_failure_while_recording_leaves_it_marked_incomplete_and_readable(tmp_path: Path) -> None:
    def burn() -> None:
        with RecordingWriter(tmp_path / "short", header(), FACTS) as writer:
            writer.add(decode(sample_entries()))
            raise OSError("the broker burned")

    with pytest.raises(OSError, match="the broker burned"):
        burn()
    recording = Recording(tmp_path / "short")
    assert not recording.header.complete
    (whole,) = recording.groups(messages=1_000_000)
    assert_same(whole, decode(sample_entries()))
    assert recording.facts() == FACTS


KILLED = """
import os, signal, sys
from pathlib import Path
from store.recordings import recording as recordings
from telemetry.wire.decode import decode
from store.recordings.format import RecordingHeader
from tests.store.messages import sample_entries
entries, folder = sample_entries(), Path(sys.argv[1])
recordings.PART_BYTES = 1000
rename = os.replace
def replaced(source, target):
    rename(source, target)
    if str(target).endswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = replaced
with recordings.RecordingWriter(folder, RecordingHeader('test', '0')) as writer:
    for entry in entries:
        writer.add(decode([entry]))
"""


@pytest.mark.parametrize("last", ["speed.000003.parquet", "messages.000005.parquet", "speed.parquet", "status.parquet"])
def test_a_recorder_killed_at_any_moment_leaves_whole_messages_marked_incomplete(tmp_path: Path, last: str) -> None:
    folder = tmp_path / "killed"
    run = subprocess.run([sys.executable, "-c", KILLED, str(folder), last], env=dict(os.environ), check=False)
    assert run.returncode == -signal.SIGKILL
    recording = Recording(folder)
    assert not recording.header.complete
    (part,) = recording.groups(messages=1_000_000)
    entries = sample_entries()
    positions = [*part.messages.position.tolist(), *(refusal.position for refusal in part.refusals)]
    assert_same(part, decode(entries[: max(positions)]))


def test_pandas_polars_and_duckdb_open_a_recording(tmp_path: Path) -> None:
    folder = taken(tmp_path / "taken")
    for name in [*TABLES, "facts", "labels"]:
        path = folder / f"{name}.parquet"
        rows = len(pl.read_parquet(path))
        assert len(pd.read_parquet(path)) == rows
        assert duckdb.sql(f"select count(*) from '{path}'").fetchall() == [(rows,)]
    doors = duckdb.sql(f"select door, count(*) from '{folder}/door.parquet' group by door order by door").fetchall()
    assert doors == [("open", 6), ("opening", 6)]
    speed = pl.read_parquet(folder / "speed.parquet").filter(pl.col("lift_id") == "L0")
    assert speed["v_mps"].to_list()[10:20] == pytest.approx([0.1] * 10)
    waves = pl.read_parquet(folder / "vibration.parquet")
    assert waves.schema["x"] == pl.List(pl.Float32)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (None, "has no recording.json"),
        (b"{", "is not JSON"),
        (b"[]", "format is missing"),
        (b'{"format": 4}', "newer than 3; update"),
        (b'{"format": 1, "source": "x"}', "product is missing"),
        (header().encode().replace(b"false", b"true"), "messages.parquet is missing"),
    ],
)
def test_an_invalid_recording_is_reported_in_one_line(tmp_path: Path, document: bytes | None, complaint: str) -> None:
    if document is not None:
        (tmp_path / "recording.json").write_bytes(document)
    with pytest.raises(InvalidRecording, match=complaint):
        Recording(tmp_path)


def test_a_recording_of_format_1_is_still_read(tmp_path: Path) -> None:
    folder = taken(tmp_path / "taken")
    (folder / "machine.parquet").unlink()
    with pytest.raises(InvalidRecording, match=r"machine\.parquet is missing"):
        Recording(folder)
    (folder / "recording.json").write_bytes((folder / "recording.json").read_bytes().replace(b": 3,", b": 1,"))
    refusals = pl.read_parquet(folder / "refusals.parquet")
    refusals.drop("lift_id").write_parquet(folder / "refusals.parquet")
    (whole,) = Recording(folder).groups(messages=1_000_000)
    now = decode(sample_entries())
    then = replace(now, machine=NO_MACHINE, refusals=[replace(refusal, lift_id="") for refusal in now.refusals])
    assert_same(whole, then)


@pytest.mark.parametrize(("name", "kept"), [("messages", 0.5), ("speed", 0.5), ("facts", 0.1)])
def test_a_truncated_file_is_reported_in_one_line(tmp_path: Path, name: str, kept: float) -> None:
    path = taken(tmp_path / "taken") / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(InvalidRecording, match=r"cannot be read .*; take the recording anew"):
        assert Recording(tmp_path / "taken").facts() + list(Recording(tmp_path / "taken").groups())


def test_a_recording_that_lost_messages_reports_how_many(tmp_path: Path) -> None:
    path = taken(tmp_path / "taken") / "messages.parquet"
    pl.read_parquet(path).head(5).write_parquet(path)
    with pytest.raises(InvalidRecording, match="holds 5 of 103 messages; copy or take it anew"):
        Recording(tmp_path / "taken")


def test_a_folder_that_is_not_empty_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InvalidRecording, match="is not empty; name a folder"):
        RecordingWriter(tmp_path, header())
