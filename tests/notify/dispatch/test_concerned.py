"""Who lost the role for a lift, or whose firm lost the lift, is not notified about it any more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts.incidents.actions import IncidentAction
from alerts.incidents.rescuing import RescueStep
from alerts.notification import NotifiedLift
from registry.roles import OrganisationKind
from store.records.repository import Records
from tests.alerts.incidents.desk import ENTRAPMENT
from tests.alerts.rules import DISTRICT, LIFT, T0
from tests.notify.dispatch.reached import Driven
from tests.notify.escalation.firm import CalledFirm
from tests.notify.notifications import notification
from tests.store.identity.identities import BY, organisation, person


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    with Records.open(records_url) as opened:
        yield opened


def test_only_who_has_the_lift_still_or_is_called_out_is_notified(records: Records) -> None:
    firm = CalledFirm(records)
    former = firm.person("former", reachable=False)
    helper = person(records, "helper", organisation(records, "Point", OrganisationKind.MAINTENANCE_FIRM))
    incident_id = firm.open_incident(ENTRAPMENT)
    called_out = IncidentAction("call-out", BY, rescue=RescueStep("call-out", who="Point", level=2))
    records.act_on_incident(incident_id, called_out, T0)
    records.set_role(former.person_id, firm.organisation.organisation_id, None, BY, T0)
    driven = Driven(records, {})
    about = {"incident_id": incident_id, "lift": NotifiedLift(LIFT, DISTRICT)}

    def failures(key: str) -> list[str | None]:
        """Notify each of them, who have no way, and return why each was not reached."""
        people = (firm.ada, former, helper)
        records.add_notifications(
            [notification(key=f"{key}:{each.login}", person_id=each.person_id, **about) for each in people], T0
        )
        driven.round()
        found = {each.notification.key: each.error for each in records.failed_notifications(T0)}
        return [found[f"{key}:{each.login}"] for each in people]

    assert failures("before") == ["no-way", "not-concerned", "no-way"]
    records.patch_lift(LIFT, {"maintenance_firm": "Other"}, BY, T0)
    assert failures("moved") == ["not-concerned", "not-concerned", "no-way"]
    records.delete_lift(LIFT, BY, T0)
    assert failures("deleted") == ["no-way", "not-concerned", "no-way"]
