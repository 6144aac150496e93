"""Links that answer an incident without sign-in: once, within half an hour, and in the name of one person."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from alerts.incidents.actions import IncidentAction
from alerts.incidents.incident import Incident
from alerts.incidents.rescuing import RescueStep
from registry.roles import OrganisationKind, Role
from store.records.outbox.answer_links import LINK_LIVES_NS
from store.records.repository import ACCEPT, ACKNOWLEDGE, AuditFilter
from tests.dashboards.identity.accounts import BY, Accounts

PAGE = {"accept": "text/html"}


@pytest.fixture(name="incident")
def entrapment(accounts: Accounts) -> Incident:
    """An incident of a lift that the firm maintains."""
    opened = accounts.records.report_by_call("L001", "entrapment", None, BY, accounts.now_ns)
    assert opened is not None
    return opened


def link(accounts: Accounts, incident: Incident, action: str = ACKNOWLEDGE, age_ns: int = 0) -> str:
    """Return the path of a new link of the mechanic."""
    now_ns = accounts.now_ns - age_ns
    made = accounts.records.add_answer_links(accounts.mechanic.person_id, incident.id, (action,), now_ns)
    return f"/answer/{made[action]}"


def story(accounts: Accounts, incident: Incident) -> list[tuple[str, str | None, str | None]]:
    """Return kind, author and note of the entries after the first."""
    history = accounts.records.incident(incident.id)
    assert history is not None
    return [(entry.kind, entry.by, entry.note) for entry in history.story][1:]


def owner(accounts: Accounts, incident: Incident) -> str | None:
    """Return the owner of the incident now."""
    history = accounts.records.incident(incident.id)
    assert history is not None
    return history.visible.incident.owner


def test_looking_does_nothing_and_the_button_acknowledges_once(
    client: TestClient, accounts: Accounts, incident: Incident
) -> None:
    path = link(accounts, incident)
    for _ in range(2):  # a scanner of mail, then the person
        page = client.get(path, headers=PAGE)
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        assert "You answer as Mechanic." in page.text
        assert "Acknowledge: I take care of it" in page.text
    assert client.head(path).status_code == 200
    assert story(accounts, incident) == []
    done = client.post(path, headers=PAGE)
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert story(accounts, incident) == [("acknowledged", "Mechanic", "by link")]
    again = client.post(path, headers=PAGE)
    assert "Mechanic has answered by this link at " in again.text
    assert len(story(accounts, incident)) == 1
    row = accounts.records.audit(AuditFilter()).items[0]
    assert (row.action, row.by.name, row.by.organisation) == ("incident.ack", "Mechanic", "Firm")


def test_accepting_makes_the_person_the_owner_where_there_is_none(
    client: TestClient, accounts: Accounts, incident: Incident
) -> None:
    client.post(link(accounts, incident, ACCEPT), headers=PAGE)
    assert story(accounts, incident) == [
        ("acknowledged", "Mechanic", "by link"), ("assigned", "Mechanic", "by link"),
        ("accepted", "Mechanic", "by link"),
    ]  # fmt: skip
    assert owner(accounts, incident) == "mechanic"
    other = IncidentAction("assign", BY, to="Boss")
    accounts.records.act_on_incident(incident.id, other, accounts.now_ns)
    client.post(link(accounts, incident, ACCEPT), headers=PAGE)
    assert owner(accounts, incident) == "Boss"


def test_a_link_to_an_incident_that_was_merged_answers_the_one_that_it_is_part_of(
    client: TestClient, accounts: Accounts, incident: Incident
) -> None:
    other = accounts.records.report_by_call("L002", "out-of-order", None, BY, 2)
    assert other is not None
    path = link(accounts, incident)
    assert accounts.records.merge_incidents(other.id, incident.id, BY, 3) is not None
    assert client.post(path, follow_redirects=False).status_code == 303
    found = accounts.records.incident(other.id)
    assert found is not None
    assert found.visible.incident.acknowledged_ns is not None


def test_an_expired_and_an_unknown_link_say_so_in_both_languages(
    client: TestClient, accounts: Accounts, incident: Incident
) -> None:
    expired = link(accounts, incident, age_ns=LINK_LIVES_NS + 1)
    for path, status, en, zh in (
        (expired, 410, "This link has expired", "此链接已过期"),
        ("/answer/guessed", 404, "This link is not known", "无法识别此链接"),
    ):
        assert en in client.get(path, headers=PAGE).text
        for answer in (client.get(path, params={"lang": "zh"}), client.post(path, params={"lang": "zh"})):
            assert (answer.status_code, zh in answer.text) == (status, True)
        client.cookies.clear()
    assert story(accounts, incident) == []


def test_a_link_answers_no_more_where_the_person_may_not(
    client: TestClient, accounts: Accounts, incident: Incident
) -> None:
    path, organisation = link(accounts, incident), accounts.firm.organisation_id
    accounts.records.set_role(accounts.mechanic.person_id, organisation, Role.VIEWER, BY, accounts.now_ns)
    assert client.post(path, headers=PAGE).status_code == 403
    assert "L001" not in client.get(path, headers=PAGE).text
    accounts.records.change_person(accounts.mechanic.person_id, {"is_disabled": True}, BY, accounts.now_ns)
    assert client.post(path, headers=PAGE).status_code == 404
    foreign = accounts.records.add_answer_links(
        accounts.stranger.person_id, incident.id, (ACKNOWLEDGE,), accounts.now_ns
    )
    assert client.post(f"/answer/{foreign[ACKNOWLEDGE]}", headers=PAGE).status_code == 403
    assert story(accounts, incident) == []


def test_a_closed_incident_is_not_answered(client: TestClient, accounts: Accounts, incident: Incident) -> None:
    path = link(accounts, incident)
    close = IncidentAction("close", BY, reason="test")
    accounts.records.act_on_incident(incident.id, close, accounts.now_ns)
    assert "This incident is over" in client.post(path, headers=PAGE).text
    assert [kind for kind, *_ in story(accounts, incident)] == ["closed"]


def test_another_site_cannot_press_the_button(client: TestClient, accounts: Accounts, incident: Incident) -> None:
    path = link(accounts, incident)
    assert client.post(path, headers={"origin": "https://evil.example"}).status_code == 403
    assert story(accounts, incident) == []


def test_the_page_names_no_lift_of_others_of_a_shared_incident(client: TestClient, accounts: Accounts) -> None:
    records = accounts.records
    for lift_id in ("L001", "L002"):
        records.patch_lift(lift_id, {"name": f"Tower {lift_id}", "address": f"Road {lift_id}"}, BY, accounts.now_ns)
    own, foreign = (
        records.report_by_call(lift_id, kind, None, BY, accounts.now_ns)
        for lift_id, kind in (("L001", "out-of-order"), ("L002", "entrapment"))
    )
    assert own is not None
    assert foreign is not None
    shared = records.merge_incidents(foreign.id, own.id, BY, accounts.now_ns)
    assert shared is not None
    assert shared.lift_id == "L002"
    path = link(accounts, shared)
    for _ in range(2):  # before and after the answer
        page = client.get(path, headers=PAGE).text
        assert "Tower L001" in page
        assert "L002" not in page
        assert "Somebody may be inside" not in page, "they are in the lift of others"
        client.post(path, headers=PAGE)
    step = RescueStep("call-out", who="Third")
    records.act_on_incident(shared.id, IncidentAction("call-out", BY, rescue=step), accounts.now_ns)
    third = records.add_organisation({"name": "Third", "kind": OrganisationKind.MAINTENANCE_FIRM}, BY, accounts.now_ns)
    helper = accounts.add("helper", third, Role.MECHANIC)
    made = records.add_answer_links(helper.person_id, shared.id, (ACKNOWLEDGE,), accounts.now_ns)
    page = client.get(f"/answer/{made[ACKNOWLEDGE]}", headers=PAGE).text
    assert "Tower L002" in page, "who is called out sees the lift that holds people"
    assert "L001" not in page


def test_who_helps_takes_nothing_up_without_accepting_and_answers_no_more_after_declining(
    client: TestClient, accounts: Accounts, incident: Incident
) -> None:
    records = accounts.records
    third = records.add_organisation({"name": "Third", "kind": OrganisationKind.MAINTENANCE_FIRM}, BY, accounts.now_ns)
    helper = accounts.add("helper", third, Role.MECHANIC)
    for step in (RescueStep("call-out", who="Third"), None, RescueStep("decline", number=1, reason="busy")):
        if step is not None:
            records.act_on_incident(incident.id, IncidentAction(step.kind, BY, rescue=step), accounts.now_ns)
        made = records.add_answer_links(helper.person_id, incident.id, (ACKNOWLEDGE, ACCEPT), accounts.now_ns)
        if step is None:
            client.post(f"/answer/{made[ACKNOWLEDGE]}", headers=PAGE)
    found = records.incident(incident.id)
    assert found is not None
    assert (found.visible.incident.acknowledged_ns, found.story[-2].kind) == (None, "commented")
    assert [client.get(f"/answer/{made[action]}", headers=PAGE).status_code for action in made] == [403, 403]


def test_who_accepted_by_a_link_enters_the_arrival_at_the_code_without_signing_in(
    client: TestClient, accounts: Accounts, incident: Incident
) -> None:
    accounts.records.report_by_call("L002", "entrapment", None, BY, accounts.now_ns)
    assert "/arrival" not in client.get("/code/L001", headers=PAGE).text
    assert client.post("/code/L001/arrival", data={"place": "car"}).status_code == 404
    client.post(link(accounts, incident, ACCEPT), headers=PAGE)
    page = client.get("/code/L001", headers=PAGE).text
    assert ("/code/L001/arrival" in page, "/sign-in" in page) == (True, False)
    assert "You answer as Mechanic." in page
    label = accounts.records.label_proof("L001", "machine-room")
    scanned = client.get(f"/code/L001?label={label}", headers=PAGE).text
    assert "I have arrived, in the machine room" in scanned
    assert "/arrival" not in client.get("/code/L002", headers=PAGE).text
    assert client.post("/code/L001/arrival", data={"label": label}).status_code == 303
    assert story(accounts, incident)[-1] == ("arrived", "Mechanic", "by link")
    proven = accounts.records.public_incident("L001")
    assert proven is not None
    assert [lift.proven for lift in proven.lifts] == ["machine-room"]
    assert client.get("/api/v1/lifts").status_code == 401


def test_an_arrival_by_a_link_ends_with_the_account(client: TestClient, accounts: Accounts, incident: Incident) -> None:
    client.post(link(accounts, incident, ACCEPT), headers=PAGE)
    accounts.records.change_person(accounts.mechanic.person_id, {"is_disabled": True}, BY, accounts.now_ns)
    assert client.post("/code/L001/arrival", data={"place": "car"}).status_code == 404
