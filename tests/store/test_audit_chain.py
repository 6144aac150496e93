"""The chain of the audit log: any single change of it is found, on both databases, whoever writes at once."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from registry.actor import Actor
from store.records.audit.chain import DISTRICT, FIELDS, Link
from store.records.audit.writing import KEPT_CHARACTERS, NAME_LIMIT, TEXT_LIMIT, write_audit
from store.records.database import MIGRATIONS
from store.records.repository import AlertFilter, AuditFilter, AuditSubject, Records
from store.records.schema import audit
from tests.alerts.rules import LIFT, STOP, T0, S, occurrence
from tests.processes import start_process

ROOT = Path(__file__).parents[2]
ANN = Actor("Ann", "person:7", "Desk", "dispatcher", "192.0.2.7")
YEAR_NS = 366 * 24 * 3600 * S


@pytest.fixture(name="records")
def open_records(url: str) -> Iterator[Records]:
    with Records.open(url) as opened:
        yield opened


def broken(records: Records, *kept: Link) -> list[str]:
    with records.chain_check(kept) as (_, found):
        return list(found)


def written(records: Records, rows: int = 5) -> None:
    for number in range(rows):
        subject = AuditSubject(f"L{number}", {"note": "x"}, {"name": None}, {"name": "Tower"}, f"L{number}")
        records.write_audit(T0 + number, ANN, "lift.patch", [subject])


def change(records: Records, statement: str) -> None:
    with records._database.writing() as connection:
        connection.execute(text(statement))


CHANGES = [
    f'UPDATE audit SET "{name}" = {value} WHERE id = 3'
    for name, value in [
        ("at_ns", 5), ("outcome", "'refused'"), ("by", "'Bob'"), ("account", "NULL"), ("organisation", "'x'"),
        ("role", "'viewer'"), ("address", "'::1'"), ("action", "'lift.put'"), ("subject", "'L9'"), ("lift_id", "NULL"),
        ("detail", "'{}'"), ("district", "'d9'"), ("before", "NULL"), ("after", "'{\"name\":\"Tower \"}'"),
        ("previous", "hash"), ("hash", "previous"), ("id", 17),
    ]
]  # fmt: skip


def test_every_column_is_in_the_hash() -> None:
    changed = {statement.split('"')[1] for statement in CHANGES}
    assert changed == set(FIELDS) | {DISTRICT, "previous", "hash"} == set(audit.c.keys())


@pytest.mark.parametrize("statement", CHANGES, ids=lambda statement: statement.split('"')[1])
def test_a_change_in_the_database_is_found(records: Records, statement: str) -> None:
    written(records)
    assert broken(records) == []
    change(records, statement)
    assert any(f"row {17 if '17' in statement else 3} was changed or moved" in each for each in broken(records))


REMOVALS = [
    ("DELETE FROM audit WHERE id = 1", "row 1 is missing"),
    ("DELETE FROM audit WHERE id IN (2, 3)", "rows 2 to 3 are missing"),
    ("DELETE FROM audit WHERE id = 5", "rows 5 to 5, the newest, are missing"),
    ("DELETE FROM audit", "rows 1 to 5, the newest, are missing"),
    ("UPDATE audit_ends SET row_id = 6 WHERE \"end\" = 'head'", "rows 6 to 6, the newest, are missing"),
    ("UPDATE audit_ends SET row_id = 4 WHERE \"end\" = 'head'", "rows 5 to 5 were inserted after the head"),
    ("UPDATE audit_ends SET hash = (SELECT previous FROM audit WHERE id = 5)", "the head is not row 5"),
    ("UPDATE audit_ends SET row_id = 2 WHERE \"end\" = 'anchor'", "rows up to 2 are missing"),
]


@pytest.mark.parametrize(("statement", "complaint"), REMOVALS, ids=lambda value: value[:60])
def test_what_was_removed_from_the_database_is_found(records: Records, statement: str, complaint: str) -> None:
    written(records)
    change(records, statement)
    assert any(complaint in each for each in broken(records)), broken(records)


def test_oldest_rows_that_retention_did_not_trim_are_found(records: Records) -> None:
    """Moving the anchor with the rows is not enough: the newest row of a trimming names the anchor."""
    written(records)
    moved = "row_id = 2, hash = (SELECT hash FROM audit WHERE id = 2)"
    change(records, f"UPDATE audit_ends SET {moved} WHERE \"end\" = 'anchor'")
    change(records, "DELETE FROM audit WHERE id <= 2")
    assert broken(records) == ["rows up to 2 are missing, and no row 'audit.trim' says that they were trimmed"]


def test_a_chain_that_was_trimmed_is_unbroken_and_says_what_was_trimmed(records: Records) -> None:
    written(records)
    kept = records.audit_head()
    records.write_audit(T0 + YEAR_NS, ANN, "lift.patch", [AuditSubject("L9")])
    assert records.delete_expired(T0 + 5 * YEAR_NS + S) == 5
    assert (broken(records), broken(records, kept, records.audit_head())) == ([], [])
    newest, remaining = records.audit().items
    assert (newest.by.name, newest.action, newest.after) == (
        "retention", "audit.trim", f'{{"id":5,"hash":"{kept.hash.hex()}"}}',
    )  # fmt: skip
    assert remaining.subject == "L9"
    change(records, "DELETE FROM audit WHERE id = 6")
    assert broken(records) == ["row 6 is missing"]
    assert records.delete_expired(T0 + 11 * YEAR_NS) == 1
    assert broken(records) == []


def test_only_the_rows_before_the_first_recent_one_are_trimmed(records: Records) -> None:
    for at_ns in (T0, T0 + 9 * YEAR_NS, T0):
        records.write_audit(at_ns, ANN, "lift.patch", [AuditSubject("L1")])
    assert records.delete_expired(T0 + 10 * YEAR_NS) == 1
    assert broken(records) == []


def test_a_text_beyond_its_limit_is_stored_as_its_beginning_and_its_hash(records: Records) -> None:
    long = "字" * (TEXT_LIMIT + 1)
    records.write_audit(T0, Actor.named("x" * 9_999), "a.b", [AuditSubject("s" * 9_999, detail={"note": long})])
    (entry,) = records.audit().items
    whole = json.dumps({"note": long}, ensure_ascii=False, separators=(",", ":"))
    assert (len(entry.by.name), len(entry.subject)) == (NAME_LIMIT, NAME_LIMIT)
    assert json.loads(entry.detail or "") == {
        "truncated": whole[:KEPT_CHARACTERS],
        "characters": len(whole),
        "sha256": hashlib.sha256(whole.encode()).hexdigest(),
    }
    assert broken(records) == []


def test_texts_that_no_database_stores_are_hashed_as_they_are_stored(records: Records) -> None:
    records.write_audit(T0, Actor.named("a\0b\ud800"), "a.b", [AuditSubject("\0", detail="\0\u2028\x7f")])
    assert (records.audit().items[0].by.name, broken(records)) == ("a\ufffdb?", [])


def write_and_fail(records: Records) -> None:
    with records._database.writing() as connection:
        write_audit(connection, T0, ANN, "a.b", [AuditSubject("x")])
        raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_the_chain_as_it_was(records: Records) -> None:
    written(records)
    head = records.audit_head()
    with pytest.raises(ZeroDivisionError):
        write_and_fail(records)
    assert (records.audit_head(), broken(records)) == (head, [])
    written(records, 1)
    assert (records.audit_head().id, broken(records)) == (head.id + 1, [])


# ── a database of a former version ──

FORMER = (
    (3, T0 + 1, "me", "lift.put", "a", '{"lift_id":"a"}'),
    (4, T0 + 2, "ann", "alert.ack", "{alert}", '{"kind":"ack","by":"ann","note":"on my way"}'),
    (9, T0, "bob", "alert.ack", "deleted", "{}"),
    *((number, T0 + number, "me", "maintenance.end", f"L{number}", "{}") for number in range(20, 1500)),
)


@pytest.fixture
def former(url: str) -> str:
    """Make a database whose audit log is not a chain, and has gaps in its ids."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with Records.open(url) as records:
        records.judge(position=1, occurrences=[occurrence(STOP, "on", 10)], now_ns=T0)
        alert_id = records.alerts(AlertFilter()).items[0].id
        with records._database.writing() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "0007")
            rows = [dict(zip(("id", "at_ns", "by", "action", "subject", "detail"), row, strict=True)) for row in FORMER]
            rows[1]["subject"] = alert_id
            names = 'id, at_ns, "by", action, subject, detail'
            values = ":id, :at_ns, :by, :action, :subject, :detail"
            connection.execute(text(f"INSERT INTO audit ({names}) VALUES ({values})"), rows)
    return url


