"""A rule file through a whole installation: MQTT, the API, the incident and the pages, with a hostile name escaped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker, mosquitto
from tests.loopback import until
from tests.whole.installation import System
from tests.whole.rule_stories import overspeed_minor
from tests.whole.test_rules import ALERT

pytestmark = pytest.mark.broker

HOSTILE = "</script><img src=x onerror=alert(1)>"
FILE = f"""
[brisk-ride]
code = "X01"
table = "rows"
severity = "minor"
when = "ABS(v) > 1.02 * rated_speed_mps"
hold_s = 1.0
incident = "out-of-order"
evidence.speed_mps = "ABS(v)"
evidence.limit_mps = "1.02 * rated_speed_mps"
codes.house = "B7"
name.en = "Brisk {HOSTILE}"
name.zh = "偏快"
sentence.en = "{HOSTILE} {{speed_mps:.2f}} m/s, limit {{limit_mps:.2f}} m/s"
sentence.zh = "速度 {{speed_mps:.2f}} m/s，限值 {{limit_mps:.2f}} m/s"

[of-the-barometer]
code = "X02"
table = "rows"
severity = "trend"
when = "top_m < 0"
name.en = "Never"
sentence.en = "{{top_m:.1f}} m"
"""
LIFT = "brisk"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder: Path = tmp_path_factory.mktemp("own")
    (folder / "own.toml").write_text(FILE, encoding="utf-8")
    more = f"[detection]\nrule_files = ['{folder / 'own.toml'}']\n"
    running = System(Broker(mosquitto(), folder), folder, more=more)
    running.register(LIFT)
    running.voice.play(LIFT, overspeed_minor())
    running.voice.ended(LIFT)
    yield running
    running.stop()


def test_its_alert_is_published_as_the_contract_has_it(own: System) -> None:
    fired, *others = own.voice.of(LIFT, "brisk-ride")
    assert {name for name in fired if name not in ALERT} <= {"thresholds_changed"}
    assert all(isinstance(fired[name], kind) for name, kind in ALERT.items())
    assert (fired["state"], fired["severity"], fired["codes"]) == ("firing", "minor", {"house": "B7"})
    assert fired["summary"]["zh"].startswith("速度 1.")
    assert fired["evidence"]["speed_mps"] > fired["evidence"]["limit_mps"] > 1.0
    assert others[-1]["state"] == "cleared"


def test_the_interface_lists_it_and_one_incident_holds_it(own: System) -> None:
    (alert,) = own.get("/api/v1/alerts", lift_id=LIFT, rule="brisk-ride")["items"]
    assert alert["id"] == own.voice.of(LIFT, "brisk-ride")[0]["id"]
    stories = [own.get(f"/api/v1/incidents/{one['id']}") for one in own.get("/api/v1/incidents", lift_id=LIFT)["items"]]
    assert [alert["id"] in str(story) for story in stories].count(True) == 1


def test_a_lift_without_its_facts_is_not_judged_by_it(own: System) -> None:
    own.register("bare", rated_speed_mps=None, floors=[])
    until(lambda: own.http.get("/api/v1/lifts/bare").status_code == 200, "the lift")
    missing = {each["rule"]: each["missing"] for each in own.get("/api/v1/lifts/bare")["not_judged"]}
    assert missing["brisk-ride"] == ["rated_speed_mps"]
    assert missing["of-the-barometer"] == ["floors"]


@pytest.mark.parametrize("page", ["/", f"/lifts/{LIFT}", "/alerts"])
def test_a_hostile_name_is_escaped_on_every_page(own: System, page: str) -> None:
    text = own.http.get(page, follow_redirects=True).text
    assert "<img src=x" not in text
    assert "\\u003c/script>\\u003cimg" in text or "&lt;/script&gt;" in text
