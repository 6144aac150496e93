"""Devices in the records, over SQLite and over PostgreSQL: what is kept of a credential, and what never is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from registry.actor import Actor
from registry.devices import CERTIFICATE, LIFT, MONITOR, PASSWORD, PROGRAM, Credential, Device
from store.records.devices import AT_ONCE, DeviceExists, DeviceRecords, UnknownDevice
from store.records.schema import audit
from telemetry.instant import DAY_NS

ANN, BOB, CYD, DAN = (Actor.named(name) for name in ("ann", "bob", "cyd", "dan"))
FIRST = Credential(PASSWORD, secret_hash="$7$1$c2FsdA==$Zmlyc3Q=")
SECOND = Credential(PASSWORD, secret_hash="$7$1$c2FsdA==$c2Vjb25k")


@pytest.fixture(name="records")
def open_records(url: str) -> Iterator[DeviceRecords]:
    with DeviceRecords.open(url) as opened:
        yield opened


def lift(name: str, credential: Credential = FIRST) -> Device:
    return Device(name, LIFT, (name,), credential)


def certificate(serial: str, ends_ns: int = 9 * DAY_NS) -> Credential:
    return Credential(CERTIFICATE, None, serial, "f" * 64, ends_ns)


def revoked(records: DeviceRecords, now_ns: int = DAY_NS) -> list[str]:
    return [one.serial for one in records.revoked_certificates(now_ns)]


def test_a_device_keeps_who_made_renewed_and_revoked_it(records: DeviceRecords) -> None:
    records.add_devices([lift("A-1")], ANN, 1)
    records.rotate_devices([("A-1", SECOND)], BOB, 2)
    (renewed,) = records.devices()
    assert (renewed.created_ns, renewed.created_by, renewed.rotated_ns) == (1, "ann", 2)
    assert renewed.credential == SECOND
    records.revoke_devices(["A-1"], CYD, 3)
    records.revoke_devices(["A-1"], DAN, 4)  # changes nothing
    gone = records.device("A-1")
    assert (gone.revoked_ns, gone.revoked_by, gone.credential.secret_hash) == (3, "cyd", None)


def test_every_change_is_in_the_audit_log_without_the_hash(records: DeviceRecords) -> None:
    records.add_devices([lift("A-1")], ANN, 1)
    records.rotate_devices([("A-1", certificate("ab"))], BOB, 2)
    records.revoke_devices(["A-1"], CYD, 3)
    with records._database.reading() as connection:
        rows = connection.execute(
            select(audit.c.by, audit.c.action, audit.c.subject, audit.c.before, audit.c.after)
        ).all()
    assert [tuple(row)[:3] for row in rows] == [
        ("ann", "device.add", "A-1"),
        ("bob", "device.rotate", "A-1"),
        ("cyd", "device.revoke", "A-1"),
    ]
    assert '"serial":"ab"' in rows[1].after
    assert rows[2].before == rows[1].after
    assert not any("$7$" in str(row) for row in rows)


def test_a_certificate_stays_revoked_until_its_end_whatever_becomes_of_the_device(records: DeviceRecords) -> None:
    records.add_devices([lift("A-1", certificate("a1")), lift("A-2", certificate("a2"))], ANN, 1)
    records.rotate_devices([("A-1", certificate("a3"))], ANN, 2)
    records.revoke_devices(["A-1", "A-2"], ANN, 3)
    records.add_devices([lift("A-1", certificate("a4", 8 * DAY_NS))], ANN, 4)
    records.rotate_devices([("A-1", FIRST)], ANN, 5)
    assert sorted(revoked(records)) == ["a1", "a2", "a3", "a4"]
    assert sorted(revoked(records, 8 * DAY_NS)) == ["a1", "a2", "a3"]
    assert revoked(records, 9 * DAY_NS) == []
    assert records.device("A-1").state(DAY_NS) == "valid"


def test_nothing_is_done_by_halves(records: DeviceRecords) -> None:
    records.add_devices([lift("A-1")], ANN, 1)
    with pytest.raises(DeviceExists, match="A-1 is a device already; rotate or revoke it"):
        records.add_devices([lift("A-0"), lift("A-1")], ANN, 2)
    with pytest.raises(UnknownDevice, match="A-2 is not a device"):
        records.rotate_devices([("A-1", SECOND), ("A-2", SECOND)], ANN, 2)
    with pytest.raises(UnknownDevice, match="A-2 is not a device"):
        records.revoke_devices(["A-1", "A-2"], ANN, 2)
    records.revoke_devices(["A-1"], ANN, 3)
    with pytest.raises(UnknownDevice, match="A-1 is revoked; add it again"):
        records.rotate_devices([("A-1", SECOND)], ANN, 4)
    assert [one.device_id for one in records.devices()] == ["A-1"]


def test_a_program_may_be_given_its_password_again(records: DeviceRecords) -> None:
    for credential in (FIRST, SECOND):
        records.put_program(Device(MONITOR, PROGRAM, (), credential), ANN, 1)
    assert records.device(MONITOR).credential == SECOND


def test_more_devices_than_one_transaction_takes_are_added(records: DeviceRecords) -> None:
    names = [f"L{number:05}" for number in range(2 * AT_ONCE + 1)]
    records.add_devices([lift(name) for name in names], ANN, 1)
    assert [one.device_id for one in records.devices()] == names
    assert records.existing_devices([*names, "other"]) == set(names)