def test_the_rows_of_a_former_version_are_chained_in_the_order_of_their_ids(former: str) -> None:
    with Records.open(former) as records:
        with records.chain_check() as (check, found):
            assert (list(found), check.rows, check.head.id) == ([], len(FORMER), 1499)
        entries = {entry.id: entry for entry in records.every_audit(AuditFilter())}
        assert {(each.id, each.at_ns, each.by.name, each.action, each.detail) for each in entries.values()} == {
            (*row[:4], row[5]) for row in FORMER
        }
        assert [entries[row_id].lift_id for row_id in (3, 4, 9, 20)] == ["a", LIFT, None, "L20"]
        written(records, 1)
        assert (records.audit_head().id, broken(records)) == (1500, [])
        change(records, "DELETE FROM audit WHERE id = 9")
        assert broken(records) == ["rows 5 to 19 are missing"]


def test_the_former_table_can_be_restored_and_chained_again(former: str) -> None:
    for _ in range(2):
        with Records.open(former) as records:
            written(records, 1)
            assert broken(records) == []
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            with records._database.writing() as connection:
                config.attributes["connection"] = connection
                command.downgrade(config, "0007")
    with Records.open(former) as records:
        assert (records.audit_head().id, broken(records)) == (1501, [])


# ── several writers ──

