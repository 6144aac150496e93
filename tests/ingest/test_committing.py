"""The snapshots of commits: whose answer was lost, and of monitors whose data folder and records do not fit."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from alerts.alert import Change
from detectors.rules.power_loss import RULE as POWER_LOSS
from ingest.committing import Committing
from store.journal import Journal
from store.records.repository import AlertFilter, Records, RecordsUnavailable
from store.snapshot_file import FILE, SnapshotFile
from telemetry.streams import topic
from tests.ingest.judged import judging
from tests.ingest.running import DISTRICT, T0_MS
from tests.loopback import PATIENCE_S, until

BOUND, LATER = 10, 100


class LosesAnswers(Records):
    """Records that lose the answer of the next commits of judging, `lost` of them: the transaction is committed."""

    lost = 0

    def judge(self, **findings: Any) -> list[Change]:
        changes = super().judge(**findings)
        if self.lost:
            self.lost -= 1
            raise RecordsUnavailable("the server closed the connection after the commit")
        return changes


def test_a_snapshot_after_a_commit_whose_answer_was_lost_is_resumed_from(journal: Journal, tmp_path: Path) -> None:
    with LosesAnswers.open(f"sqlite:///{tmp_path}/records.db") as records:
        committing = Committing(journal, records)
        committing.resume(records.resume(), (), lambda *_: None, ())
        committing.bind_snapshot()
        records.lost = 1
        with pytest.raises(RecordsUnavailable):
            committing.commit(BOUND, BOUND, lambda: lambda: b"bound")
        committing.commit(BOUND, BOUND, lambda: lambda: b"bound")
        committing.request_snapshot()
        committing.commit(LATER, LATER, lambda: lambda: b"later")
        committing.finish_snapshot()
        found = SnapshotFile(journal.folder).newest(records.resume())
    assert found is not None
    assert (found.position, found.state) == (LATER, b"later")


def test_a_commit_waits_neither_for_the_copy_of_the_state_nor_for_its_packing(journal: Journal, tmp_path: Path) -> None:
    packing, committed_at_copy = threading.Event(), []
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records:
        committing = Committing(journal, records)
        committing.resume(records.resume(), (), lambda *_: None, ())
        committing.commit(BOUND, BOUND, lambda: lambda: b"bound")
        committing.request_snapshot()

        def freeze() -> Callable[[], bytes]:
            committed_at_copy.append(records.resume().position)
            return lambda: b"later" if packing.wait(PATIENCE_S) else b"late"

        committing.commit(LATER, LATER, freeze)
        packing.set()
        committing.finish_snapshot()
        found = SnapshotFile(journal.folder).newest(records.resume())
    assert (committed_at_copy, found and found.state) == ([LATER], b"later")


@contextmanager
def resumed(folder: Path, records: Records) -> Iterator[Committing]:
    """Give what commits for a monitor with this data folder, which has resumed."""
    with Journal.open(folder, 64 << 20) as journal:
        committing = Committing(journal, records)
        committing.resume(records.resume(), (), lambda *_: None, ())
        yield committing
        committing.finish_snapshot()


def commit(committing: Committing, position: int, state: bytes) -> None:
    """Commit with a snapshot in the file, or in the records where none is there."""
    committing.request_snapshot()
    committing.commit(position, position, lambda: lambda: state)
    committing.finish_snapshot()


def test_the_file_of_a_host_is_left_out_after_another_host_went_on(
    tmp_path: Path, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    with resumed(tmp_path / "first", records) as first:
        commit(first, 10, b"bound")
        commit(first, 100, b"first")
    assert SnapshotFile(tmp_path / "first").newest(records.resume()) is not None
    with resumed(tmp_path / "spare", records) as spare:
        assert f"the journal {tmp_path / 'spare'} begins with message 101" in caplog.text
        assert (first.unknown_messages, spare.unknown_messages) == (0, 90)
        commit(spare, 200, b"spare")
    caplog.clear()
    found = SnapshotFile(tmp_path / "first").newest(records.resume())
    assert found is not None
    assert found.state == b"bound"
    assert f"{tmp_path / 'first' / FILE} of position 100 does not belong to these records" in caplog.text
    found = SnapshotFile(tmp_path / "spare").newest(records.resume())
    assert found is not None
    assert found.state == b"spare"


def test_judging_that_begins_anew_beside_old_records_is_logged_with_the_remedy(
    tmp_path: Path, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    records.judge(position=500, occurrences=[], now_ns=0)
    with resumed(tmp_path / "empty", records) as committing:
        assert "judged up to position 500: judging begins anew with message 501. Put data_dir" in caplog.text
        committing.commit(500, 500, lambda: lambda: b"fresh")
    snapshot = records.resume().snapshot
    assert snapshot is not None
    assert snapshot.state == b"fresh"


def test_after_a_clean_stop_a_spare_host_goes_on_from_the_records(
    journal: Journal, tmp_path: Path, records: Records
) -> None:
    def states() -> list[str]:
        return [alert.state for alert in records.alerts(AlertFilter(), limit=10).items]

    with judging(journal, records, (POWER_LOSS,)):
        append_status(journal, *["mains"] * 3, *["battery"] * 9)
        until(lambda: states() != [], "an alert of lost power")
    with Journal.open(tmp_path / "spare", 64 << 20) as spare, judging(spare, records, (POWER_LOSS,)):
        before = states()
        append_status(spare, *["mains"] * 90, first_s=12)
        until(lambda: states() != before, "the end of lost power")


def append_status(journal: Journal, *powers: str, first_s: int = 0) -> None:
    """Append the status of L1, one each second."""
    bodies = [
        {"seq": s, "boot": "1", "t": T0_MS + 1000 * s, "online": True, "power": power}
        for s, power in enumerate(powers, first_s)
    ]
    lines = [json.dumps(body).encode() for body in bodies]
    journal.append([(time.time_ns(), topic(DISTRICT, "L1", "status"), line, False) for line in lines])
