"""Secrets that have to be read again, encrypted at rest by AES-256-GCM with keys from a file outside the database.

    sealed:{id of the key}:{base64 of nonce and ciphertext}

What a secret belongs to is authenticated with it: copied to another row, it cannot be opened. The file has one key of
64 hexadecimal digits a line: the first one seals, all of them open, so that a key is replaced by a line above it.

The same keys prove texts that are printed: 80 bits of an HMAC-SHA256.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

KEY_BYTES, NONCE_BYTES, ID_DIGITS = 32, 12, 8
KEY_MODE = 0o600
SEALED = "sealed:"
PROOF_BYTES = 10
PROVING = b"liftwatch proofs"


class SecretsUnreadable(Exception):
    """A secret cannot be sealed or opened now; the text names a remedy."""


class SealingKeys:
    """The keys in a file, read again when the file has changed. Safe from any thread."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._keys: dict[str, bytes] = {}

    def create(self) -> bool:
        """Create the file with a new key; return False where it exists. Other processes never see half a file."""
        target = self._required()
        if target.exists():
            return False
        draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_MODE), "w", encoding="ascii") as file:
                file.write(secrets.token_hex(KEY_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            return _link(draft, target)
        except OSError as error:
            raise SecretsUnreadable(
                f"The key of the records cannot be written to {target} ({error.strerror}): make the folder writable, or"
                " set records.key_file to another file."
            ) from error
        finally:
            with suppress(OSError):
                draft.unlink()

    def seal(self, text: str, about: str) -> str:
        """Return a text sealed by the first key; the file is created where it is missing."""
        if not self._required().exists():
            self.create()
        key_id, key = next(iter(self._read().items()))
        nonce = os.urandom(NONCE_BYTES)
        content = urlsafe_b64encode(nonce + _cipher(key).encrypt(nonce, text.encode(), about.encode())).decode()
        return f"{SEALED}{key_id}:{content}"

    def unseal(self, sealed: str, about: str) -> str:
        """Return the text that was sealed, or a text that is not sealed as it is; raise SecretsUnreadable."""
        if not sealed.startswith(SEALED):
            return sealed
        key_id, _, content = sealed.removeprefix(SEALED).partition(":")
        key = self._read().get(key_id)
        if key is None:
            raise SecretsUnreadable(
                f"The file {self.path} (records.key_file) lacks the key {key_id}: add its line from a backup."
            )
        from cryptography.exceptions import InvalidTag

        try:
            joined = urlsafe_b64decode(content)
            return _cipher(key).decrypt(joined[:NONCE_BYTES], joined[NONCE_BYTES:], about.encode()).decode()
        except (ValueError, InvalidTag):
            raise SecretsUnreadable(
                f"A secret of {about} was changed in the database: restore the records, or set up the secret anew."
            ) from None

    def prove(self, about: str) -> str:
        """Return the proof of a text by the first key; the file is created where it is missing."""
        if not self._required().exists():
            self.create()
        return _proof(next(iter(self._read().values())), about)

    def is_proof(self, proof: str, about: str) -> bool:
        """Return whether one of the keys proves a text so, in a time that tells nothing about the right proof."""
        given = proof.encode("utf-8", "replace")
        found = [hmac.compare_digest(given, _proof(key, about).encode()) for key in self._read().values()]
        return any(found)

    def check(self) -> int:
        """Return the number of keys; raise SecretsUnreadable where the file cannot be used."""
        return len(self._read())

    def is_current(self, stored: str) -> bool:
        """Return whether a text is sealed by the first key."""
        return stored.startswith(f"{SEALED}{next(iter(self._read()))}:")

    def _read(self) -> dict[str, bytes]:
        """Return the keys by their ids, the newest first."""
        path = self._required()
        with self._lock:
            try:
                about = path.stat()
                now = (about.st_mtime_ns, about.st_size, about.st_ino)
                if now != self._seen:
                    lines = path.read_text(encoding="ascii").split()
                    self._keys, self._seen = dict(_key_of(line) for line in lines), now
            except FileNotFoundError:
                raise SecretsUnreadable(
                    f"The key of the records is missing: restore {path} from a backup, or set records.key_file to where"
                    " it is."
                ) from None
            except (OSError, ValueError) as error:
                raise SecretsUnreadable(f"The keys in {path} cannot be read ({error}): {_FORM}.") from error
            if not self._keys:
                raise SecretsUnreadable(f"{path} has no key: {_FORM}.")
            return self._keys

    def _required(self) -> Path:
        if self.path is None:
            raise SecretsUnreadable("No file has the key of the records: set records.key_file.")
        return self.path


_FORM = "write 64 hexadecimal digits on each line, or restore the file from a backup"


def _link(draft: Path, target: Path) -> bool:
    """Give a written file its name; return False where another process was faster."""
    try:
        os.link(draft, target)
    except FileExistsError:
        return False
    return True


def _key_of(line: str) -> tuple[str, bytes]:
    key = bytes.fromhex(line)
    if len(key) != KEY_BYTES:
        raise ValueError(f"a line has {len(line)} digits")
    return hashlib.sha256(key).hexdigest()[:ID_DIGITS], key


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # most commands open no secret

    return AESGCM(key)


def _proof(key: bytes, about: str) -> str:
    """Return the proof of a text, by a key that follows from this one and serves nothing else."""
    own = hmac.digest(key, PROVING, "sha256")
    return b32encode(hmac.digest(own, about.encode(), "sha256")[:PROOF_BYTES]).decode().lower()
