"""The journal on a disk that fills or breaks, and one that lost the end of its file: nothing kills the process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import lmdb
import pytest

from store.journal import Journal, JournalUnavailable
from store.journal_files import JournalDamaged
from tests.small_disk import SmallDisk
from tests.store.test_journal import PROJECT, messages

ADD = """
import sys
from store.journal import Journal
from tests.store.test_journal import messages
with Journal.open(sys.argv[1], 8 << 20) as journal:
    print(journal.append(messages(10)))
"""


def start(folder: Path) -> subprocess.CompletedProcess[str]:
    """Open a journal and append ten messages in a process of its own."""
    command = [sys.executable, "-c", ADD, str(folder)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def append_until_full(journal: Journal) -> int:
    """Append groups until the disk has no room; return the position of the last message that was appended."""
    last = journal.last
    for _ in range(2_000):
        try:
            last = journal.append(messages(20, 2_000))
        except JournalUnavailable:
            return last
    pytest.fail("the disk never filled")


def test_a_full_disk_refuses_messages_until_there_is_room_and_loses_none(small_disk: SmallDisk) -> None:
    with Journal.open(small_disk.folder / "journal") as journal:
        journal.append(messages(100, 2_000))
        small_disk.fill()
        for _ in range(2):
            last = append_until_full(journal)
            for _ in range(5):
                with pytest.raises(JournalUnavailable, match="no room or a broken disk"):
                    journal.append(messages(20, 2_000))
            assert journal.last == last
            assert len(journal.read(last - 20)) == 20
            small_disk.free()
            assert journal.append(messages(20, 2_000)) == last + 20
            journal.mark("judge", last)
            journal.trim(last)
            assert journal.first == last + 1
            small_disk.fill()
    small_disk.free()


def test_a_first_start_on_a_full_disk_is_refused_with_a_remedy_and_succeeds_once_there_is_room(
    small_disk: SmallDisk,
) -> None:
    folder = small_disk.folder / "journal"
    folder.mkdir()
    small_disk.fill()
    first = subprocess.run(
        [sys.executable, "-c", ADD, folder], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert first.returncode == 1, "the process was killed"
    assert "JournalUnavailable" in first.stderr
    small_disk.free()
    assert start(folder).stdout == "10\n"


def test_a_restart_on_a_full_disk_reads_what_is_there(small_disk: SmallDisk) -> None:
    with Journal.open(small_disk.folder / "journal") as journal:
        journal.lock()
        journal.append(messages(10))
    small_disk.fill()
    with Journal.open(small_disk.folder / "journal") as journal:
        journal.lock()
        assert len(journal.read(0)) == 10
    small_disk.free()


@pytest.mark.parametrize("keep_bytes", [100, 4_096, 8_192, 1 << 20])
def test_a_journal_that_lost_its_end_is_refused_with_what_is_safe_to_do(tmp_path: Path, keep_bytes: int) -> None:
    with Journal.open(tmp_path) as journal:
        journal.append(messages(2_000, 1_800))
    os.truncate(tmp_path / "data.mdb", keep_bytes)
    before = (tmp_path / "data.mdb").read_bytes()
    done = start(tmp_path)
    assert done.returncode == 1, "the process was killed"
    assert "JournalDamaged: the journal" in done.stderr
    assert (tmp_path / "data.mdb").read_bytes() == before


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(os.urandom(100_000))
    with pytest.raises(JournalDamaged, match=r"not a journal.*Put a whole copy"):
        Journal.open(tmp_path)


def test_a_journal_that_lmdb_declared_broken_is_opened_anew_beside_its_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal.open(tmp_path) as journal:
        journal.append(messages(10))
        broken = journal._environment

        class Panicking:
            """LMDB after a failed write of its first pages: every transaction is refused until it is opened anew."""

            def begin(self, write: bool = False) -> None:
                raise lmdb.PanicError("mdb_txn_begin", -30795)

            def close(self) -> None:
                broken.close()

        monkeypatch.setattr(journal, "_environment", Panicking())
        with pytest.raises(JournalUnavailable):
            journal.append(messages(1))
        readers = [threading.Thread(target=journal.read, args=(0,)) for _ in range(8)]
        for reader in readers:
            reader.start()
        assert journal.append(messages(1)) == 11
        for reader in readers:
            reader.join()
        assert len(journal.read(0)) == 11


def test_messages_appended_before_the_records_answered_are_numbered_after_what_was_judged(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.append(messages(5))
    with Journal.open(tmp_path) as journal:
        journal.append(messages(7, first=100))
        assert journal.continue_after(1_000) == 5
        assert [entry.position for entry in journal.read(0)] == list(range(1_001, 1_008))
        assert [entry.payload for entry in journal.read(0)] == [payload for _, _, payload, _ in messages(7, first=100)]
        assert journal.append(messages(1)) == 1_008
        assert journal.continue_after(1_000) == 0
