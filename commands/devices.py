"""`liftwatch devices`: the devices that may connect to the broker, and their passwords and certificates.

Every change is made in the records first, then written to the files of the broker, which is then reloaded.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from commands import arguments
from commands.errors import Unusable
from commands.wiring.broker_files import open_authority, reload_broker, write_broker_files
from commands.wiring.command_actor import command_actor
from commands.wiring.credentials import (
    NewCredential,
    new_certificate,
    new_password,
    read_or_create_secret,
    secret_files,
)
from configuration import Configuration
from mqtt.authority import DEVICE_DAYS, utc_of
from mqtt.mosquitto_files import is_secret_of
from registry.actor import Actor
from registry.device_csv import RequestedDevice, read_devices
from registry.device_senders import sender_changes
from registry.devices import (
    CERTIFICATE,
    GATEWAY,
    LIFT,
    OPTIONAL_PROGRAMS,
    PASSWORD,
    PROGRAM,
    PROGRAMS,
    Device,
    check_device,
)
from registry.lift_facts import FactsError
from store.records.audit.writing import AuditSubject
from store.records.database import RecordsUnavailable
from store.records.devices import DeviceExists, DeviceRecords, UnknownDevice

NAMED_LIMIT = 5
EXPECTED_ERRORS = (RecordsUnavailable, UnknownDevice, DeviceExists)
RELOAD = "the broker's files are written; let the broker read them: systemctl reload mosquitto"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions with their arguments."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    def action(name: str, function: Callable[..., int], about: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
        added.add_argument("--by", default="command line", help="the name in the audit log")
        added.set_defaults(action=function)
        return added

    adding = action("add", add, "add a device for each lift, or one gateway, with a new password or certificate")
    adding.add_argument("lifts", nargs="*", metavar="LIFT", help="lifts that connect themselves")
    adding.add_argument("--gateway", metavar="ID", help="the id of a gateway")
    adding.add_argument("--lifts", dest="gateway_lifts", metavar="A,B", help="the lifts behind the gateway")
    rotating = action("rotate", rotate, "replace passwords or certificates; the old ones end at once")
    rotating.add_argument("devices", nargs="+", metavar="DEVICE")
    importing = action("import", import_devices, "add many devices from CSV: device_id, lifts, credential")
    importing.add_argument("file", type=Path)
    for parser in (adding, rotating):
        parser.add_argument("--certificate", action="store_true", help="an X.509 certificate instead of a password")
    for parser in (adding, rotating, importing):
        parser.add_argument("--days", type=arguments.count, default=DEVICE_DAYS, help="validity of certificates")
        parser.add_argument("--to", type=Path, metavar="FOLDER", help="write the secrets to files in this folder")
    action("revoke", revoke, "refuse devices from now on").add_argument("devices", nargs="+", metavar="DEVICE")
    action("list", list_devices, "list all devices")
    programs = action("programs", add_programs, "give Liftwatch's own programs their passwords")
    programs.add_argument("--secrets", type=Path, required=True, metavar="FOLDER", help="the files of the passwords")
    programs.add_argument("--demo", action="store_true", help="also those that only a demonstration needs")
    serving = action("authority", authority, "make the certificate authority, and a certificate for the server")
    serving.add_argument("--server", nargs="+", default=(), metavar="NAME", help="host names and addresses")
    action("write", write, "write the broker's files anew from the records")


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """Run one action."""
    code: int = options.action(options, settings)
    return code


def add(options: argparse.Namespace, settings: Configuration) -> int:
    """Add devices from the command line."""
    if bool(options.lifts) == bool(options.gateway):
        raise Unusable("name the lifts that connect themselves, or a gateway with --gateway ID --lifts A,B")
    credential = CERTIFICATE if options.certificate else PASSWORD
    if options.gateway:
        lifts = tuple(part.strip() for part in (options.gateway_lifts or "").split(",") if part.strip())
        rows = [RequestedDevice(0, options.gateway, GATEWAY, lifts, credential)]
    else:
        rows = [RequestedDevice(0, lift, LIFT, (lift,), credential) for lift in dict.fromkeys(options.lifts)]
    reserved = (settings.broker.client_id,)
    errors = [error for row in rows for error in check_device(row.device_id, row.lifts, row.kind, reserved)]
    if errors:
        raise Unusable("\n".join(map(str, errors)))
    return store(rows, options, settings)


def import_devices(options: argparse.Namespace, settings: Configuration) -> int:
    """Add the devices of a CSV file; print the errors of each refused line."""
    if options.to is None:
        raise Unusable("--to: name a folder for the secrets")
    try:
        rows, refused = read_devices(options.file.read_bytes(), (settings.broker.client_id,))
    except (OSError, FactsError) as error:
        raise Unusable(f"{options.file}: {error}") from None
    with DeviceRecords.open(settings.records_url) as records:
        existing = records.existing_devices([row.device_id for row in rows])
    store([row for row in rows if row.device_id not in existing], options, settings)
    for line in refused:
        for fault in line.errors:
            print(f"  line {line.number}: {fault}", file=sys.stderr)
    for row in rows:
        if row.device_id in existing:
            print(f"  line {row.number}: {row.device_id} is a device already; rotate or revoke it", file=sys.stderr)
    return 1 if refused or existing else 0


def store(rows: Sequence[RequestedDevice], options: argparse.Namespace, settings: Configuration) -> int:
    """Make credentials for new devices, store the devices, and write the broker's files."""
    now_ns = time.time_ns()
    new = [credential_for(row.device_id, row.credential, options.days, settings, now_ns) for row in rows]
    made = [Device(row.device_id, row.kind, row.lifts, one.credential) for row, one in zip(rows, new, strict=True)]
    with DeviceRecords.open(settings.records_url) as records:
        keep(new, options, settings, lambda: records.add_devices(made, command_actor(options.by), now_ns))
        write_broker_files(settings, records, now_ns)
        bind_senders(made, records, command_actor(options.by), now_ns)
    report(f"added: {len(made)}", settings)
    return 0


