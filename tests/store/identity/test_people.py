"""Accounts, sessions, tokens, one-time links, password hashes and one-time codes in the records."""

from __future__ import annotations

import threading

import pyotp
import pytest

from registry.roles import OrganisationKind, Role
from store.records.identity import credentials
from store.records.identity.credentials import hash_password, is_password, new_totp_secret, totp_step
from store.records.identity.sessions import SESSIONS_LIMIT, hashed, is_valid
from store.records.repository import LastAdministrator, NameTaken, Records, VersionConflict
from tests.store.identity.identities import BY, S_NS, T_NS, organisation, person

PASSWORD = "correct horse battery"


def test_a_login_is_unique_in_every_case_and_width(records: Records) -> None:
    desk = organisation(records, "Desk")
    added = person(records, "mei@example.org", desk)
    with pytest.raises(NameTaken):
        person(records, "ＭEI@example.org", desk)
    found = records.person_of_login(" Mei@Example.org ")
    assert found == added
    assert records.person_of_login("li@example.org") is None


def test_the_first_administrator_is_created_once(records: Records) -> None:
    desk = organisation(records, "Desk")
    roles = {desk.organisation_id: Role.ADMINISTRATOR}
    added = []

    def add(login: str) -> None:
        added.append(records.add_person(login, login, roles, BY, T_NS, only_first=True))

    racing = [threading.Thread(target=add, args=(login,)) for login in ("a", "b", "c")]
    for thread in racing:
        thread.start()
    for thread in racing:
        thread.join()
    assert sum(each is not None for each in added) == 1
    assert len(records.people()) == 1


def test_a_person_has_a_role_in_each_organisation(records: Records) -> None:
    desk, firm = organisation(records, "Desk"), organisation(records, "Firm", OrganisationKind.MAINTENANCE_FIRM)
    mei = person(records, "mei", desk)
    changed = records.set_role(mei.person_id, firm.organisation_id, Role.MECHANIC, BY, T_NS, [str(mei.revision)])
    assert changed is not None
    assert [(each.organisation.name, each.role) for each in changed.memberships] == [
        ("Desk", Role.ADMINISTRATOR), ("Firm", Role.MECHANIC),
    ]  # fmt: skip
    with pytest.raises(VersionConflict):
        records.set_role(mei.person_id, firm.organisation_id, None, BY, T_NS, [str(mei.revision)])
    assert records.set_role(mei.person_id, "none", Role.VIEWER, BY, T_NS) is None
    assert records.set_role("none", firm.organisation_id, Role.VIEWER, BY, T_NS) is None


def test_the_last_administrator_stays(records: Records) -> None:
    desk = organisation(records, "Desk")
    mei, li = person(records, "mei", desk), person(records, "li", desk)
    records.set_role(li.person_id, desk.organisation_id, None, BY, T_NS)
    for change in (
        lambda: records.set_role(mei.person_id, desk.organisation_id, Role.VIEWER, BY, T_NS),
        lambda: records.change_person(mei.person_id, {"is_disabled": True}, BY, T_NS),
    ):
        with pytest.raises(LastAdministrator):
            change()
    assert records.person(mei.person_id) == mei


def test_a_change_of_password_and_disabling_end_every_session(records: Records) -> None:
    desk = organisation(records, "Desk")
    mei, _ = person(records, "mei", desk), person(records, "li", desk)
    secrets = [records.begin_session(mei.person_id, BY, T_NS, "agent") for _ in range(2)]
    assert all(records.session(hashed(secret)) for secret in secrets)
    records.set_password(mei.person_id, hash_password(PASSWORD), BY, T_NS)
    assert records.sessions(mei.person_id) == []
    records.begin_session(mei.person_id, BY, T_NS, "agent")
    records.change_person(mei.person_id, {"is_disabled": True}, BY, T_NS)
    assert records.sessions(mei.person_id) == []


@pytest.mark.parametrize("is_chosen", [True, False])
@pytest.mark.parametrize("is_closed", [True, False])
def test_no_session_goes_on_for_another_organisation(records: Records, is_chosen: bool, is_closed: bool) -> None:
    firm, other = (organisation(records, name, OrganisationKind.MAINTENANCE_FIRM) for name in ("Firm", "Other"))
    mei, li = person(records, "mei", firm), person(records, "li", other)
    records.set_role(mei.person_id, other.organisation_id, Role.VIEWER, BY, T_NS)
    for one, chosen in ((mei, firm), (mei, other), (li, other)):
        session_id = hashed(records.begin_session(one.person_id, BY, T_NS, chosen.name))
        if is_chosen or chosen is other:
            records.choose_organisation(session_id, one.person_id, chosen.organisation_id, BY, T_NS)
    if is_closed:
        records.change_organisation(firm.organisation_id, {"closed_ns": T_NS}, BY, T_NS)
    else:
        records.set_role(mei.person_id, firm.organisation_id, None, BY, T_NS)
    assert [each.agent for one in (mei, li) for each in records.sessions(one.person_id)] == ["Other", "Other"]


def test_sessions_are_listed_ended_one_by_one_and_all_but_one(records: Records) -> None:
    mei = person(records, "mei", organisation(records, "Desk"))
    secrets = [records.begin_session(mei.person_id, BY, T_NS + n * S_NS, f"agent {n}") for n in range(4)]
    assert [each.agent for each in records.sessions(mei.person_id)] == [f"agent {n}" for n in (3, 2, 1, 0)]
    before = records.identity_revision()
    assert records.end_sessions(mei.person_id, BY, T_NS, only=hashed(secrets[0])) == 1
    assert records.identity_revision() > before
    assert records.end_sessions("another", BY, T_NS, only=hashed(secrets[1])) == 0
    assert records.end_sessions(mei.person_id, BY, T_NS, but=hashed(secrets[1])) == 2
    assert [each.session_id for each in records.sessions(mei.person_id)] == [hashed(secrets[1])]


