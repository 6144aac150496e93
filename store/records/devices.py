"""Devices and their credentials: hashes of passwords and serial numbers of certificates, never a secret.

    add ─► valid ─► rotate: another credential ─► valid ─► revoke ─► revoked ─► add again ─► valid

A certificate that is replaced or revoked stays in the list of revoked certificates until its end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select, update

from registry.actor import Actor
from registry.devices import LIFT, PROGRAM, Credential, Device
from store.records.audit.search import AuditStore
from store.records.audit.writing import AuditSubject, write_audit
from store.records.database import Database, Repository, read_counter
from store.records.lifts import LiftStore
from store.records.schema import devices, revoked_certificates

AT_ONCE = 1000
DEVICES = "devices"  # the counter of changes to which device sends for which lifts


class UnknownDevice(ValueError):
    """No device has this id."""


class DeviceExists(ValueError):
    """A device of this id exists and is not revoked."""


class RevokedCertificate(NamedTuple):
    """The serial number of a certificate that is revoked, and when."""

    serial: str
    revoked_ns: int


class DeviceStore:
    """The part of the records that holds devices."""

    _database: Database

    def devices(self) -> list[Device]:
        """Return every device, in the order of their ids."""
        with self._database.reading() as connection:
            return [_device(row) for row in connection.execute(select(devices).order_by(devices.c.device_id))]

    def device(self, device_id: str) -> Device:
        """Return one device; raise UnknownDevice."""
        with self._database.reading() as connection:
            return _find(connection, device_id)

    def lifts_of_devices(self, since: int) -> tuple[int, dict[str, frozenset[str]]] | None:
        """Return the newest revision and the lifts of every device, none for a revoked one; None where nothing changed
        after the revision `since`. Liftwatch's own programs are left out: their topics are not lifts'."""
        with self._database.reading() as connection:
            revision = read_counter(connection, DEVICES)
            if revision == since:
                return None
            query = select(devices.c.device_id, devices.c.lifts, devices.c.revoked_ns)
            rows = connection.execute(query.where(devices.c.kind != PROGRAM)).all()
        return revision, {
            row.device_id: frozenset(orjson.loads(row.lifts) if row.revoked_ns is None else ()) for row in rows
        }

    def revoked_certificates(self, now_ns: int) -> list[RevokedCertificate]:
        """Return the revoked certificates that have not ended by themselves."""
        lasting = revoked_certificates.c.expires_ns > now_ns
        query = select(revoked_certificates.c.serial, revoked_certificates.c.revoked_ns).where(lasting)
        with self._database.reading() as connection:
            return [RevokedCertificate(*row) for row in connection.execute(query.order_by("revoked_ns", "serial"))]

    def existing_devices(self, ids: Collection[str]) -> set[str]:
        """Return those of `ids` that are devices and not revoked."""
        with self._database.reading() as connection:
            return {one for some in _slices(sorted(ids)) for one in _existing(connection, some)}

    def add_devices(self, many: Sequence[Device], by: Actor, now_ns: int) -> None:
        """Add devices in transactions of `AT_ONCE`; a revoked one of the same id is replaced.

        Raises DeviceExists, and then adds none of that transaction.
        """
        for some in _slices(many):
            with self._database.writing() as connection:
                if taken := _existing(connection, [device.device_id for device in some]):
                    raise DeviceExists(f"{min(taken)} is a device already; rotate or revoke it")
                self._put_devices(connection, some, by, now_ns, "device.add")

    def put_program(self, device: Device, by: Actor, now_ns: int) -> None:
        """Add a program of Liftwatch itself, or replace its credential."""
        assert device.kind == PROGRAM
        with self._database.writing() as connection:
            self._put_devices(connection, [device], by, now_ns, "device.add")

    def rotate_devices(self, new: Sequence[tuple[str, Credential]], by: Actor, now_ns: int) -> None:
        """Replace the credentials of devices; raise UnknownDevice, also for a revoked one, and then replace none."""
        with self._database.writing() as connection:
            subjects = []
            for device_id, credential in new:
                before = _find(connection, device_id)
                if before.revoked_ns is not None:
                    raise UnknownDevice(f"{device_id} is revoked; add it again")
                _list_as_revoked(connection, before, now_ns)
                values = {**_credential_row(credential), "rotated_ns": now_ns}
                connection.execute(update(devices).where(devices.c.device_id == device_id).values(**values))
                subjects.append(_audit_subject(before, before.credential, credential))
            write_audit(connection, now_ns, by, "device.rotate", subjects)

    def revoke_devices(self, ids: Sequence[str], by: Actor, now_ns: int) -> None:
        """Revoke devices; a revoked one stays as it is. Raise UnknownDevice, and then revoke none."""
        with self._database.writing() as connection:
            found = [_find(connection, device_id) for device_id in ids]
            self._database.count_up(connection, DEVICES)
            for device in (device for device in found if device.revoked_ns is None):
                _list_as_revoked(connection, device, now_ns)
                values = {"revoked_ns": now_ns, "revoked_by": by.name, "secret_hash": None}
                connection.execute(update(devices).where(devices.c.device_id == device.device_id).values(**values))
                write_audit(connection, now_ns, by, "device.revoke", [_audit_subject(device, device.credential, None)])

    def _put_devices(self, connection: Connection, some: Sequence[Device], by: Actor, now_ns: int, action: str) -> None:
        row = self._database.insert(devices)
        fresh = {column.name: row.excluded[column.name] for column in devices.c if column.name != "device_id"}
        upsert = row.on_conflict_do_update(index_elements=["device_id"], set_=fresh)
        connection.execute(upsert, [_row(device, by, now_ns) for device in some])
        self._database.count_up(connection, DEVICES)
        write_audit(
            connection, now_ns, by, action, [_audit_subject(device, None, device.credential) for device in some]
        )


class DeviceRecords(Repository, DeviceStore, LiftStore, AuditStore):
    """The devices, the lifts and the audit log, for commands without alerts, which need not import their modules."""


def _existing(connection: Connection, ids: Sequence[str]) -> list[str]:
    found = select(devices.c.device_id).where(devices.c.device_id.in_(ids), devices.c.revoked_ns.is_(None))
    return list(connection.scalars(found))


def _find(connection: Connection, device_id: str) -> Device:
    row = connection.execute(select(devices).where(devices.c.device_id == device_id)).first()
    if row is None:
        raise UnknownDevice(f"{device_id} is not a device; `liftwatch devices list` lists all")
    return _device(row)


def _list_as_revoked(connection: Connection, device: Device, now_ns: int) -> None:
    """List the certificate of a device as revoked, if it has one."""
    if device.credential.serial is not None:
        values = {
            "serial": device.credential.serial,
            "device_id": device.device_id,
            "revoked_ns": now_ns,
            "expires_ns": device.credential.expires_ns,
        }
        connection.execute(revoked_certificates.insert().values(values))


def _slices(many: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (many[start : start + AT_ONCE] for start in range(0, len(many), AT_ONCE))


def _device(row: Any) -> Device:
    credential = Credential(row.credential, row.secret_hash, row.serial, row.fingerprint, row.expires_ns)
    lifts = tuple(orjson.loads(row.lifts))
    made = (row.created_ns, row.created_by, row.rotated_ns, row.revoked_ns, row.revoked_by)
    return Device(row.device_id, row.kind, lifts, credential, *made)


def _row(device: Device, by: Actor, now_ns: int) -> dict[str, Any]:
    return {
        "device_id": device.device_id,
        "kind": device.kind,
        "lifts": orjson.dumps(device.lifts).decode(),
        "created_ns": now_ns,
        "created_by": by.name,
        "rotated_ns": None,
        "revoked_ns": None,
        "revoked_by": None,
        **_credential_row(device.credential),
    }


def _credential_row(credential: Credential) -> dict[str, Any]:
    return {
        "credential": credential.kind,
        "secret_hash": credential.secret_hash,
        "serial": credential.serial,
        "fingerprint": credential.fingerprint,
        "expires_ns": credential.expires_ns,
    }


def _audit_subject(device: Device, before: Credential | None, after: Credential | None) -> AuditSubject:
    """Return the audit log's entry of a change: no secret and no hash."""
    lift_id = device.device_id if device.kind == LIFT else None
    detail = {"kind": device.kind, "lifts": device.lifts}
    return AuditSubject(device.device_id, detail, _public(before), _public(after), lift_id)


def _public(credential: Credential | None) -> dict[str, Any] | None:
    if credential is None:
        return None
    return {"credential": credential.kind, "serial": credential.serial, "fingerprint": credential.fingerprint}
