"""New credentials of devices, and the files with the secrets: each readable by its owner alone, never overwritten."""

from __future__ import annotations

import csv
import io
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from commands.errors import Unusable
from mqtt.authority import CertificateAuthority, Issued, utc_of
from mqtt.mosquitto_files import SALT_BYTES, SECRET_BYTES, hash_secret
from registry.devices import CERTIFICATE, PASSWORD, Credential

PASSWORDS_NAME, AUTHORITY_NAME = "passwords.csv", "authority.pem"
SECRET_MODE = 0o600


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A credential with its secret: a password, or a certificate with its key."""

    device_id: str
    credential: Credential
    password: str | None = None
    issued: Issued | None = None


def new_password(device_id: str, secret: str | None = None) -> NewCredential:
    """Return a new random password, or `secret`, as a credential."""
    secret = secret or secrets.token_hex(SECRET_BYTES)
    hashed = hash_secret(secret, secrets.token_bytes(SALT_BYTES))
    return NewCredential(device_id, Credential(PASSWORD, secret_hash=hashed), password=secret)


def new_certificate(device_id: str, authority: CertificateAuthority, now_ns: int, days: int) -> NewCredential:
    """Return a new certificate as a credential."""
    issued = authority.issue_device(device_id, utc_of(now_ns), days)
    credential = Credential(CERTIFICATE, None, issued.serial, issued.fingerprint, issued.expires_ns)
    return NewCredential(device_id, credential, issued=issued)


@contextmanager
def secret_files(folder: Path, new: Sequence[NewCredential], authority: CertificateAuthority) -> Iterator[None]:
    """Write the secrets to `folder`; remove the files where the block, which stores the credentials, fails."""
    written: list[Path] = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in _contents(new):
            _write_secret(folder / name, content)
            written.append(folder / name)
        if any(one.issued for one in new):
            (folder / AUTHORITY_NAME).write_bytes(authority.pem)
        yield
    except BaseException as error:
        for path in written:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise Unusable(
                f"--to: cannot write {error.filename} ({error.strerror}); name a new or an empty folder of yours"
            ) from None
        raise


def _contents(new: Sequence[NewCredential]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file: one for all passwords, two for each certificate."""
    passwords = [(one.device_id, one.password) for one in new if one.password is not None]
    if passwords:
        text = io.StringIO(newline="")
        csv.writer(text).writerows([("device_id", "password"), *passwords])
        yield PASSWORDS_NAME, text.getvalue().encode()
    for one in new:
        if one.issued is not None:
            yield f"{one.device_id}.key", one.issued.key
            yield f"{one.device_id}.pem", one.issued.certificate


def _write_secret(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE), "wb") as file:
        file.write(content)


def read_or_create_secret(path: Path) -> str:
    """Return the secret in a file; create the file with a new one where it is missing."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_secret(path, secrets.token_hex(SECRET_BYTES).encode())
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Unusable(f"cannot use the secret {path} ({error.strerror}); correct its rights") from None
