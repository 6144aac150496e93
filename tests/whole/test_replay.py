"""The same messages sent to a new monitor give the same alerts; messages that the broker retained raise none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.loopback import until
from tests.whole.installation import DISTRICT, System, installed, wall_ms
from tests.whole.rule_stories import door_held_open, emergency_stop, entrapment_off_level, overtravel_top
from tests.whole.story import FEEDS

pytestmark = pytest.mark.broker

STORIES = {"entrapment": entrapment_off_level, "held": door_held_open, "top": overtravel_top, "stop": emergency_stop}
PLAYED = {f"replay-{what}-{feed}": (story, feed) for what, story in STORIES.items() for feed in FEEDS}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Another installation, whose broker retained two statuses from before."""
    old = {"seq": 1, "t": wall_ms() - 400_000, "online": True, "alarm": True, "mode": "normal"}
    retained = {
        f"lift/v1/{DISTRICT}/retained-old/status": old,
        f"lift/v1/{DISTRICT}/retained-new/status": old | {"t": wall_ms() - 20_000},
    }
    running = installed(tmp_path_factory.mktemp("fresh"), retained)
    yield running
    running.stop()


def lives(system: System, lift_id: str) -> list[dict[str, Any]]:
    """Return the transitions of a lift's alerts without the wall clock."""
    transitions = [{**alert, "noticed": None} for alert in system.voice.of(lift_id)]
    return sorted(transitions, key=lambda alert: (alert["id"], alert["count"], alert["state"] != "firing", str(alert)))


def test_a_replay_gives_its_alerts_the_same_ids(system: System, fresh: System) -> None:
    for running, one_by_one in ((system, False), (fresh, True)):
        running.register(*PLAYED)
        for lift_id, (story, feed) in PLAYED.items():
            running.voice.play(lift_id, story(), feed)
            if one_by_one:
                running.voice.ended(lift_id)
        running.voice.ended(*PLAYED)
    for lift_id in PLAYED:
        assert lives(system, lift_id) == lives(fresh, lift_id)
        assert len(lives(system, lift_id)) > 1


def test_a_retained_status_that_is_old_sets_the_state_and_raises_nothing(fresh: System) -> None:
    until(lambda: bool(fresh.voice.of("retained-new", "alarm-button")), "the press that is new")
    until(lambda: fresh.http.get("/api/v1/lifts/retained-old").status_code == 200, "the old one")
    until(lambda: fresh.get("/api/v1/lifts/retained-old")["latest"]["mode"] == "normal", "its state")
    assert fresh.voice.of("retained-old") == []
