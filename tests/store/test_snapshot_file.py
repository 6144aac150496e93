"""The snapshot beside the journal: the later one counts, half a file counts as none, and writing delays no other."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from store.records.monitors.snapshots import Resume
from store.records.repository import Records, Snapshot
from store.snapshot_file import CHECKSUM, FILE, HEADER, NEW_FILE, SnapshotFile, SnapshotNotWritten
from tests.alerts.rules import T0
from tests.small_disk import SmallDisk

OLD, NEW = Snapshot(5, b"old"), Snapshot(9, b"new")
LARGE_BYTES = 256 << 20


def written(folder: Path, snapshot: Snapshot, generation: int = 1) -> SnapshotFile:
    """Return the file of a folder with this snapshot."""
    file, marks = SnapshotFile(folder), list[int]()
    file.begin(snapshot.position, lambda: snapshot.state, generation, lambda: marks.append(snapshot.position))
    file.finish()
    assert marks == [snapshot.position]
    return file


def test_the_last_snapshot_is_read_back(tmp_path: Path) -> None:
    assert SnapshotFile(tmp_path).newest(Resume(0, None)) is None
    for snapshot in (OLD, NEW):
        file = written(tmp_path, snapshot)
        assert file.newest(Resume(9, None, 1)) == SnapshotFile(tmp_path).newest(Resume(9, None, 1)) == snapshot


@pytest.mark.parametrize(
    ("resume", "expected"),
    [
        (Resume(9, OLD, generation=3), NEW),
        (Resume(9, OLD, generation=4), OLD),  # the records have taken one since
        (Resume(8, OLD, generation=3), OLD),  # the records were restored from a copy
        (Resume(8, None, generation=3), None),
    ],
)
def test_the_later_snapshot_counts_and_none_that_is_ahead_of_the_records(
    tmp_path: Path, resume: Resume, expected: Snapshot | None
) -> None:
    assert written(tmp_path, NEW, generation=3).newest(resume) == expected


def test_a_snapshot_in_the_records_replaces_the_file_until_the_next_one(tmp_path: Path) -> None:
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records:
        records.judge(position=6, occurrences=[], now_ns=T0, generation=1)
        file = written(tmp_path, OLD, 1)
        assert file.newest(records.resume()) == OLD
        records.judge(position=9, occurrences=[], now_ns=T0, snapshot=NEW, generation=2)
        assert file.newest(records.resume()) == NEW
        last = Snapshot(9, b"last")
        assert written(tmp_path, last, records.resume().generation).newest(records.resume()) == last


@pytest.mark.parametrize("length", [0, 3, HEADER.size, HEADER.size + CHECKSUM.size + 2])
def test_a_file_that_is_cut_short_is_left_out(tmp_path: Path, length: int) -> None:
    file = written(tmp_path, NEW)
    os.truncate(tmp_path / FILE, length)
    assert file.newest(Resume(9, OLD, 1)) == OLD


@pytest.mark.parametrize("at", [10, HEADER.size, HEADER.size + CHECKSUM.size])
def test_a_file_with_a_changed_byte_is_left_out_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, at: int
) -> None:
    file = written(tmp_path, NEW)
    content = bytearray((tmp_path / FILE).read_bytes())
    content[at] ^= 1
    (tmp_path / FILE).write_bytes(content)
    assert file.newest(Resume(9, OLD, 1)) == OLD
    assert str(tmp_path / FILE) in caplog.text


@pytest.mark.parametrize("generation", [0, 2])
@pytest.mark.parametrize("resume", [Resume(9_000_000, None, 0), Resume(9_000_000, OLD, 3), Resume(8, None, 2)])
def test_a_file_of_other_records_is_left_out_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, generation: int, resume: Resume
) -> None:
    assert written(tmp_path, NEW, generation).newest(resume) == resume.snapshot
    assert f"{tmp_path / FILE} of position 9" in caplog.text
    assert "records of the same moment" in caplog.text


def test_a_file_that_is_older_than_the_snapshot_of_the_records_is_passed_over_silently(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert written(tmp_path, OLD, 1).newest(Resume(9, NEW, 2)) == NEW
    assert caplog.text == ""


def test_a_snapshot_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    file = written(tmp_path, OLD)
    (tmp_path / "snapshot.new").mkdir()
    file.begin(NEW.position, lambda: NEW.state, 0, lambda: pytest.fail("not on the disk"))
    file.finish()
    assert file.newest(Resume(9, None, 1)) == OLD


def test_a_snapshot_on_a_full_disk_is_an_outage_until_there_is_room(small_disk: SmallDisk) -> None:
    file = written(small_disk.folder, OLD)
    small_disk.fill()
    file.begin(9, lambda: bytes(1 << 20), 1, lambda: pytest.fail("not on the disk"))
    with pytest.raises(SnapshotNotWritten, match=r"No space left.*make room"):
        file.require()
    assert not (small_disk.folder / NEW_FILE).exists()
    assert file.newest(Resume(9, None, 1)) == OLD
    small_disk.free()
    file.begin(NEW.position, lambda: NEW.state, 1, lambda: None)
    file.require()
    assert file.outage.cause is None


def test_a_large_snapshot_delays_no_writer_of_the_records(tmp_path: Path) -> None:
    """In a transaction of the records the same state held every other writer for seconds."""
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records:
        records.move_cursor("mqtt", 0)
        file, ended = SnapshotFile(tmp_path), threading.Event()
        file.begin(1, lambda: bytes(LARGE_BYTES), 0, ended.set)
        took_s, first_s = [], time.monotonic()
        while not ended.is_set():
            begun_s = time.monotonic()
            records.move_cursor("mqtt", len(took_s))
            took_s.append(time.monotonic() - begun_s)
        file.finish()
    assert max(took_s) < (time.monotonic() - first_s) / 2
