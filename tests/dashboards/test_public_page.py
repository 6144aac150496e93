"""The pages for everybody: what they tell, reports with their receipts, photos, limits, and a phone with one bar."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi.testclient import TestClient
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete

from alerts.incidents.actions import IncidentAction
from alerts.incidents.rescuing import RescueStep
from dashboards.api.context import Settings
from dashboards.http.problem import Problem
from dashboards.http.request_guard import PHOTO_LIMIT_BYTES
from dashboards.pages.public import id_of, photo_of
from dashboards.pages.public_status import progress
from dashboards.pages.report_limits import take_report
from registry.actor import Actor
from store.records.incidents.tables import report_limits
from store.records.repository import IncidentFilter, Records
from tests.alerts.rules import S
from tests.dashboards.applications import Client, create_app
from tests.dashboards.browser_world import (
    fill,
    looking,
    open_browser,  # noqa: F401
    served,
)
from tests.notify.notifications import notified

ANN = Actor.named("Ann")
WEIGHT_LIMIT_BYTES = 30_000
GPS = 0x8825
FORM = "multipart/form-data"


@pytest.fixture(scope="module", name="world")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A fleet of fourteen; each test uses lifts of its own."""
    folder = tmp_path_factory.mktemp("public")
    return replace(fill(folder, 14), photos_dir=folder / "photos")


@pytest.fixture
def records(world: Settings) -> Iterator[Records]:
    with world.open_records() as opened:
        yield opened


@pytest.fixture
def client(world: Settings, records: Records) -> Iterator[TestClient]:
    """A client, before anybody has reported anything."""
    with records._database.writing() as connection:
        connection.execute(delete(report_limits))
    with Client(create_app(world), base_url="http://localhost", follow_redirects=False) as asking:
        yield asking


def once_of(html: str) -> str:
    (found,) = re.findall(r'name="once" value="([\w-]+)"', html)
    return found


def send(client: TestClient, lift_id: str, what: str = "entrapment", note: str = "", once: str = "") -> str:
    """Send the form of a lift; return the address of the receipt."""
    once = once or once_of(client.get(f"/code/{lift_id}/report").text)
    answer = client.post(f"/code/{lift_id}/report", data={"what": what, "note": note, "once": once})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def photograph(width: int = 3000, height: int = 2000) -> bytes:
    """Return a photo whose metadata names a place and a comment."""
    exif = Image.Exif()
    exif.get_ifd(GPS)[1] = "N"
    exif[0x010E] = "taken by Ann"
    written = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(written, "JPEG", exif=exif, comment=b"secret")
    return written.getvalue()


def test_a_report_that_is_sent_twice_is_one_report_with_one_receipt(client: TestClient, records: Records) -> None:
    once = once_of(client.get("/code/L000/report").text)
    first, again = (send(client, "L000", note=" stuck\nat 4 ", once=once) for _ in range(2))
    assert first == again
    assert send(client, "L000", note="another", once=once) != first
    page = client.get(first)
    assert "stuck at 4" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["refresh"] == "30"
    incident = records.public_incident("L000")
    assert incident is not None
    assert (incident.kind, incident.unconfirmed, incident.unanswered) == ("entrapment", True, 2)
    assert first.split("/")[-1] not in str([*records.public_reports_of(incident.id)])


def test_the_public_pages_tell_how_far_the_rescue_is_and_the_answer(client: TestClient, records: Records) -> None:
    receipt = send(client, "L004", note="Mei is inside")
    assert "Somebody reported that a person is inside" in client.get("/code/L004").text
    incident = records.public_incident("L004")
    assert incident is not None
    notified(records, incident.id, "Bob", time.time_ns())
    for stage in ("dispatched", "on-site", "released"):
        records.act_on_incident(incident.id, IncidentAction("stage", ANN, stage=stage), time.time_ns())
    for path in ("/code/L004", receipt):
        text = client.get(path).text
        for told in ("Help was called at", "on its way since", "Help arrived at", "Everybody was out at"):
            assert told in text, (path, told)
        for person in ("Ann", "Bob", "Firm"):
            assert person not in text, (path, person)
    assert "Mei" not in client.get("/code/L004").text
    closing = IncidentAction("close", ANN, reason="released", answer="Out & well. <b>Thanks</b>")
    records.act_on_incident(incident.id, closing, time.time_ns())
    assert "Out &amp; well. &lt;b&gt;Thanks" in client.get(receipt).text
    assert "Closed at" in client.get(receipt).text
    assert "Closed at" not in client.get("/code/L004").text
    chinese = client.get(receipt, headers={"Accept-Language": "zh-CN"}).text
    assert "人员已全部救出" in chinese


