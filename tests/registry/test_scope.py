"""Who concerns which lifts, and what each role may do in each kind of organisation."""

from __future__ import annotations

import pytest

from registry.lift_facts import LiftFacts
from registry.roles import EVERY_VERB, OrganisationKind, Role, Verb, verbs_of
from registry.scope import ALL_LIFTS, NAMING_FACTS, NO_LIFTS, OPEN_SCOPE, LiftScope, lifts_of

LIFT = LiftFacts("L1", "north", owner="Garden Homes", maintenance_firm="Otto", insurer="Safe", manufacturer="Acme")


def test_an_operator_sees_every_lift_and_an_authority_its_districts_registered_or_not() -> None:
    assert lifts_of(OrganisationKind.OPERATOR, {"desk"}, set()) == ALL_LIFTS
    authority = lifts_of(OrganisationKind.AUTHORITY, {"North District"}, {"north"})
    assert authority.has("north", None)
    assert authority.has("north", LIFT)
    assert not authority.has("south", None)


@pytest.mark.parametrize("fact", NAMING_FACTS)
def test_a_lift_concerns_each_organisation_that_its_facts_name_by_a_present_or_former_name(fact: str) -> None:
    names = {getattr(LIFT, fact), "a newer name"}
    assert lifts_of(OrganisationKind.MAINTENANCE_FIRM, names, {"north"}).has("north", LIFT)
    assert not lifts_of(OrganisationKind.MAINTENANCE_FIRM, {"a rival"}, {"north"}).has("north", LIFT)


def test_an_unregistered_lift_concerns_no_firm_and_a_missing_fact_is_no_name() -> None:
    assert not LiftScope(names=frozenset({"Otto"})).has("north", None)
    assert not LiftScope(names=frozenset({"Otto"})).has("north", LiftFacts("L2", "north"))
    assert not NO_LIFTS.has("north", LIFT)


@pytest.mark.parametrize("kind", OrganisationKind)
@pytest.mark.parametrize("role", Role)
def test_every_role_sees_and_only_an_operator_may_do_everything(kind: OrganisationKind, role: Role) -> None:
    verbs = verbs_of(kind, role)
    assert Verb.SEE in verbs
    assert (verbs == EVERY_VERB) == (kind is OrganisationKind.OPERATOR and role is Role.ADMINISTRATOR)
    assert (verbs == {Verb.SEE}) == (role is Role.VIEWER)


def test_open_mode_allows_everything_and_names_nobody() -> None:
    assert OPEN_SCOPE.lifts.has("anywhere", None)
    assert (OPEN_SCOPE.verbs, OPEN_SCOPE.actor) == (EVERY_VERB, None)
