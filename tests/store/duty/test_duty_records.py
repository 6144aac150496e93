"""Rosters, policies, calendar links and duty books in the records, in SQLite and in PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from alerts.escalation.facts import CallProgress
from alerts.escalation.policy import EscalationPolicy
from alerts.escalation.policy_checks import Nameable, read_policy
from registry.duty.roster import Override, Roster
from registry.duty.roster_checks import read_roster, roster_document
from registry.lift_facts import LiftFacts
from registry.organisations import Organisation
from registry.roles import OrganisationKind, Role
from store.records.duty.policies import ReadPolicy
from store.records.identity.sessions import hashed
from store.records.repository import (
    AuditFilter,
    InvalidPolicy,
    OverridesFull,
    PolicyInUse,
    Records,
    VersionConflict,
)
from tests.store.identity.identities import BY, S_NS, T_NS, organisation, person

FIRM = OrganisationKind.MAINTENANCE_FIRM
DOCUMENT: dict[str, Any] = {
    "name": "Nights", "timezone": "Europe/Berlin", "holidays": "DE-BY", "extra_holidays": ["2001-12-24"],
    "rotations": [{"name": "weeks", "turns": [["a"], ["b"]], "starts_on": "2001-01-01"}],
}  # fmt: skip


@pytest.fixture(name="firm")
def maintenance_firm(records: Records) -> Organisation:
    return organisation(records, "Firm", FIRM)


def a_roster(firm: Organisation, **changes: Any) -> Roster:
    """Return a roster of a firm that is not stored."""
    roster, errors = read_roster({**DOCUMENT, **changes}, "", firm.organisation_id)
    assert not errors
    return roster


def reading(name: str = "Policy", **changes: Any) -> ReadPolicy:
    """Return what reads a policy of one step."""
    given = {"name": name, "steps": [{"targets": ["on-duty"]}], **changes}
    return lambda others: read_policy(given, "", "", Nameable(set(), set(), others))


def actions(records: Records) -> list[str]:
    """Return the actions in the audit log, the last first."""
    return [each.action for each in records.audit(AuditFilter()).items]


def test_a_roster_is_stored_changed_and_deleted_each_with_its_row_of_the_audit_log(
    records: Records, firm: Organisation
) -> None:
    made = records.add_roster(a_roster(firm), BY, T_NS)
    stored = records.roster(made.roster_id)
    assert stored is not None
    assert stored == made
    changed = records.put_roster(replace(stored, name="Days"), BY, T_NS, ["0"])
    assert changed is not None
    assert (changed.name, changed.revision) == ("Days", 1)
    with pytest.raises(VersionConflict):
        records.put_roster(stored, BY, T_NS, ["0"])
    assert records.delete_roster(made.roster_id, BY, T_NS)
    assert not records.delete_roster(made.roster_id, BY, T_NS)
    assert records.put_roster(stored, BY, T_NS) is None
    assert actions(records)[:3] == ["roster.delete", "roster.change", "roster.add"]


def test_a_roster_of_another_organisation_does_not_exist(records: Records, firm: Organisation) -> None:
    made, of = records.add_roster(a_roster(firm), BY, T_NS), ["another"]
    override = Override("", T_NS, T_NS + S_NS, ("a",))
    assert records.rosters(of) == []
    assert records.roster(made.roster_id, of) is None
    assert records.put_roster(made, BY, T_NS, of=of) is None
    assert not records.delete_roster(made.roster_id, BY, T_NS, of)
    assert records.add_override(made.roster_id, override, BY, T_NS, of) is None
    assert records.add_calendar_link(made.roster_id, None, BY, T_NS, of) is None
    assert records.rosters([firm.organisation_id]) == [made]


def test_an_override_is_added_and_removed_and_a_change_of_the_roster_keeps_it(
    records: Records, firm: Organisation
) -> None:
    made = records.add_roster(a_roster(firm), BY, T_NS)
    override = Override("", T_NS, T_NS + S_NS, ("b",), "a", "dentist")
    with_it = records.add_override(made.roster_id, override, BY, T_NS)
    assert with_it is not None
    (added,) = with_it.overrides
    assert replace(added, override_id="") == override
    kept = records.put_roster(replace(made, name="Days"), BY, T_NS)
    assert kept is not None
    assert kept.overrides == (added,)
    gone = records.remove_override(made.roster_id, added.override_id, BY, T_NS)
    assert gone is not None
    assert gone.overrides == ()
    assert records.remove_override(made.roster_id, added.override_id, BY, T_NS) is None
    assert actions(records)[0] == "roster.override-end"


def test_a_roster_has_a_limit_of_overrides_and_forgets_those_of_a_year_ago(
    records: Records, firm: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.records.duty.rosters.OVERRIDES_LIMIT", 3)
    made = records.add_roster(a_roster(firm), BY, T_NS)
    for number in range(3):
        records.add_override(made.roster_id, Override("", T_NS + number, T_NS + S_NS, ("b",)), BY, T_NS)
    with pytest.raises(OverridesFull):
        records.add_override(made.roster_id, Override("", T_NS, T_NS + S_NS, ("b",)), BY, T_NS)
    later_ns = T_NS + 400 * 24 * 3600 * S_NS
    after = records.add_override(made.roster_id, Override("", later_ns, later_ns + 1, ("b",)), BY, later_ns)
    assert after is not None
    assert len(after.overrides) == 1


def test_a_calendar_link_ends_with_its_person_and_with_its_organisation(records: Records, firm: Organisation) -> None:
    made = records.add_roster(a_roster(firm), BY, T_NS)
    ann = person(records, "ann", firm, Role.MECHANIC)
    of_ann = records.add_calendar_link(made.roster_id, ann.person_id, BY, T_NS)
    of_all = records.add_calendar_link(made.roster_id, None, BY, T_NS)
    assert of_ann is not None
    assert of_all is not None
    assert records.roster_of_link(of_ann) is not None
    records.change_person(ann.person_id, {"is_disabled": True}, BY, T_NS)
    assert records.roster_of_link(of_ann) is None
    assert records.roster_of_link(of_all) is not None
    records.change_organisation(firm.organisation_id, {"closed_ns": T_NS}, BY, T_NS)
    assert records.roster_of_link(of_all) is None


def test_a_calendar_link_works_until_it_is_revoked_and_the_secret_is_not_stored(
    records: Records, firm: Organisation
) -> None:
    made = records.add_roster(a_roster(firm), BY, T_NS)
    secret = records.add_calendar_link(made.roster_id, "a", BY, T_NS)
    assert secret is not None
    found = records.roster_of_link(secret)
    assert found is not None
    assert (found[0].roster_id, found[1].person_id) == (made.roster_id, "a")
    (link,) = records.calendar_links(made.roster_id)
    assert secret not in str((link, records.audit(AuditFilter()).items))
    assert hashed(secret) not in str(records.audit(AuditFilter()).items)
    assert records.revoke_calendar_link(made.roster_id, link.link_id, BY, T_NS)
    assert records.roster_of_link(secret) is None
    other = records.add_calendar_link(made.roster_id, None, BY, T_NS)
    records.delete_roster(made.roster_id, BY, T_NS)
    assert other is not None
    assert records.roster_of_link(other) is None


def names(records: Records, firm: Organisation) -> list[str]:
    return [each.name for each in records.policies([firm.organisation_id])]


def test_policies_keep_their_order_and_move_in_it(records: Records, firm: Organisation) -> None:
    first, second = (
        records.add_policy(reading(name), firm.organisation_id, None, BY, T_NS) for name in ("First", "Second")
    )
    records.add_policy(reading("Zeroth"), firm.organisation_id, 1, BY, T_NS)
    assert names(records, firm) == ["Zeroth", "First", "Second"]
    records.put_policy(second.policy_id, reading("Moved"), 1, BY, T_NS)
    assert names(records, firm) == ["Moved", "Zeroth", "First"]
    kept = records.put_policy(first.policy_id, reading("Kept"), None, BY, T_NS, ["0"])
    assert kept is not None
    assert names(records, firm) == ["Moved", "Zeroth", "Kept"]
    with pytest.raises(VersionConflict):
        records.put_policy(first.policy_id, reading("Late"), None, BY, T_NS, ["0"])
    assert records.put_policy(first.policy_id, reading("x"), None, BY, T_NS, of=["another"]) is None
    assert records.delete_policy(first.policy_id, BY, T_NS)
    assert names(records, firm) == ["Moved", "Zeroth"]
    assert actions(records)[0] == "policy.delete"


def test_a_policy_that_another_goes_on_with_is_not_deleted(records: Records, firm: Organisation) -> None:
    last = records.add_policy(reading("Last"), firm.organisation_id, None, BY, T_NS)
    records.add_policy(reading("First", then=last.policy_id), firm.organisation_id, None, BY, T_NS)
    with pytest.raises(PolicyInUse, match="'First' goes on with it"):
        records.delete_policy(last.policy_id, BY, T_NS)


def test_two_changes_at_once_do_not_close_a_ring_of_policies(records: Records, firm: Organisation) -> None:
    one, two = (records.add_policy(reading(name), firm.organisation_id, None, BY, T_NS) for name in ("One", "Two"))
    failed: list[InvalidPolicy] = []
    start = threading.Barrier(2)

    def change(policy: EscalationPolicy, then: EscalationPolicy) -> None:
        def read(others: Any) -> Any:
            given = {"name": policy.name, "steps": [{"targets": ["on-duty"]}], "then": then.policy_id}
            return read_policy(given, policy.policy_id, "", Nameable(set(), set(), others))

        start.wait()
        try:
            records.put_policy(policy.policy_id, read, None, BY, T_NS)
        except InvalidPolicy as error:
            failed.append(error)

    threads = [threading.Thread(target=change, args=pair) for pair in ((one, two), (two, one))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(failed) == 1
    assert "leads back" in str(failed[0])


def test_the_books_of_a_lift_are_those_of_the_organisations_that_act_on_it(records: Records) -> None:
    lift = LiftFacts("L1", "d1", maintenance_firm="Firm", manufacturer="Maker", insurer="Insurer")
    records.put_lifts([lift, LiftFacts("L2", "d1", manufacturer="Firm")], BY, T_NS)
    desk = organisation(records, "Desk")
    firm = next(each for each in records.organisations() if each.name == "Firm")
    ada = person(records, "ada", firm, Role.MECHANIC)
    gone = person(records, "gone", firm)
    records.change_person(gone.person_id, {"is_disabled": True}, BY, T_NS)
    made = records.add_roster(a_roster(firm), BY, T_NS)
    policy = records.add_policy(reading(), firm.organisation_id, None, BY, T_NS)
    books = {each.name: each for each in records.duty_books_of_lift("d1", lift)}
    assert set(books) == {"Desk", "Firm", "Insurer", "Maker"}
    assert list(books["Firm"].callees) == [ada.person_id]
    assert (books["Firm"].rosters, books["Firm"].policies) == ((made,), (policy,))
    other = records.lift("L2")
    assert other is not None
    assert [each.name for each in records.duty_books_of_lift("d1", other.facts)] == ["Desk"]
    assert records.duty_books_of_lift("d1", lift, [desk.organisation_id])[0].name == "Desk"
    assert records.duty_book(firm.organisation_id) == books["Firm"]


def test_rosters_and_policies_move_with_a_merge(records: Records, firm: Organisation) -> None:
    other = organisation(records, "Other", FIRM)
    records.add_roster(a_roster(other), BY, T_NS)
    records.add_policy(reading(), other.organisation_id, None, BY, T_NS)
    records.merge_organisations(firm.organisation_id, other.organisation_id, BY, T_NS)
    book = records.duty_book(firm.organisation_id)
    assert book is not None
    assert (len(book.rosters), len(book.policies)) == (1, 1)


def test_a_stored_place_of_holidays_that_is_not_known_any_more_leaves_the_rest(
    records: Records, firm: Organisation
) -> None:
    made = records.add_roster(replace(a_roster(firm), holidays="XX"), BY, T_NS)
    stored = records.roster(made.roster_id)
    assert stored is not None
    assert stored.holidays is None
    assert roster_document(stored)["rotations"] == roster_document(made)["rotations"]


def test_progress_of_calls_is_stored_for_each_incident_and_organisation(records: Records) -> None:
    records.store_call_progress("i1", "o1", CallProgress(5, 6))
    records.store_call_progress("i1", "o2", CallProgress(5, 7))
    records.store_call_progress("i1", "o1", CallProgress(8, 9, 7, "p:1,q:2", 3))
    assert records.call_progress("i1") == {"o1": CallProgress(8, 9, 7, "p:1,q:2", 3), "o2": CallProgress(5, 7)}
    assert records.call_progress("i2") == {}