def test_a_rescue_in_an_older_ticket_is_told_from_its_own_beginning(client: TestClient, records: Records) -> None:
    now_ns = time.time_ns()
    incident_id = records.report_by_call("L005", "out-of-order", None, ANN, now_ns - 7200 * S).id
    notified(records, incident_id, "Bob", now_ns - 7100 * S)
    records.act_on_incident(incident_id, IncidentAction("ack", ANN), now_ns - 7000 * S)
    receipt = send(client, "L005")
    assert not any("Help was called" in client.get(path).text for path in ("/code/L005", receipt))
    incident = records.public_incident("L005")
    assert incident is not None
    ((key, at_ns),) = progress(incident, now_ns)
    assert key == "reported"
    assert at_ns >= now_ns
    notified(records, incident_id, "Bob", now_ns + 60 * S)
    assert "Help was called at" in client.get(receipt).text
    comes = IncidentAction("accept", ANN, rescue=RescueStep("accept", expected_ns=now_ns + 600 * S))
    coming = records.act_on_incident(incident_id, comes, now_ns + 90 * S)
    assert coming is not None
    told = [dict(progress(coming, now_ns + at_s * S)) for at_s in (600, 601)]
    assert [{"expected", "late"} & each.keys() for each in told] == [{"expected"}, {"late"}]


