"""Password hashes (argon2id) and one-time codes (TOTP, RFC 6238).

A sign-in computes one hash whether the login exists or not, so that its time does not show which logins exist.
"""

from __future__ import annotations

import re
import secrets
from functools import cache

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from registry.passwords import MOST_CHARS, normal_password

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1  # OWASP's second choice of argon2id: 19 MiB, so that a burst fits
TOTP_STEP_S = 30
TOTP_DIGITS = 6
TOTP_DRIFT_STEPS = 1
ISSUER = "Liftwatch"

_TOTP_SECRET = re.compile(r"[A-Z2-7]{32}")
_HASHER = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


def hash_password(password: str) -> str:
    """Return the hash of a password, with its salt and parameters."""
    return _HASHER.hash(normal_password(password))


def is_password(password_hash: str | None, password: str) -> bool:
    """Return whether a password has a hash; without a hash the answer is no, after as long a time."""
    if len(password) > MOST_CHARS:
        return False
    try:
        _HASHER.verify(password_hash or _nobodys_hash(), normal_password(password))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _nobodys_hash() -> str:
    """Return the hash of a random password."""
    return hash_password(secrets.token_urlsafe(16))


def new_totp_secret() -> str:
    """Return a new secret of TOTP."""
    return pyotp.random_base32()


def is_totp_secret(text: str) -> bool:
    """Return whether a text has the form of a secret of TOTP: one that is too short could be guessed."""
    return _TOTP_SECRET.fullmatch(text) is not None


def totp_address(secret: str, login: str) -> str:
    """Return the address that an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def totp_step(secret: str, code: str, now_s: float, last_step: int = 0) -> int | None:
    """Return the step of a code, later than the last step that was used; None for any other code."""
    code = "".join(code.split())
    if len(code) != TOTP_DIGITS or not (code.isascii() and code.isdigit()):
        return None
    here = int(now_s // TOTP_STEP_S)
    totp = pyotp.TOTP(secret)
    steps = [step for step in range(here - TOTP_DRIFT_STEPS, here + TOTP_DRIFT_STEPS + 1) if step > last_step]
    return next((step for step in steps if secrets.compare_digest(totp.generate_otp(step), code)), None)
