"""The files that Mosquitto reads, written from the records: passwords, topics, certificates and revoked certificates.

The records are the only original: every write makes all files anew, whole and synced, under a lock, so that a crash or
a restored backup never leaves a mixture. Then a signal makes Mosquitto read the files.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from commands.errors import Unusable
from configuration import Configuration
from mqtt.authority import BadAuthority, CertificateAuthority, Issued, utc_of
from mqtt.mosquitto_files import acl_lines, password_file
from registry.devices import EACH_OWN_TOPICS, PROGRAM, Device, TopicRights, rights
from store.records.devices import DeviceStore, RevokedCertificate

PASSWORDS, ACL, AUTHORITY, REVOKED = "passwords", "acl", "authority.pem", "revoked.pem"
PROGRAM_PASSWORDS, PROGRAM_ACL = "program-passwords", "program-acl"
"""Of Liftwatch's own programs, which have a listener of their own: a device's password is of no use there."""
SERVER_CERTIFICATE, SERVER_KEY = "server.pem", "server.key"
LOCAL_NAMES = ("localhost", "127.0.0.1")
NOTHING = TopicRights()
HEAD = "# Written by `liftwatch devices` from the records: changes here are lost.\n"


def open_authority(settings: Configuration, now_ns: int) -> CertificateAuthority:
    """Return the certificate authority of the installation; create the authority at the first use."""
    try:
        return CertificateAuthority.open(settings.authority_path, utc_of(now_ns))
    except BadAuthority as error:
        raise Unusable(str(error)) from None


def write_broker_files(
    settings: Configuration, records: DeviceStore, now_ns: int, server_names: Sequence[str] = ()
) -> None:
    """Write all files from the records; with `server_names`, or where there is none, a certificate for the server."""
    folder, authority = settings.access_path, open_authority(settings, now_ns)
    try:
        with _locked(folder):
            devices, revoked = records.devices(), records.revoked_certificates(now_ns)
            programs = [each for each in devices if each.kind == PROGRAM]
            others = [each for each in devices if each.kind != PROGRAM]
            _write(folder / PASSWORDS, _passwords(others))
            _write(folder / PROGRAM_PASSWORDS, _passwords(programs))
            _write(folder / ACL, acl_text(others, EACH_OWN_TOPICS).encode())
            _write(folder / PROGRAM_ACL, acl_text(programs).encode())
            _write(folder / AUTHORITY, authority.pem)
            if server_names or not (folder / SERVER_CERTIFICATE).exists():
                names = server_names or dict.fromkeys((settings.broker.host, *LOCAL_NAMES))
                _write_server(folder, authority.issue_server(names, utc_of(now_ns)))
            _write(folder / REVOKED, _revocation_list(folder, authority, revoked, now_ns))
    except OSError as error:
        raise Unusable(
            f"broker.access_dir: cannot write {error.filename or folder} ({error.strerror}); the records have the"
            " change, the broker has not: correct the rights of the folder, then run `liftwatch devices write`"
        ) from None


def hindrance(settings: Configuration) -> str | None:
    """Return why this process cannot write the files, None where it can."""
    folder = settings.access_path
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(existing, os.W_OK):
        return f"This server may not write {folder}: use `liftwatch devices` where the broker's files are written."
    if folder.exists() and not os.access(settings.authority_path, os.W_OK):
        return "This server has no key of the authority: use `liftwatch devices` where the key is."
    return None


def _passwords(devices: Sequence[Device]) -> bytes:
    users = [(d.device_id, h) for d in devices if (h := d.credential.secret_hash) is not None]
    return password_file(users).encode()


def acl_text(devices: Sequence[Device], of_each: TopicRights = NOTHING) -> str:
    """Return the text of the ACL file for these devices; `of_each` are the rights of every user by its own name."""
    of_users = ((device.device_id, rights(device)) for device in devices)
    users = "".join(f"\nuser {name}\n{_lines(own)}" for name, own in of_users if own is not None)
    return f"{HEAD}{_lines(of_each, 'pattern')}{users}"


def reload_broker(pid_file: Path | None) -> bool:
    """Send Mosquitto the signal to read its files again; return whether a Mosquitto has received the signal."""
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text(encoding="ascii")) if pid_file else 0
        if pid > 1 and Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == "mosquitto":
            os.kill(pid, signal.SIGHUP)
            return True
    return False


def _lines(own: TopicRights, kind: str = "topic") -> str:
    granted = (("deny", own.deny), ("write", own.write), ("read", own.read))
    return "".join(acl_lines(access, topics, kind) for access, topics in granted)


def _write_server(folder: Path, issued: Issued) -> None:
    _write(folder / SERVER_KEY, issued.key)
    _write(folder / SERVER_CERTIFICATE, issued.certificate)


def _revocation_list(
    folder: Path, authority: CertificateAuthority, revoked: Sequence[RevokedCertificate], now_ns: int
) -> bytes:
    previous = (folder / REVOKED).read_bytes() if (folder / REVOKED).exists() else None
    entries = ((one.serial, utc_of(one.revoked_ns)) for one in revoked)
    return authority.revocation_list(entries, utc_of(now_ns), previous)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(path: Path, content: bytes) -> None:
    """Replace a file by a synced one: a reader sees the old content or the new one."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
