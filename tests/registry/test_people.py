"""Organisations, people and passwords as values: names, logins, scopes and the rules of passwords."""

from __future__ import annotations

import pytest

from registry.actor import Actor
from registry.fact_checks import InvalidFact
from registry.organisations import Organisation, name_key, read_organisation_changes
from registry.passwords import password_fault
from registry.people import Membership, Person, actor_in, checked_login, login_key, scope_of
from registry.roles import OrganisationKind, Role, Verb
from registry.scope import ALL_LIFTS, NO_LIFTS

FIRM = Organisation("f", OrganisationKind.MAINTENANCE_FIRM, "Firm", frozenset({"Firm", "Old Firm"}))
DESK = Organisation("d", OrganisationKind.OPERATOR, "Desk", frozenset({"Desk"}))
CLOSED = Organisation("c", OrganisationKind.OPERATOR, "Closed", frozenset({"Closed"}), closed_ns=1)
MEI = Person("p", "Mei", "mei")
BY = actor_in(MEI, Membership(FIRM, Role.MECHANIC), "127.0.0.1")


def test_an_actor_names_account_organisation_role_and_address() -> None:
    assert Actor("Mei", "person:p", "Firm", "mechanic", "127.0.0.1") == BY
    assert actor_in(Person("m", "Export", "export", is_machine=True), None, "").account == "machine:m"


def test_names_that_differ_in_width_or_blanks_are_one_name() -> None:
    assert name_key(" ＡＢＣ  电梯 ") == name_key("ABC 电梯") == "ABC 电梯"
    assert name_key("abc") != name_key("ABC")


def test_logins_that_differ_in_case_or_width_are_one_login() -> None:
    assert login_key(" Ｍei@Example.ORG ") == login_key("mei@example.org")


@pytest.mark.parametrize("login", ["", "two words", "a" * 101, "<b>", "a\u202eb", "a\x00b", 7])
def test_a_text_that_is_no_login_is_refused(login: object) -> None:
    with pytest.raises(InvalidFact):
        checked_login(login)


def test_a_person_sees_the_lifts_of_present_and_former_names() -> None:
    scope = scope_of(MEI, Membership(FIRM, Role.MECHANIC), "127.0.0.1")
    assert scope.actor == BY
    assert scope.lifts.names == {"Firm", "Old Firm"}
    assert Verb.RESOLVE in scope.verbs
    assert Verb.MANAGE_PEOPLE not in scope.verbs
    assert scope_of(MEI, Membership(DESK, Role.VIEWER)).lifts == ALL_LIFTS


@pytest.mark.parametrize(
    ("person", "membership"),
    [
        (Person("p", "Mei", "mei"), Membership(CLOSED, Role.ADMINISTRATOR)),
        (Person("p", "Mei", "mei", is_disabled=True), Membership(DESK, Role.ADMINISTRATOR)),
        (Person("p", "Mei", "mei"), None),
    ],
)
def test_a_closed_organisation_and_a_disabled_account_see_and_do_nothing(
    person: Person, membership: Membership | None
) -> None:
    scope = scope_of(person, membership)
    assert scope.lifts == NO_LIFTS
    assert scope.verbs == frozenset()


def test_a_person_acts_in_the_organisation_that_was_chosen_while_it_is_open() -> None:
    memberships = (Membership(CLOSED, Role.VIEWER), Membership(DESK, Role.VIEWER), Membership(FIRM, Role.MANAGER))
    person = Person("p", "Mei", "mei", memberships)
    assert [person.membership(each) for each in ("f", "c", None)] == [memberships[2], memberships[1], memberships[1]]


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("elevenchars", "short"),
        ("x" * 6 + "abcdef" * 42, "long"),
        ("correct horse battery", None),
        ("正确的马电池订书钉很长啊", None),
        ("password1234", "common"),
        ("Password2026!!", "common"),
        ("aaaaaaaaaaaaaaaa", "common"),
        ("121212121212", "common"),
        ("Liftwatch2026!", "derived"),
        ("mei.chen!2026", "derived"),
        ("liftwatch of a quiet horse", None),
    ],
)
def test_a_password_is_refused_for_length_commonness_or_derivation_only(password: str, fault: str | None) -> None:
    assert password_fault(password, ("mei.chen@example.org", "Mei Chen")) == fault


def test_a_password_with_a_second_factor_may_be_shorter() -> None:
    assert password_fault("k7#mQ2vx", ("mei",)) == "short"
    assert password_fault("k7#mQ2vx", ("mei",), has_totp=True) is None
    assert password_fault("password", ("mei",), has_totp=True) == "common"


def test_fields_of_an_organisation_are_read_from_texts_and_lists() -> None:
    changes, errors = read_organisation_changes(
        {"kind": "authority", "districts": "d1, d2,\nd1", "telephones": ["+852 2345 6789"],
         "settings": {"second_person": True}, "address": " "}
    )  # fmt: skip
    assert errors == []
    assert changes["kind"] is OrganisationKind.AUTHORITY
    assert changes["districts"] == ("d1", "d2")
    assert changes["address"] is None
    assert changes["settings"].second_person


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "king"), ("name", ""), ("name", None), ("districts", "D 1"), ("districts", 7), ("telephones", ["x"]),
     ("settings", {"third": True}), ("settings", {"second_person": 2}), ("colour", "red"),
     ("districts", [f"d{n}" for n in range(101)])],
)  # fmt: skip
def test_an_invalid_field_of_an_organisation_is_named_with_a_remedy(field: str, value: object) -> None:
    changes, errors = read_organisation_changes({field: value})
    assert changes == {}
    assert [(error.field, bool(error.remedy)) for error in errors] == [(field, True)]
