"""Records of two tenants: a lift of each with an alert and a device, and one closed incident of both."""

from __future__ import annotations

import time
from dataclasses import replace

from alerts.escalation.policy import EscalationPolicy, EscalationStep
from alerts.incidents.actions import IncidentAction
from registry.actor import Actor
from registry.devices import LIFT, PASSWORD, Credential, Device
from registry.duty.roster import Override, Roster
from registry.roles import OrganisationKind, Role
from registry.scope import NAMING_FACTS
from store.records.identity.sessions import hashed
from store.records.repository import IncidentFilter, Records
from telemetry.batch import Refusal
from tests.alerts.rules import POWER, STOP, occurrence
from tests.dashboards.roles.documented import (
    BY,
    FOREIGN_SUMMARY,
    MINE,
    THEIRS,
)
from tests.dashboards.sample_fleet import T0_NS, facts


def open_tenants(records: Records) -> None:
    """Add two tenants: `MINE` names "Mine" in every fact, `THEIRS` names "Theirs".

    Each has an alert, and both had a loss of power, one incident that is closed. A stranger reported `MINE`.
    """
    for lift_id, name in ((MINE, "Mine"), (THEIRS, "Theirs")):
        records.put_lift(facts(lift_id, **dict.fromkeys(NAMING_FACTS, name)), BY, T0_NS)
    shared_incident(records)
    found = [
        replace(occurrence(STOP, "on", 10, lift_id=lift_id), district=f"d{lift_id[-1]}") for lift_id in (MINE, THEIRS)
    ]
    refused = [
        Refusal("not-json", "", f"lift/v1/d/{name}/door", b"?", T0_NS, position, name, name)
        for position, name in enumerate((MINE, THEIRS), start=3)
    ]
    made = [Device(name, LIFT, (name,), Credential(PASSWORD, "$7$hash")) for name in (MINE, THEIRS)]
    records.add_devices(made, Actor.named("test"), T0_NS)
    records.judge(position=4, occurrences=found, now_ns=T0_NS, refusals=refused)
    desk = records.add_organisation({"name": "Desk", "kind": OrganisationKind.OPERATOR}, BY, T0_NS)
    records.add_person("Root", "root", {desk.organisation_id: Role.ADMINISTRATOR}, BY, T0_NS)
    records.report_publicly(MINE, "out-of-order", None, "reported", T0_NS)


def shared_incident(records: Records) -> None:
    """Open, merge and close one incident of both lifts, whose summary is that of the foreign one."""
    for position, kind in ((1, "on"), (2, "off")):
        power = [
            replace(
                occurrence(POWER, kind, position, lift_id=one, evidence={"speed_mps": speed}), district=f"d{one[-1]}"
            )
            for one, speed in ((THEIRS, 9.99), (MINE, 1.11))
        ]
        records.judge(position=position, occurrences=power, now_ns=T0_NS)
    theirs, mine = (
        records.incidents(IncidentFilter(lift_id=(lift_id,))).items[0].incident.id for lift_id in (THEIRS, MINE)
    )
    merged = records.merge_incidents(theirs, mine, BY, T0_NS)
    assert merged is not None
    assert {lift.lift_id for lift in merged.lifts} == {MINE, THEIRS}
    assert FOREIGN_SUMMARY in merged.summary["en"]
    records.act_on_incident(theirs, IncidentAction("close", BY, reason="repaired"), T0_NS)


def identities(records: Records, name: str) -> dict[str, str]:
    """Create a machine account with a token, a roster and a policy in an organisation; return their ids."""
    (found,) = (each for each in records.organisations() if each.name == name)
    robot = records.add_person(
        "Robot", f"robot-{name}", {found.organisation_id: Role.VIEWER}, BY, T0_NS, is_machine=True
    )
    assert robot is not None
    now_ns = time.time_ns()
    secret = records.add_token(robot.person_id, found.organisation_id, "t", 2 * now_ns, BY, now_ns)
    about = {"person_id": robot.person_id, "organisation_id": found.organisation_id}
    return {**about, **duty_ids(records, found.organisation_id), "token_id": hashed(secret), "form": "disabled"}


def duty_ids(records: Records, organisation_id: str) -> dict[str, str]:
    """Create a roster with an override and a calendar link, and a policy; return their ids."""
    roster = records.add_roster(Roster("", organisation_id, "Nights", "UTC"), BY, T0_NS)
    changed = records.add_override(roster.roster_id, Override("", T0_NS, T0_NS + 1, ("ann",)), BY, T0_NS)
    secret = records.add_calendar_link(roster.roster_id, None, BY, T0_NS)
    assert changed is not None
    assert secret is not None
    step = EscalationStep(("on-duty",))
    policy = records.add_policy(
        lambda _: (EscalationPolicy("", organisation_id, "Calls", (step,)), []), organisation_id, None, BY, T0_NS
    )
    override_id = changed.overrides[0].override_id
    link = {"roster_id": roster.roster_id, "override_id": override_id, "link_id": hashed(secret)}
    return {**link, "policy_id": policy.policy_id}