WRITER = textwrap.dedent(
    """
    import sys
    from registry.actor import Actor
    from store.records.audit.writing import AuditSubject, write_audit
    from store.records.repository import Records

    with Records.open(sys.argv[1]) as records:
        print("writing", flush=True)
        sys.stdin.readline()
        for number in range(int(sys.argv[3])):
            with records._database.writing(durable=False) as connection:
                rows = [AuditSubject(f"L{number}") for _ in range(1 + number % 3)]
                write_audit(connection, number, Actor.named(sys.argv[2]), "lift.put", rows)
    """
)


def writer(url: str, name: str, transactions: int) -> subprocess.Popen[bytes]:
    """Start a process that writes; its transactions are not ordered by the lock of durable ones."""
    command = [sys.executable, "-c", WRITER, url, name, str(transactions)]
    started = start_process(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert started.stdout is not None
    assert started.stdout.readline() == b"writing\n"
    return started


def test_two_processes_that_write_at_once_continue_one_chain(records: Records, url: str) -> None:
    both = [writer(url, name, 60) for name in ("one", "two")]
    for each in both:
        each.communicate(b"\n")
    assert [each.returncode for each in both] == [0, 0]
    with records.chain_check() as (check, found):
        assert (list(found), check.rows, check.head.id) == ([], 240, 240)
    by = [entry.by.name for entry in records.every_audit(AuditFilter())]
    assert (by.count("one"), by.count("two")) == (120, 120)


def test_a_writer_that_is_killed_leaves_an_unbroken_chain(records: Records, url: str) -> None:
    killed, other = writer(url, "killed", 100_000), writer(url, "other", 60)
    assert killed.stdin is not None
    killed.stdin.write(b"\n")
    killed.stdin.flush()
    other.communicate(b"\n")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert (other.returncode, broken(records)) == (0, [])
    before = records.audit_head().id
    written(records)
    assert (records.audit_head().id, broken(records)) == (before + 5, [])
