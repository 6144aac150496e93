"""The actions of administrators on organisations and people.

The operator's administrators see and change all of them. Those of another organisation see that organisation and its
people: they give and take its roles and its contact details. They may disable an account, or send it a new link, only
where the account belongs to no other organisation; what they do not see is answered as if it did not exist.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from dashboards.http.problem import Problem, field_error, invalid_request, not_found
from dashboards.sign_in.account_fields import (
    account_language,
    account_name,
    account_role,
    add_token,
    checked_organisation,
    checked_values,
    refuse_taken,
)
from dashboards.sign_in.identity import Identity
from registry.actor import Actor
from registry.organisations import Organisation, name_key
from registry.people import LANGUAGES, Person, checked_login
from registry.roles import OrganisationKind, Verb
from store.records.repository import Records

S_NS = 1_000_000_000
INVITED_S = 72 * 3600
OWN_FIELDS = ("name_en", "name_zh", "telephones", "duty_telephone", "address", "settings")


class Administration:
    """The acts of one administrator: each raises a problem where the administrator may not."""

    def __init__(self, records: Records, identity: Identity) -> None:
        self.records, self.identity = records, identity
        self.now_ns = time.time_ns()
        self.by = identity.scope.actor or Actor.named("api")
        self.sees_all = Verb.MANAGE_ORGANISATIONS in identity.scope.verbs

    # ── organisations ──

    def organisations(self) -> list[Organisation]:
        """Return the organisations that the administrator sees."""
        if self.sees_all:
            return self.records.organisations()
        return [self.identity.membership.organisation] if self.identity.membership else []

    def organisation(self, organisation_id: str) -> Organisation:
        """Return one of them; a problem (404) where there is none."""
        found = self.records.organisation(organisation_id) if self._sees(organisation_id) else None
        if found is None:
            raise not_found("organisation", organisation_id)
        return found

    def checked_addition(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a new organisation; a problem (403 or 422) where it may not be created with them."""
        self._require_all()
        changes = checked_organisation(given)
        missing = [name for name in ("kind", "name") if name not in changes]
        if missing:
            raise invalid_request([field_error(name, "is missing; every organisation needs one") for name in missing])
        return changes

    def add_organisation(self, changes: Mapping[str, Any]) -> Organisation:
        """Create an organisation with checked fields; a problem (409) where the name is taken."""
        with refuse_taken("name"):
            return self.records.add_organisation(changes, self.by, self.now_ns)

    def checked_change(self, before: Organisation, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changes of an organisation; a problem (403 or 422) where the administrator may not make them: its
        own administrators change the contact details, the operator's all."""
        if isinstance(given.get("settings"), Mapping):  # a setting that is not given stays
            given = {**given, "settings": {**asdict(before.settings), **given["settings"]}}
        settings = given.get("settings", {"second_person": True})
        if not self.sees_all and before.settings.second_person and not (settings or {}).get("second_person"):
            raise forbidden("A second person is asked for: the operator's administrators end that.")
        if not self.sees_all and not set(given) <= set(OWN_FIELDS):
            raise forbidden(f"Your organisation changes {', '.join(OWN_FIELDS)} only; the operator changes the rest.")
        return checked_organisation(given)

    def change_organisation(
        self, organisation_id: str, changes: Mapping[str, Any], expected: frozenset[str] | None
    ) -> Organisation:
        """Make checked changes of an organisation; a problem (404 or 409) where it cannot be changed so."""
        with refuse_taken("name"):
            changed = self.records.change_organisation(organisation_id, changes, self.by, self.now_ns, expected)
        if changed is None:
            raise not_found("organisation", organisation_id)
        return changed

    def set_closed(self, organisation_id: str, closed: bool, expected: frozenset[str] | None) -> Organisation:
        """Close an organisation, whose people then see nothing, or open it again."""
        self._require_all()
        if closed and self.identity.membership and self._is_own(organisation_id):
            raise Problem(409, "own-organisation", "You act for this organisation: let another one close it.")
        _refuse_guarding(self.organisation(organisation_id), closed)
        return self.change_organisation(organisation_id, {"closed_ns": self.now_ns if closed else None}, expected)

    def merge(self, into_id: str, other_id: str) -> Organisation:
        """Merge another organisation into one; the other is closed."""
        self._require_all()
        if self._is_own(other_id):
            raise Problem(409, "own-organisation", "You act for the organisation that would be closed.")
        _refuse_guarding(self.organisation(other_id), True)
        with refuse_taken("organisation"):
            both = self.records.merge_organisations(into_id, other_id, self.by, self.now_ns)
        if not both:
            raise not_found("organisation", other_id)
        return self.organisation(into_id)

    def named(self, name: str) -> Organisation:
        """Return the organisation with a name, present or former; a problem (404) where there is none."""
        key = name_key(name)
        for each in self.organisations():
            if key in {name_key(one) for one in (each.name, *each.names)}:
                return each
        raise not_found("organisation", name)

    # ── people ──

    def people(self, organisation_id: str | None = None) -> list[Person]:
        """Return the accounts that the administrator sees, those of one organisation or all."""
        if organisation_id is None and not self.sees_all:
            organisation_id = self._own_id()
        if organisation_id is not None:
            self.organisation(organisation_id)
        return [self._seen(each) for each in self.records.people(organisation_id)]

    def person(self, person_id: str) -> Person:
        """Return one account with the memberships that the administrator sees; a problem (404) where there is none."""
        found = self.records.person(person_id)
        if found is None or not (self.sees_all or self._seen(found).memberships):
            raise not_found("person", person_id)
        return self._seen(found)

    def may_manage(self, person_id: str) -> bool:
        """Return whether the administrator may disable an account and make links for it."""
        found = self.records.person(person_id)
        return found is not None and (self.sees_all or self._seen(found).memberships == found.memberships)

    def managed(self, person_id: str) -> Person:
        """Return an account that the administrator may manage; a problem (404 or 403) for any other."""
        self._require_account()
        person = self.person(person_id)
        if not self.may_manage(person_id):
            raise forbidden("The account belongs to another organisation too: ask the operator.")
        return person

    def invite(
        self, name: object, login: object, organisation_id: str, role: object, language: str | None, is_machine: bool
    ) -> Person:
        """Create an account with a role in an organisation."""
        self._require_account()
        if not organisation_id:
            raise invalid_request([field_error("organisation_id", "is missing; choose an organisation")])
        self.organisation(organisation_id)
        wanted = {"name": (name, account_name), "login": (login, checked_login), "role": (role, account_role)}
        values = checked_values(wanted)
        with refuse_taken("login"):
            added = self.records.add_person(
                values["name"], values["login"], {organisation_id: values["role"]}, self.by, self.now_ns,
                language=language if language in LANGUAGES else None, is_machine=is_machine,
            )  # fmt: skip
        assert added is not None, "the organisation exists"
        return added

    def set_role(self, person_id: str, organisation_id: str, role: object, expected: frozenset[str] | None) -> Person:
        """Give an account a role in an organisation, or take it out of it (None)."""
        self._require_account()
        self.organisation(organisation_id)
        self.person(person_id)
        wanted = None if role is None else checked_values({"role": (role, account_role)})["role"]
        with refuse_taken("role"):
            changed = self.records.set_role(person_id, organisation_id, wanted, self.by, self.now_ns, expected)
        assert changed is not None, "both exist"
        return self._seen(changed)

    def change_person(self, person_id: str, given: Mapping[str, Any], expected: frozenset[str] | None) -> Person:
        """Change the name, the language or `is_disabled` of an account."""
        self.managed(person_id)
        checks: dict[str, Callable[[Any], Any]] = {
            "name": account_name,
            "language": account_language,
            "is_disabled": bool,
        }
        changes = checked_values({name: (value, checks[name]) for name, value in given.items()})
        if changes.get("is_disabled") and self.identity.person and self.identity.person.person_id == person_id:
            raise Problem(409, "own-account", "You cannot disable your own account.")
        with refuse_taken("is_disabled"):
            changed = self.records.change_person(person_id, changes, self.by, self.now_ns, expected)
        assert changed is not None, "the person exists"
        return self._seen(changed)

    def link(self, person_id: str, valid_s: float = INVITED_S) -> str:
        """Return the secret of a new one-time link with which a person sets a password."""
        self._refuse_own(person_id)
        person = self.managed(person_id)
        if person.is_machine:
            raise Problem(409, "machine-account", "A machine account has tokens instead of a password.")
        return self.records.add_link(person_id, self.now_ns + int(valid_s * S_NS), self.by, self.now_ns)

    def remove_totp(self, person_id: str) -> None:
        """Remove the second factor of an account whose person has lost it."""
        self._refuse_own(person_id)
        person = self.managed(person_id)
        self.records.set_totp(person.person_id, None, 0, self.by, self.now_ns)

    def remove_subject(self, person_id: str) -> Person:
        """End the sign-in of an account by a provider; an account without one stays as it is."""
        self._refuse_own(person_id)
        person = self.managed(person_id)
        self.records.unbind_subject(person.person_id, self.by, self.now_ns)
        return self.person(person_id)

    def end_sessions(self, person_id: str) -> None:
        """End all sessions of an account, and revoke its tokens."""
        self._refuse_own(person_id)
        person = self.managed(person_id)
        self.records.end_sessions(person.person_id, self.by, self.now_ns, reason="administrator")

    def add_token(self, person_id: str, organisation_id: str, name: object, expires_ns: int) -> str:
        """Return the secret of a new token of a machine account."""
        person = self.managed(person_id)
        if not person.is_machine:
            raise Problem(409, "not-a-machine", "A person makes tokens of their own, on the page of their account.")
        if organisation_id not in {each.organisation.organisation_id for each in person.memberships}:
            raise not_found("organisation", organisation_id)
        return add_token(self.records, person_id, organisation_id, name, expires_ns, self.by, self.now_ns)

    # ── what the administrator may ──

    def _own_id(self) -> str | None:
        return self.identity.membership.organisation.organisation_id if self.identity.membership else None

    def _is_own(self, organisation_id: str) -> bool:
        return organisation_id == self._own_id()

    def _sees(self, organisation_id: str) -> bool:
        return self.sees_all or self._is_own(organisation_id)

    def _seen(self, person: Person) -> Person:
        """Return a person with the memberships that the administrator sees."""
        seen = tuple(each for each in person.memberships if self._sees(each.organisation.organisation_id))
        return replace(person, memberships=seen)

    def _refuse_own(self, person_id: str) -> None:
        """Refuse for the own account what the page of the account asks the password for."""
        if self.identity.person is not None and self.identity.person.person_id == person_id:
            raise Problem(409, "own-account", "Change your own account on its page, which asks for your password.")

    def _require_all(self) -> None:
        if not self.sees_all:
            raise forbidden("The operator's administrators do this.")

    def _require_account(self) -> None:
        """Refuse to create accounts without sign-in: whoever reaches the page could take the server over."""
        if self.identity.person is None:
            remedy = "run `liftwatch people add-administrator` on the server first"
            raise Problem(409, "no-administrator", f"There is no account yet: {remedy}.")


def _refuse_guarding(organisation: Organisation, ends: bool) -> None:
    """Refuse (409) what would change without a reason who sees lifts, or end an operator's demand for a second person.

    An authority with districts is not closed, merged away (`ends`) or opened again, such an operator is not ended.
    """
    if organisation.kind is OrganisationKind.AUTHORITY and organisation.districts:
        raise Problem(409, "has-districts", "The authority has districts: take them out of its list first.")
    if ends and organisation.kind is OrganisationKind.OPERATOR and organisation.settings.second_person:
        raise Problem(409, "asks-second-person", "The operator asks for a second person: end that first.")


def forbidden(detail: str) -> Problem:
    """Return the problem (403) of an act that a role does not include."""
    return Problem(403, "not-allowed", detail)
