"""A one-time link: its holder sets the password of an account, or creates the first administrator's account."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.sign_in.passwords import PasswordSignIn
from registry.actor import Actor
from registry.fact_checks import InvalidFact, text
from registry.passwords import password_fault
from registry.people import Person, actor_in, checked_login
from store.records.repository import NameTaken, OneTimeLink, Records


class Welcome:
    """The use of one link: `link` is None where it is unknown, used or expired, `person` for the first account."""

    def __init__(self, records: Records, passwords: PasswordSignIn, code: str, address: str, now_ns: int) -> None:
        self.records, self.passwords, self.address, self.now_ns = records, passwords, address, now_ns
        self.link: OneTimeLink | None = records.link(code, now_ns)
        self.person: Person | None = None
        if self.link is not None and self.link.person_id is not None:
            self.person = records.person(self.link.person_id)
            if self.person is None or self.person.is_disabled:
                self.link = None
        elif self.link is not None and records.has_people():
            self.link = None

    def accept(self, fields: Mapping[str, str]) -> str | None:
        """Set the password, and create the first account; return what is wrong, or None.

        The link is used up once everything else is right and the password is hashed: a password that is refused can be
        corrected, and the attempt repeated where too many passwords are being hashed.
        """
        if self.link is None:
            return "gone"
        password = fields.get("password", "")
        if password != fields.get("again", ""):
            return "again"
        if self.person is None:
            return self._create_first(fields, password)
        fault = password_fault(password, (self.person.login, self.person.name), self.person.has_totp)
        if fault is not None:
            return fault
        password_hash = self.passwords.hashed(password)
        if not self.records.use_link(self.link):
            return "gone"
        self._set_password(self.person, password_hash)
        return None

    @property
    def needs_code(self) -> bool:
        """Whether the account has a second factor, which the link does not replace."""
        return self.person is not None and self.person.has_totp

    def begin_session(self, agent: str) -> str:
        """Begin the session of the account, and return its secret."""
        assert self.person is not None, "the link was accepted"
        return self.records.begin_session(self.person.person_id, self._actor(self.person), self.now_ns, agent)

    def _create_first(self, fields: Mapping[str, str], password: str) -> str | None:
        assert self.link is not None, "the link was checked"
        try:
            name, login = text(fields.get("name", "")), checked_login(fields.get("login", ""))
            organisation = text(fields.get("organisation", ""))
        except InvalidFact:
            return "login"
        if not name or not organisation:
            return "login"
        fault = password_fault(password, (login, name))
        if fault is not None:
            return fault
        password_hash = self.passwords.hashed(password)
        try:
            by = Actor.named("one-time link")
            self.person = self.records.add_administrator(name, login, organisation, by, self.now_ns, only_first=True)
        except NameTaken:
            return "organisation"
        if self.person is None:
            return "gone"
        self.records.use_link(self.link)
        self._set_password(self.person, password_hash)
        return None

    def _set_password(self, person: Person, password_hash: str) -> None:
        self.records.set_password(person.person_id, password_hash, self._actor(person), self.now_ns)

    def _actor(self, person: Person) -> Actor:
        return actor_in(person, person.membership(None), self.address)
