"""The journal keeps every entry that it confirmed, in order, inside its limit."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from store.journal import Journal, JournalFull, JournalLocked
from telemetry.streams import Entry
from tests.processes import start_process

START_NS = 1_000_000_000_000_000_000  # September 2001
PROJECT = Path(__file__).parents[2]


def messages(count: int, size: int = 100, first: int = 0) -> list[tuple[int, str, bytes, bool]]:
    return [
        (START_NS + i, f"lift/v1/north/L{i % 7}/bundle", (b"%d " % i).ljust(size, b"."), i % 5 == 0)
        for i in range(first, first + count)
    ]


def test_messages_are_read_back_as_they_were_appended(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        appended = [
            *messages(3),
            (START_NS, "lift/v1/nord/Ä-é/door", b"", True),
            (START_NS, "x", b"\x00\xff" * 40_000, False),
        ]
        assert journal.append(appended) == 5
        assert journal.read(0) == [Entry(i, *message) for i, message in enumerate(appended, 1)]
        assert [entry.position for entry in journal.read(3)] == [4, 5]
        assert journal.read(5) == []


def test_positions_continue_after_a_full_trim_and_a_reopening(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        assert (journal.first, journal.last) == (1, 0)
        journal.append(messages(10))
        journal.trim(4)
        assert (journal.first, journal.last) == (5, 10)
        journal.trim(1_000)
        assert (journal.first, journal.last) == (11, 10)
    with Journal.open(tmp_path) as journal:
        assert journal.append(messages(1)) == 11
        assert journal.first == 11


def test_an_empty_group_changes_nothing(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.append(messages(2))
        assert journal.append([]) == 2


def test_a_read_is_bounded_by_messages_and_by_bytes_but_always_moves_on(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.append(messages(100, size=1_000))
        assert len(journal.read(0, max_messages=7)) == 7
        assert 3 <= len(journal.read(0, max_bytes=4_000)) <= 4
        assert len(journal.read(0, max_bytes=1)) == 1


def test_the_position_of_a_reader_persists(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        assert journal.position("judge") == 0
        journal.mark("judge", 17)
        journal.mark("store", 3)
    with Journal.open(tmp_path) as journal:
        assert (journal.position("judge"), journal.position("store")) == (17, 3)


def fill(journal: Journal, group: list[tuple[int, str, bytes, bool]]) -> int:
    kept = 0
    try:
        for _ in range(1_000):
            kept = journal.append(group)
    except JournalFull:
        return kept
    pytest.fail("the journal never raised JournalFull")


@pytest.mark.parametrize("size", [100, 2_100, 250_000])
def test_a_full_journal_refuses_whole_groups_and_trimming_makes_room_again_and_again(tmp_path: Path, size: int) -> None:
    limit = 4 << 20
    group = messages(max(1, 200_000 // size), size)
    with Journal.open(tmp_path, limit) as journal:
        for _ in range(5):
            kept = fill(journal, group)
            assert journal.last == kept
            assert journal.used_bytes > limit * 0.7
            journal.trim(journal.last - 2 * len(group))
            assert journal.read(journal.last - 1)[0].payload == group[-1][2]
    assert (tmp_path / "data.mdb").stat().st_size < limit * 3


def test_another_process_reads_while_this_one_writes(tmp_path: Path) -> None:
    script = (
        "import sys; from store.journal import Journal; journal = Journal.open(sys.argv[1])\n"
        "for line in sys.stdin: print(journal.last, len(journal.read(int(line))), flush=True)"
    )
    with Journal.open(tmp_path) as journal:
        reader = start_process(
            [sys.executable, "-c", script, tmp_path],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with reader:
            assert reader.stdin
            assert reader.stdout
            for count in (3, 6, 9):
                journal.append(messages(3))
                reader.stdin.write("1\n")
                reader.stdin.flush()
                assert reader.stdout.readline().split() == [str(count), str(count - 1)]
            reader.stdin.close()


LOCK = """
import sys
from store.journal import Journal
journal = Journal.open(sys.argv[1])
journal.lock()
print("locked", flush=True)
input()
"""


def test_only_one_process_locks_a_journal_and_its_end_releases_the_lock(tmp_path: Path) -> None:
    owner = start_process(
        [sys.executable, "-c", LOCK, tmp_path],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with owner, Journal.open(tmp_path) as journal:
        assert owner.stdout
        owner.stdout.readline()
        with pytest.raises(JournalLocked, match=rf"process {owner.pid}.*data_dir"):
            journal.lock()
        owner.kill()
        owner.wait()
        journal.lock()


APPEND_UNTIL_KILLED = """
import sys
from store.journal import Journal
journal = Journal.open(sys.argv[1])
while True:
    last = journal.append([(i, "lift/v1/north/A/door", b"%d" % i, False) for i in range(50)])
    print(last, flush=True)
    if last % 400 == 0:
        journal.trim(last - 200)
"""


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    rng = random.Random(3)
    for _ in range(5):
        writer = start_process(
            [sys.executable, "-c", APPEND_UNTIL_KILLED, tmp_path], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout
        for _ in range(rng.randrange(1, 60)):
            acknowledged = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = max(
            [
                acknowledged,
                *(int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")),
            ]
        )
        writer.wait()
        writer.stdout.close()
        with Journal.open(tmp_path) as journal:
            assert journal.last >= acknowledged
            assert journal.last % 50 == 0
            kept = journal.read(journal.first - 1)
            assert [entry.position for entry in kept] == list(range(journal.first, journal.last + 1))
            assert all(entry.payload == b"%d" % ((entry.position - 1) % 50) for entry in kept)