def bind_senders(made: Sequence[Device], records: DeviceRecords, by: Actor, now_ns: int) -> None:
    """Set new devices as the senders of their lifts, so that the monitor refuses all others."""
    registered = {facts.lift_id: facts for facts in records.registered()}
    found = sender_changes(((one.device_id, one.lifts) for one in made), registered)
    records.put_lifts(found.changed, by, now_ns)
    for facts in found.other_gateway:
        print(
            f"{facts.lift_id}: its fact gateway_id names {facts.gateway_id}; the monitor refuses other gateways until"
            " you change the fact",
            file=sys.stderr,
        )
    if found.unregistered:
        some = ", ".join(found.unregistered[:NAMED_LIMIT])
        print(
            f"not registered: {len(found.unregistered)} lifts ({some}); register them with their fact gateway_id, so"
            " that the monitor accepts them from their devices alone",
            file=sys.stderr,
        )


def rotate(options: argparse.Namespace, settings: Configuration) -> int:
    """Replace the credentials of devices."""
    now_ns = time.time_ns()
    kind = CERTIFICATE if options.certificate else PASSWORD
    ids = list(dict.fromkeys(options.devices))
    new = [credential_for(device_id, kind, options.days, settings, now_ns) for device_id in ids]
    with DeviceRecords.open(settings.records_url) as records:
        pairs = [(one.device_id, one.credential) for one in new]
        keep(new, options, settings, lambda: records.rotate_devices(pairs, command_actor(options.by), now_ns))
        write_broker_files(settings, records, now_ns)
    report(f"given a new {kind}: {len(new)}", settings)
    return 0


def credential_for(device_id: str, kind: str, days: int, settings: Configuration, now_ns: int) -> NewCredential:
    """Return a new credential of a kind."""
    if kind == PASSWORD:
        return new_password(device_id)
    return new_certificate(device_id, open_authority(settings, now_ns), now_ns, days)


