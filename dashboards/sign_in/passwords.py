"""Sign-in with a password and, where the account has one, a one-time code.

Whatever is wrong, the answer is the same after the same work: a login that does not exist costs a hash too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dashboards.http.problem import Problem
from dashboards.sign_in.attempts import AttemptLimits
from registry.actor import Actor
from registry.passwords import password_fault
from registry.people import Person, actor_in, login_key
from store.records.identity import credentials
from store.records.repository import Credentials, Records

HASHES_AT_ONCE = 4
HASH_WAIT_S = 5.0
LOGIN_CHARS = 200
S_NS = 1_000_000_000


class PasswordSignIn:
    """Checks passwords and codes within the limits of attempts, a few at a time."""

    def __init__(self, records: Callable[[], Records], limits: AttemptLimits | None = None) -> None:
        self._records = records
        self._limits = limits or AttemptLimits(records)
        self._slots = threading.BoundedSemaphore(HASHES_AT_ONCE)

    def sign_in(self, login: str, password: str, code: str, address: str, agent: str, now_ns: int) -> str | None:
        """Return the secret of a new session, None where login, password and code do not fit together.

        A problem (429) where there were too many attempts.
        """
        login = login[:LOGIN_CHARS]
        person = self._records().person_of_login(login)
        fits = self._check(login_key(login), person, password, code, address, now_ns)
        if person is None or not fits:
            self._records().refuse_sign_in(person, address, now_ns)
            return None
        by = actor_in(person, person.membership(None), address)
        return self._records().begin_session(person.person_id, by, now_ns, agent)

    def confirm(self, person: Person, password: str, address: str, code: str | None = None) -> bool:
        """Return whether a person who is signed in gave the password, and the code of the second factor where asked.

        The limits of attempts hold here too.
        """
        found = self._records().credentials(person.person_id)
        with self._attempt(login_key(person.login), address) as succeed:
            is_right = credentials.is_password(_hash_of(found), password)
            if code is not None and is_right:
                assert found is not None, "an account with a password exists"
                is_right = self._use_code(person, found, code, address, time.time_ns())
            if is_right:
                succeed()
        return is_right

    def change_password(self, person: Person, password: str, by: Actor, now_ns: int) -> str | None:
        """Set a new password, which ends every session; return why it is refused, or None."""
        fault = password_fault(password, (person.login, person.name), person.has_totp)
        if fault is None:
            self._records().set_password(person.person_id, self.hashed(password), by, now_ns)
        return fault

    def hashed(self, password: str) -> str:
        """Return the hash of a new password; a problem (429) where too many are being made."""
        with self._slot():
            return credentials.hash_password(password)

    def _check(self, key: str, person: Person | None, password: str, code: str, address: str, now_ns: int) -> bool:
        found = None if person is None else self._records().credentials(person.person_id)
        with self._attempt(key, address) as succeed:
            fits = credentials.is_password(_hash_of(found), password)
            if not fits or person is None or person.is_disabled or person.is_machine or found is None:
                return False
            if found.sealed_totp is not None and not self._use_code(person, found, code, address, now_ns):
                return False
            succeed()
            return True

    def _use_code(self, person: Person, found: Credentials, code: str, address: str, now_ns: int) -> bool:
        """Use up a one-time code or a recovery code; return False where it is not valid, or was used before."""
        by = actor_in(person, person.membership(None), address)
        if self._records().use_recovery_code(person.person_id, code, by, now_ns):
            return True
        secret = self._records().totp_secret(found)
        step = credentials.totp_step(secret, code, now_ns / S_NS, found.totp_step)
        return step is not None and self._records().use_totp_step(found.person_id, step)

    @contextmanager
    def _attempt(self, account: str, address: str) -> Iterator[Callable[[], None]]:
        """Count an attempt and hold a slot for its hash; the function that is yielded takes the attempt back."""
        wait_s = self._limits.begin(account, address, time.time_ns())
        if wait_s > 0:
            raise too_many(wait_s)
        with self._slot():
            yield lambda: self._limits.succeeded(account, address)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=HASH_WAIT_S):
            raise too_many(HASH_WAIT_S)
        try:
            yield
        finally:
            self._slots.release()


def _hash_of(found: Credentials | None) -> str | None:
    return None if found is None else found.password_hash


def too_many(wait_s: float) -> Problem:
    """Return the problem of too many attempts."""
    seconds = int(wait_s) + 1
    detail = f"There were too many attempts: wait {seconds} s, then try again."
    return Problem(429, "too-many-attempts", detail, headers={"Retry-After": str(seconds)})