def test_the_least_recently_used_session_ends_beyond_the_limit(records: Records) -> None:
    mei = person(records, "mei", organisation(records, "Desk"))
    first, *_ = (records.begin_session(mei.person_id, BY, T_NS + n, "agent") for n in range(SESSIONS_LIMIT + 1))
    assert len(records.sessions(mei.person_id)) == SESSIONS_LIMIT
    assert records.session(hashed(first)) is None


def test_no_secret_is_stored_in_the_clear(records: Records) -> None:
    desk = organisation(records, "Desk")
    mei = person(records, "mei", desk)
    secrets = [
        records.begin_session(mei.person_id, BY, T_NS, "agent"),
        records.add_token(mei.person_id, desk.organisation_id, "export", T_NS + S_NS, BY, T_NS),
        records.add_link(mei.person_id, T_NS + S_NS, BY, T_NS),
    ]
    with records._database.reading() as connection:
        stored = [
            str(tuple(row)) for table in ("sessions", "tokens", "one_time_links", "audit")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
        ]  # fmt: skip
    assert all(secret not in row for secret in secrets for row in stored)


def test_a_token_is_found_used_listed_and_revoked(records: Records) -> None:
    desk = organisation(records, "Desk")
    mei = person(records, "mei", desk)
    secret = records.add_token(mei.person_id, desk.organisation_id, "export", T_NS + 99 * S_NS, BY, T_NS)
    found = records.token(hashed(secret))
    assert found is not None
    records.note_token_use(found[0], T_NS + S_NS)
    assert [each.used_ns for each in records.tokens(mei.person_id)] == [T_NS + S_NS]
    assert not records.revoke_token("another", hashed(secret), BY, T_NS)
    assert records.revoke_token(mei.person_id, hashed(secret), BY, T_NS)
    assert records.token(hashed(secret)) is None


def test_a_one_time_link_works_once_until_it_expires_or_is_replaced(records: Records) -> None:
    mei = person(records, "mei", organisation(records, "Desk"))
    old = records.add_link(mei.person_id, T_NS + 9 * S_NS, BY, T_NS)
    new = records.add_link(mei.person_id, T_NS + 9 * S_NS, BY, T_NS)
    assert records.link(old, T_NS) is None
    assert records.link(new, T_NS + 9 * S_NS) is None
    link = records.link(new, T_NS + 8 * S_NS)
    assert link is not None
    assert [records.use_link(link), records.use_link(link)] == [True, False]


@pytest.mark.parametrize(("now_s", "valid"), [(-3600, False), (-30, True), (0, True), (99, True), (100, False)])
def test_a_span_is_over_after_its_end_and_where_the_clock_was_set_back(now_s: int, valid: bool) -> None:
    assert is_valid(T_NS, T_NS + 100 * S_NS, T_NS + now_s * S_NS) is valid


def test_expired_secrets_are_removed(records: Records) -> None:
    desk = organisation(records, "Desk")
    mei = person(records, "mei", desk)
    records.begin_session(mei.person_id, BY, T_NS, "agent")
    records.add_token(mei.person_id, desk.organisation_id, "export", T_NS + S_NS, BY, T_NS)
    records.remove_expired(T_NS + 2 * S_NS, T_NS + 1)
    assert records.sessions(mei.person_id) == []
    assert records.tokens(mei.person_id) == []


def test_a_subject_of_a_provider_is_bound_to_one_person_once(records: Records) -> None:
    mei = person(records, "mei", organisation(records, "Desk"))
    assert records.bind_subject(mei.person_id, "https://id.example", "s1", BY, T_NS)
    assert not records.bind_subject(mei.person_id, "https://id.example", "s2", BY, T_NS)
    found = records.person_of_subject("https://id.example", "s1")
    assert found is not None
    assert found.person_id == mei.person_id
    assert records.person_of_subject("https://other.example", "s1") is None


# ── password hashes and one-time codes ──


def test_a_password_matches_its_hash_in_every_form_of_unicode() -> None:
    kept = hash_password("é" * 12)
    assert kept.startswith("$argon2id$")
    assert is_password(kept, "e\u0301" * 12)
    assert not is_password(kept, "e" * 12)
    assert not is_password(kept, "é" * 5000)


def test_a_hash_is_computed_for_a_login_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    computed = []
    verify = credentials._HASHER.verify
    spy = type("Spy", (), {"verify": lambda self, kept, given: computed.append(kept) or verify(kept, given),
                           "hash": credentials._HASHER.hash})  # fmt: skip
    monkeypatch.setattr(credentials, "_HASHER", spy())
    assert not is_password(None, PASSWORD)
    assert [kept.split("$")[3] for kept in computed] == [hash_password(PASSWORD).split("$")[3]]


def test_a_code_is_valid_within_half_a_minute_and_once(records: Records) -> None:
    secret = new_totp_secret()
    code = pyotp.TOTP(secret).at(T_NS // S_NS)
    step = totp_step(secret, f"{code[:3]} {code[3:]}", T_NS / S_NS)
    assert step is not None
    assert totp_step(secret, code, T_NS / S_NS + 30) == step
    assert totp_step(secret, code, T_NS / S_NS + 90) is None
    assert totp_step(secret, code, T_NS / S_NS, last_step=step) is None
    mei = person(records, "mei", organisation(records, "Desk"))
    assert [records.use_totp_step(mei.person_id, step) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "abcdef", "1" * 10_000])
def test_a_text_that_is_no_code_is_refused(code: str) -> None:
    assert totp_step(new_totp_secret(), code, T_NS / S_NS) is None
