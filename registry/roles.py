"""The rights of people: the verbs of a role, limited to the verbs of the kind of organisation that the person acts for.

A manager of a maintenance firm may resolve alerts; a manager of an insurer may only see them. docs/roles.md shows the
table, and a test checks every route of the API and every page against it.
"""

from __future__ import annotations

from enum import StrEnum


class OrganisationKind(StrEnum):
    """The function of an organisation for lifts."""

    AUTHORITY = "authority"
    MAINTENANCE_FIRM = "maintenance-firm"
    OWNER = "owner"
    OPERATOR = "operator"
    MANUFACTURER = "manufacturer"
    INSURER = "insurer"


class Role(StrEnum):
    """The role of a person, or of a machine account, in an organisation."""

    VIEWER = "viewer"
    MECHANIC = "mechanic"
    DISPATCHER = "dispatcher"
    MANAGER = "manager"
    INSPECTOR = "inspector"
    ADMINISTRATOR = "administrator"


class Verb(StrEnum):
    """Something that a request does. Each route of the API and each page needs one verb."""

    SEE = "see"
    SEE_REFUSED = "see-refused"
    SEE_AUDIT = "see-audit"
    SEE_METRICS = "see-metrics"
    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    COMMENT = "comment"
    RESOLVE = "resolve"
    SHELVE = "shelve"
    MAINTAIN = "maintain"
    EDIT_LIFTS = "edit-lifts"
    REGISTER_LIFTS = "register-lifts"
    APPROVE = "approve"
    MANAGE_PEOPLE = "manage-people"
    MANAGE_ORGANISATIONS = "manage-organisations"
    MANAGE_DEVICES = "manage-devices"
    MANAGE_DUTY = "manage-duty"
    INJECT = "inject"


EVERY_VERB = frozenset(Verb)
ACTING = frozenset(
    {Verb.ACKNOWLEDGE, Verb.ASSIGN, Verb.RESOLVE, Verb.SHELVE, Verb.MAINTAIN, Verb.EDIT_LIFTS, Verb.APPROVE,
     Verb.MANAGE_DEVICES}
)  # fmt: skip
"""Verbs of organisations that maintain or own a lift; its manufacturer and its insurer only see and comment."""

_SEE = frozenset({Verb.SEE})
_MECHANIC = _SEE | {Verb.SEE_REFUSED, Verb.ACKNOWLEDGE, Verb.COMMENT, Verb.RESOLVE, Verb.MAINTAIN}
_DISPATCHER = _MECHANIC | {Verb.ASSIGN, Verb.SHELVE, Verb.MANAGE_DUTY}
_MANAGER = _DISPATCHER | {Verb.EDIT_LIFTS, Verb.REGISTER_LIFTS, Verb.APPROVE, Verb.SEE_AUDIT}

VERBS_OF_ROLE: dict[Role, frozenset[Verb]] = {
    Role.VIEWER: _SEE,
    Role.MECHANIC: _MECHANIC,
    Role.DISPATCHER: _DISPATCHER,
    Role.MANAGER: _MANAGER,
    Role.INSPECTOR: _SEE | {Verb.SEE_REFUSED, Verb.COMMENT, Verb.APPROVE, Verb.SEE_AUDIT},
    Role.ADMINISTRATOR: EVERY_VERB,
}

_OF_EVERY_KIND = frozenset({Verb.SEE, Verb.COMMENT, Verb.SEE_AUDIT, Verb.MANAGE_PEOPLE, Verb.MANAGE_DUTY})

VERBS_OF_KIND: dict[OrganisationKind, frozenset[Verb]] = {
    OrganisationKind.OPERATOR: EVERY_VERB,
    OrganisationKind.AUTHORITY: _OF_EVERY_KIND | {Verb.SEE_REFUSED, Verb.APPROVE},
    OrganisationKind.MAINTENANCE_FIRM: EVERY_VERB
    - {Verb.REGISTER_LIFTS, Verb.MANAGE_ORGANISATIONS, Verb.SEE_METRICS, Verb.INJECT},
    OrganisationKind.OWNER: _OF_EVERY_KIND | {Verb.EDIT_LIFTS, Verb.APPROVE},
    OrganisationKind.MANUFACTURER: _OF_EVERY_KIND | {Verb.SEE_REFUSED},
    OrganisationKind.INSURER: _OF_EVERY_KIND,
}


def verbs_of(kind: OrganisationKind, role: Role) -> frozenset[Verb]:
    """Return the verbs of a person of this role in an organisation of this kind."""
    return VERBS_OF_ROLE[role] & VERBS_OF_KIND[kind]