def test_what_is_no_report_is_refused_on_the_form_itself(client: TestClient, records: Records) -> None:
    for what in ("", "unsafe", "closed"):
        refused = client.post("/code/L006/report", data={"what": what, "note": "kept <text>"})
        assert (refused.status_code, "press one of the two buttons" in refused.text) == (422, True)
        assert "kept &lt;text&gt;" in refused.text
    foreign = client.post("/code/L006/report", data={"what": "entrapment"}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert client.post("/code/none/report", data={"what": "entrapment"}).status_code == 404
    assert client.post("/code/L006/report", json={"what": "entrapment"}).status_code == 422
    assert client.get("/reports/guess").status_code == 404
    assert records.public_incident("L006") is None


def test_strangers_cannot_flood_the_desk(client: TestClient, records: Records) -> None:
    statuses = [
        client.post(f"/code/{lift_id}/report", data={"what": what, "note": f"{n}"}).status_code
        for n in range(5) for lift_id in ("L007", "L009", "L010") for what in ("entrapment", "out-of-order")
    ]  # fmt: skip
    assert (statuses.count(303), statuses.count(429)) == (9, 21)
    refused = client.post("/code/L007/report", data={"what": "entrapment"})
    assert "press the alarm button in the car or call" in refused.text
    assert "tel:+85223456789" in refused.text
    for lift_id in ("L007", "L009", "L010"):
        assert len(records.incidents(IncidentFilter(lift_id=(lift_id,))).items) == 1


def test_somebody_inside_is_heard_although_a_flood_was_closed_as_a_false_alarm(
    client: TestClient, records: Records
) -> None:
    now_ns = time.time_ns()
    flood = [take_report(records, f"10.{n}.0.1", "L013", "entrapment", now_ns) for n in range(20)]
    assert all(flood), "nobody is refused before an incident is open"
    send(client, "L013")
    while take_report(records, f"11.{len(flood)}.0.1", "L013", "entrapment", now_ns):
        flood.append(True)
    incident = records.public_incident("L013")
    assert incident is not None
    false_alarm = IncidentAction("close", ANN, reason="false-alarm", answer="nobody was there")
    records.act_on_incident(incident.id, false_alarm, now_ns)
    assert take_report(records, "12.0.0.1", "L013", "entrapment", now_ns)


def test_a_photo_is_encoded_anew_and_seen_by_the_desk_alone(
    client: TestClient, records: Records, world: Settings
) -> None:
    receipt = send(client, "L011", "out-of-order")
    kept = client.post(f"{receipt}/photo", files={"photo": ("x.svg", photograph(), "image/svg+xml")})
    assert (kept.status_code, kept.headers["location"]) == (303, receipt)
    assert "A photo was received" in client.get(receipt).text
    incident = records.public_incident("L011")
    assert incident is not None
    (report,) = client.get(f"/api/v1/incidents/{incident.id}").json()["reports"]
    assert report["photo"] is True
    shown = client.get(f"/api/v1/incidents/{incident.id}/reports/{report['number']}/photo")
    assert (shown.headers["content-type"], shown.headers["x-content-type-options"]) == ("image/jpeg", "nosniff")
    with Image.open(io.BytesIO(shown.content)) as image:
        assert (image.size, dict(image.getexif()), "comment" in image.info) == ((1600, 1067), {}, False)
    client.post(f"{receipt}/photo", files={"photo": ("y.jpg", photograph(10, 10), "image/jpeg")})
    assert [entry["kind"] for entry in client.get(f"/api/v1/incidents/{incident.id}").json()["story"]] == [
        "opened", "photographed",
    ]  # fmt: skip
    assert world.photos_dir is not None
    (file,) = world.photos_dir.glob("*")
    assert file.name == f"{id_of(receipt.split('/')[-1])}.jpg"


@pytest.mark.parametrize(
    "sent", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff\xe0 not a photo", b"GIF89a" + b"\0" * 40]
)
def test_what_is_no_photo_is_refused_on_the_form(client: TestClient, sent: bytes) -> None:
    receipt = send(client, "L005", "out-of-order", note=repr(sent[:3]))
    refused = client.post(f"{receipt}/photo", files={"photo": ("x.jpg", sent, "image/jpeg")})
    assert (refused.status_code, "this is no photo" in refused.text) == (422, True)


def test_a_photo_beyond_its_limit_is_refused(client: TestClient) -> None:
    receipt = send(client, "L008", "out-of-order")
    large = client.post(f"{receipt}/photo", content=b"x" * (PHOTO_LIMIT_BYTES + 1))
    assert large.status_code == 413
    assert client.post("/code/L008/report", content=b"x" * 300_000).status_code == 413


@pytest.mark.parametrize("content_type", ["", FORM, f'{FORM}; boundary=""', "text/plain"])
def test_a_body_without_a_form_has_no_photo(content_type: str) -> None:
    with pytest.raises(Problem):
        photo_of(content_type, b"--x\r\nContent-Disposition: form-data; name=photo\r\n\r\n\r\n--x--")


def test_a_binary_file_of_a_form_arrives_as_it_was_sent() -> None:
    sent = bytes(range(256)) * 40 + b"\r\n\n\r--x"
    body = b'--xyz\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n' + sent + b"\r\n--xyz--\r\n"
    assert photo_of("multipart/form-data; boundary=xyz", body) == sent


def is_accessible(page: Page) -> None:
    """Require that a page is accessible and no wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_from_a_phone(
    browser: Browser, world: Settings, records: Records, language: str, tmp_path: Path
) -> None:
    lift_id = {"en": "L001", "zh": "L002"}[language]
    (tmp_path / "photo.jpg").write_bytes(photograph())
    with served(world) as address, looking(browser, address, width=390, language=language) as watched:
        page = watched.open(f"/code/{lift_id}")
        assert watched.weight_bytes() < WEIGHT_LIMIT_BYTES
        page.locator("a.report").click()
        page.locator("textarea").fill("门打不开" if language == "zh" else "The door does not open")
        page.locator("button[value=entrapment]").click()
        expect(page.locator("blockquote")).to_have_count(1)
        is_accessible(page)
        page.locator("a.report").click()
        is_accessible(page)
        page.locator("input[type=file]").set_input_files(tmp_path / "photo.jpg")
        page.locator("button.report").click()
        expect(page.locator(".faint").last).to_contain_text("照片" if language == "zh" else "A photo was received")
        incident = records.public_incident(lift_id)
        assert incident is not None
        answer = IncidentAction("answer", ANN, note="We are there in ten minutes.")
        records.act_on_incident(incident.id, answer, time.time_ns())
        page.reload()
        expect(page.locator("#answer + p")).to_have_text("We are there in ten minutes.")
        is_accessible(page)


@pytest.mark.browser
def test_the_desk_sees_reports_and_closes_with_an_answer(browser: Browser, world: Settings, records: Records) -> None:
    report = records.report_publicly("L012", "entrapment", "Stuck since noon", "from-the-desk-test", time.time_ns())
    assert report is not None
    with served(world) as address, looking(browser, address) as watched:
        watched.open("/").evaluate("() => localStorage.setItem('liftwatch.name', 'Ann')")
        page = watched.open(f"/incidents/{report.incident_id}")
        expect(page.locator(".p-reports")).to_contain_text("Stuck since noon")
        expect(page.locator(".p-head")).to_contain_text("unconfirmed")
        expect(page.locator(".story")).to_contain_text("Opened: Person may be trapped by the public page")
        page.keyboard.press("r")
        page.locator(".act-form [name=reason]").select_option("false-alarm")
        page.locator(".act-form [name=answer]").fill("Nobody was inside. Thank you.")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".p-reports")).to_contain_text("Answer: Nobody was inside. Thank you.")
        expect(page.locator(".story")).to_contain_text("Reports of the public page answered by Ann")
