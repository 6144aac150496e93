"""The password file and the ACL file of Mosquitto, as texts: Mosquitto checks each device password against them.

passwords   user:$7$iterations$salt$hash       PBKDF2 with SHA-512, as mosquitto_passwd writes
acl         user NAME, then topic deny|write|read TOPIC; pattern lines hold for every user
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence

ITERATIONS = 1
"""Secrets are 192 random bits, which no number of iterations makes harder to guess; at a reload Mosquitto hashes the
password of every connected client, and 101 iterations would stop ten thousand clients for two seconds."""
SECRET_BYTES, SALT_BYTES = 24, 12


def hash_secret(secret: str, salt: bytes) -> str:
    """Return the hash of a random secret as it stands in the password file."""
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def is_secret_of(secret: str, hashed: str) -> bool:
    """Return whether `hashed` is the hash of a secret."""
    parts = hashed.split("$")
    return len(parts) == 5 and hmac.compare_digest(hash_secret(secret, base64.b64decode(parts[3])), hashed)


def password_file(users: Iterable[tuple[str, str]]) -> str:
    """Return the text of the password file for users and hashes."""
    return "".join(f"{user}:{hashed}\n" for user, hashed in users)


def acl_lines(access: str, topics: Sequence[str], kind: str = "topic") -> str:
    """Return one line for each topic; `kind` is `topic` for the user named before, or `pattern` for every user."""
    return "".join(f"{kind} {access} {topic}\n" for topic in topics)