def keep(
    new: Sequence[NewCredential], options: argparse.Namespace, settings: Configuration, store: Callable[[], None]
) -> None:
    """Write the secrets to `--to` and store the credentials, or print the passwords once they are stored."""
    if options.to is None and any(one.issued for one in new):
        raise Unusable("--to: name a folder for the certificate and its key")
    if options.to is None:
        store()
        for one in new:
            print(f"{one.device_id} {one.password}")
        return
    with secret_files(options.to, new, open_authority(settings, time.time_ns())):
        store()


def revoke(options: argparse.Namespace, settings: Configuration) -> int:
    """Revoke devices."""
    now_ns = time.time_ns()
    with DeviceRecords.open(settings.records_url) as records:
        records.revoke_devices(list(dict.fromkeys(options.devices)), command_actor(options.by), now_ns)
        write_broker_files(settings, records, now_ns)
    report(f"revoked: {', '.join(options.devices)}", settings)
    return 0


def list_devices(_: argparse.Namespace, settings: Configuration) -> int:
    """Print one line for each device: id, kind, state, credential, its end, who made it, and the lifts of a gateway."""
    now_ns = time.time_ns()
    with DeviceRecords.open(settings.records_url) as records:
        for one in records.devices():
            ends_ns = one.credential.expires_ns
            ends = f"until {utc_of(ends_ns):%Y-%m-%d}" if ends_ns else ""
            lifts = ",".join(one.lifts) if one.kind == GATEWAY else ""
            changed = f"{utc_of(one.rotated_ns or one.created_ns):%Y-%m-%d}"
            cells = (one.device_id, one.kind, one.state(now_ns), one.credential.kind, ends, changed, one.created_by)
            print("\t".join((*cells, lifts)))
    return 0


def add_programs(options: argparse.Namespace, settings: Configuration) -> int:
    """Add the programs, each with the password in its file, which is made where it is missing."""
    now_ns = time.time_ns()
    names = [name for name in PROGRAMS if options.demo or name not in OPTIONAL_PROGRAMS]
    with DeviceRecords.open(settings.records_url) as records:
        hashes = {one.device_id: one.credential.secret_hash for one in records.devices() if one.kind == PROGRAM}
        for name in names:
            secret = read_or_create_secret(options.secrets / name)
            if not is_secret_of(secret, hashes.get(name) or ""):
                program = Device(name, PROGRAM, (), new_password(name, secret).credential)
                records.put_program(program, command_actor(options.by), now_ns)
        write_broker_files(settings, records, now_ns)
    report(f"passwords in {options.secrets}: {', '.join(names)}", settings)
    return 0


def authority(options: argparse.Namespace, settings: Configuration) -> int:
    """Make the authority at the first use, and a certificate for the server where names are given."""
    now_ns = time.time_ns()
    made = open_authority(settings, now_ns)
    with DeviceRecords.open(settings.records_url) as records:
        write_broker_files(settings, records, now_ns, options.server)
        about = {"fingerprint": made.fingerprint, "server": list(options.server)}
        records.write_audit(now_ns, command_actor(), "device.authority", [AuditSubject("authority", about)])
    report(f"{settings.authority_path}: SHA-256 {made.fingerprint}", settings)
    return 0


def write(_: argparse.Namespace, settings: Configuration) -> int:
    """Rewrite the broker's files."""
    now_ns = time.time_ns()
    with DeviceRecords.open(settings.records_url) as records:
        write_broker_files(settings, records, now_ns)
        subject = AuditSubject("broker", {"folder": str(settings.access_path)})
        records.write_audit(now_ns, command_actor(), "device.write", [subject])
    report(f"written to {settings.access_path}", settings)
    return 0


def report(done: str, settings: Configuration) -> None:
    """Print the changes, and reload the broker or print the command that reloads the broker."""
    reloaded = reload_broker(settings.broker.pid_file)
    print(f"{done}; {'the broker has been reloaded' if reloaded else RELOAD}", file=sys.stderr)
