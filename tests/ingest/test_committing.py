"""Commits of judging whose answers are lost: the snapshots that follow count after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alerts.alert import Change
from ingest.committing import Committing
from store.journal import Journal
from store.records.repository import Records, RecordsUnavailable
from store.snapshot_file import SnapshotFile

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
            committing.commit(BOUND, BOUND, lambda: b"bound")
        committing.commit(BOUND, BOUND, lambda: b"bound")
        committing.request_snapshot()
        committing.commit(LATER, LATER, lambda: b"later")
        committing.finish_snapshot()
        found = SnapshotFile(journal.folder).newest(records.resume())
    assert found is not None
    assert (found.position, found.state) == (LATER, b"later")
