"""Threads that write to one file of SQLite take turns in the order in which they came."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from store.records.repository import Records, RecordsUnavailable
from store.sqlite_file import WriterBusy, WriterTurns
from tests.loopback import PATIENCE_S, until

MANY = 40


def test_a_writer_that_waits_is_not_overtaken() -> None:
    turns, order = WriterTurns(), list[int]()

    def write(number: int) -> None:
        with turns.turn():
            order.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(MANY)]
    with turns.turn():
        for number, thread in enumerate(threads):
            thread.start()
            until(lambda number=number: len(turns._waiting) == number + 1, "a thread that waits")
    for thread in threads:
        thread.join(PATIENCE_S)
    assert order == list(range(MANY))


def test_a_writer_that_gives_up_leaves_the_turn_to_the_next() -> None:
    turns = WriterTurns()
    with turns.turn():
        with pytest.raises(WriterBusy), turns.turn(limit_s=0.01):
            pass
        assert not turns._waiting
    with turns.turn(limit_s=0.01):
        pass


def test_more_threads_than_connections_write_and_none_waits_for_a_connection(tmp_path: Path) -> None:
    with Records.open(f"sqlite:///{tmp_path}/records.db") as records:
        failed: list[RecordsUnavailable] = []

        def write(number: int) -> None:
            try:
                records.move_cursor(f"reader-{number}", number)
            except RecordsUnavailable as error:
                failed.append(error)

        with records.one_transaction():
            threads = [threading.Thread(target=write, args=(number,)) for number in range(MANY)]
            for thread in threads:
                thread.start()
            until(lambda: len(records._database._turns._waiting) == MANY, "threads that wait")
            assert records._database.engine.pool.checkedout() == 1  # type: ignore[attr-defined]
            assert records.cursor("reader-1") == 0, "readers do not wait"
        for thread in threads:
            thread.join(PATIENCE_S)
        assert [records.cursor(f"reader-{number}") for number in range(MANY)] == list(range(MANY))
    assert failed == []
