"""Every form of message, read back from the API, and every refusal, counted and listed as a dead letter."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest

from telemetry.instant import rfc3339
from tests.loopback import until
from tests.whole.installation import DISTRICT, System, wall_ms

pytestmark = pytest.mark.broker

HALF_MB = 1 << 19
FORMS = ("<f4", 85), ("<f8", 86), ("<i2", 77), ("<i4", 78)
ZONE = "2026-01-01T00:00:00Z"


def text(t_ms: float) -> str:
    return datetime.fromtimestamp(t_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def t_ms() -> int:
    """A minute ago, on a whole second: stored, and long in the past of everything."""
    return (wall_ms() - 60_000) // 1000 * 1000


def sampled(system: System, lift_id: str, stream: str, t_ms: int, channel: str) -> list[tuple[int, float]]:
    """Return (milliseconds after `t_ms`, mean) of each bucket that holds something."""
    found = system.get(
        f"/api/v1/lifts/{lift_id}/series",
        stream=stream,
        **{"from": text(t_ms), "to": text(t_ms + 10_000)},
        points=10_000,
    )
    pairs = zip(found["t"], found[channel]["mean"], strict=True)
    return [(since(at, t_ms), mean) for at, mean in pairs if mean is not None]


def since(at: str, t_ms: int) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1000) - t_ms


def events(system: System, lift_id: str, stream: str, t_ms: int) -> dict[str, Any]:
    found = system.get(
        f"/api/v1/lifts/{lift_id}/series", stream=stream, **{"from": text(t_ms - 1000), "to": text(t_ms + 10_000)}
    )
    return {**found, "at": [since(at, t_ms) for at in found["at"]]}


def known(system: System, lift_id: str) -> None:
    until(lambda: system.http.get(f"/api/v1/lifts/{lift_id}").status_code == 200, f"{lift_id} to be listed")


def stored(
    system: System, lift_id: str, stream: str, t_ms: int, channel: str, expected: list[tuple[int, float]]
) -> None:
    """Wait until a stream reads back as expected."""
    known(system, lift_id)
    rounded = [(at, pytest.approx(value, abs=1e-4)) for at, value in expected]
    try:
        until(lambda: sampled(system, lift_id, stream, t_ms, channel) == rounded, "the readings that were sent")
    except AssertionError:
        assert sampled(system, lift_id, stream, t_ms, channel) == expected


def test_a_message_of_a_single_stream_is_stored(system: System, t_ms: int) -> None:
    system.voice.send("w-speed", "speed", {"seq": 1, "t": t_ms, "dt": 100, "v": [0.0, 0.5, -1.0]})
    stored(system, "w-speed", "speed", t_ms, "v", [(0, 0.0), (100, 0.5), (200, -1.0)])
    system.voice.send("w-place", "displacement", {"seq": 1, "t": t_ms, "dt": 250, "z": [1, 2]})
    stored(system, "w-place", "displacement", t_ms, "z", [(0, 1.0), (250, 2.0)])


def test_a_number_is_read_as_an_array_of_one(system: System, t_ms: int) -> None:
    system.voice.send("w-scalar", "speed", {"seq": 1, "t": t_ms, "v": 1.5})
    system.voice.send("w-scalar", "displacement", {"seq": 2, "t": t_ms, "z": 4})
    system.voice.send("w-scalar", "door", {"seq": 3, "t": t_ms, "state": "open", "at": 20})
    system.voice.send("w-scalar", "infrared", {"seq": 4, "t": t_ms, "presence": 1})
    stored(system, "w-scalar", "speed", t_ms, "v", [(0, 1.5)])
    stored(system, "w-scalar", "displacement", t_ms, "z", [(0, 4.0)])
    until(lambda: events(system, "w-scalar", "infrared", t_ms)["at"] == [0], "the person")
    door = events(system, "w-scalar", "door", t_ms)
    assert (door["at"], door["state"]) == ([20], ["open"])
    assert events(system, "w-scalar", "infrared", t_ms)["presence"] == [True]


def test_null_is_not_a_reading(system: System, t_ms: int) -> None:
    system.voice.send("w-null", "speed", {"seq": 1, "t": t_ms, "dt": 100, "v": [1.0, None, 2.0]})
    stored(system, "w-null", "speed", t_ms, "v", [(0, 1.0), (200, 2.0)])


def test_streams_of_a_bundle_may_have_their_own_times(system: System, t_ms: int) -> None:
    body = {
        "seq": 1,
        "boot": 7,
        "t": t_ms,
        "dt": 500,
        "speed": {"v": [1.0, 1.25]},
        "displacement": {"t": t_ms + 40.5, "dt": 200, "z": [3.0, 3.2, 3.4]},
        "door": {"t": t_ms + 300, "at": [0, 400], "state": ["opening", "open"]},
        "infrared": {"at": [0, 10], "presence": [True, None], "curtain": [None, False]},
    }
    system.voice.send("w-bundle", "bundle", body)
    stored(system, "w-bundle", "speed", t_ms, "v", [(0, 1.0), (500, 1.25)])
    known(system, "w-bundle")
    until(lambda: len(sampled(system, "w-bundle", "displacement", t_ms, "z")) == 3, "three places")
    assert [z for _, z in sampled(system, "w-bundle", "displacement", t_ms, "z")] == [3.0, 3.2, 3.4]
    door = events(system, "w-bundle", "door", t_ms)
    assert (door["at"], door["state"]) == ([300, 700], ["opening", "open"])
    infrared = events(system, "w-bundle", "infrared", t_ms)
    assert (infrared["at"], infrared["presence"], infrared["curtain"]) == ([0, 10], [True, None], [None, False])


@pytest.mark.parametrize(("form", "tag"), FORMS)
def test_a_typed_array_in_cbor_is_stored(system: System, t_ms: int, form: str, tag: int) -> None:
    code = {"<f4": "<3f", "<f8": "<3d", "<i2": "<3h", "<i4": "<3i"}[form]
    packed = cbor2.CBORTag(tag, struct.pack(code, 0, 3, -2))
    payload = cbor2.dumps({"seq": 1, "t": t_ms, "dt": 100, "speed": {"v": packed}})
    lift_id = f"w-cbor-{tag}"
    system.voice.send(lift_id, "bundle", payload)
    stored(system, lift_id, "speed", t_ms, "v", [(0, 0.0), (100, 3.0), (200, -2.0)])


def test_plain_arrays_and_nan_in_cbor_are_read(system: System, t_ms: int) -> None:
    packed = cbor2.CBORTag(85, struct.pack("<3f", 1.5, float("nan"), 2.5))
    body = {"seq": 1, "t": float(t_ms), "speed": {"dt": 100, "v": packed}, "displacement": {"dt": 100, "z": [1, None]}}
    system.voice.send("w-cbor", "bundle", cbor2.dumps(body | {"door": {"state": "closed"}}))
    stored(system, "w-cbor", "speed", t_ms, "v", [(0, 1.5), (200, 2.5)])
    stored(system, "w-cbor", "displacement", t_ms, "z", [(0, 1.0)])


def test_each_lift_of_a_gateway_message_is_judged_by_itself(system: System, t_ms: int) -> None:
    before, count = letters(system, "missing-field"), counted(system, "missing-field")
    good = {"seq": 5, "boot": "b", "t": t_ms, "dt": 100, "speed": {"v": [0.5, 0.6]}}
    lifts = {"w-inner-1": good, "w-inner-2": {"t": t_ms, "speed": {}}, "w-inner-3": {**good, "note": "ignored"}}
    system.voice.send("w-gateway", "gateway", {"lifts": lifts, "made_by": "nobody"})
    stored(system, "w-inner-1", "speed", t_ms, "v", [(0, 0.5), (100, 0.6)])
    stored(system, "w-inner-3", "speed", t_ms, "v", [(0, 0.5), (100, 0.6)])
    until(lambda: len(letters(system, "missing-field")) == len(before) + 1, "the one refusal")
    assert "w-inner-2" in letters(system, "missing-field")[0]["detail"]
    until(lambda: counted(system, "missing-field") == count + 1, "the count of it, which comes later")
    assert system.http.get("/api/v1/lifts/w-gateway").status_code == 404


def test_vibration_is_returned_for_each_axis(system: System, t_ms: int) -> None:
    wave = [0.1, -0.2, 0.3, -0.4]
    system.voice.send("w-vibration", "vibration", {"seq": 1, "t": t_ms, "dt": 10, "x": wave, "y": wave, "z": wave})
    known(system, "w-vibration")

    def shown() -> dict[str, Any]:
        span = {"from": text(t_ms), "to": text(t_ms + 10_000)}
        return dict(system.get("/api/v1/lifts/w-vibration/series", stream="vibration", points=10, **span))

    until(lambda: any(least is not None for least in shown()["x"]["min"]), "the vibration")
    for axis in "xyz":
        assert min(least for least in shown()[axis]["min"] if least is not None) == pytest.approx(-0.4)
        assert max(most for most in shown()[axis]["max"] if most is not None) == pytest.approx(0.3)
    assert "v" not in shown()


def test_unknown_fields_are_ignored(system: System, t_ms: int) -> None:
    body = {"seq": 1, "t": t_ms, "speed": {"v": [1.0], "quality": {"deep": [1]}}, "weight": {"kg": 3}, "x": None}
    system.voice.send("w-more", "bundle", body)
    stored(system, "w-more", "speed", t_ms, "v", [(0, 1.0)])


def test_a_status_changes_only_the_fields_it_contains(system: System, t_ms: int) -> None:
    system.voice.send("w-status", "status", {"seq": 1, "t": t_ms, "online": True, "power": "mains", "mode": "fire"})
    system.voice.send("w-status", "status", {"seq": 2, "t": t_ms + 2000, "power": "battery", "firmware": "1.2"})
    system.voice.send("w-status", "status", {"seq": 3, "t": t_ms + 4000, "heartbeat_s": 30})
    until(lambda: latest(system, "w-status").get("power") == "battery", "the status")
    assert latest(system, "w-status")["mode"] == "fire"


def latest(system: System, lift_id: str) -> dict[str, Any]:
    answer = system.http.get(f"/api/v1/lifts/{lift_id}")
    return dict(answer.json()["latest"]) if answer.status_code == 200 else {}


def test_an_event_holds_across_silence_until_a_new_boot(system: System, t_ms: int) -> None:
    door, person = {"state": "open"}, {"presence": True}
    system.voice.send("w-holds", "bundle", {"seq": 1, "boot": "a", "t": t_ms, "door": door, "infrared": person})
    system.voice.send("w-holds", "bundle", {"seq": 2, "boot": "a", "t": t_ms + 9000, "speed": {"v": 0}})
    until(lambda: latest(system, "w-holds").get("speed_mps") == 0.0, "the speed")
    assert (latest(system, "w-holds")["door"], latest(system, "w-holds")["presence"]) == ("open", True)
    system.voice.send("w-holds", "bundle", {"seq": 0, "boot": "b", "t": t_ms + 10_000, "speed": {"v": 0.5}})
    until(lambda: latest(system, "w-holds").get("speed_mps") == 0.5, "the speed after the restart")
    assert (latest(system, "w-holds")["door"], latest(system, "w-holds")["presence"]) == (None, None)


def test_a_lower_seq_without_boot_is_a_restart_and_no_gap(system: System, t_ms: int) -> None:
    for seq, after_s in ((40, 0), (41, 1), (0, 2), (1, 3)):
        body = {"seq": seq, "t": t_ms + 1000 * after_s, "speed": {"v": after_s}}
        system.voice.send("w-restart", "bundle", body | ({"door": {"state": "open"}} if seq == 40 else {}))
    until(lambda: system.received("w-restart") == 4, "four messages")
    assert system.get("/api/v1/lifts/w-restart")["messages"]["gaps"] == 0
    until(lambda: latest(system, "w-restart")["speed_mps"] == 3.0, "the last speed")
    assert latest(system, "w-restart")["door"] is None


def test_a_repeat_changes_nothing_and_a_gap_is_counted(system: System, t_ms: int) -> None:
    for seq, v in ((1, 1.0), (2, 2.0), (1, 1.0), (5, 3.0)):
        after_s = {1: 0, 2: 1, 5: 2}[seq]
        system.voice.send("w-repeat", "bundle", {"seq": seq, "t": t_ms + 1000 * after_s, "speed": {"v": v}})
    stored(system, "w-repeat", "speed", t_ms, "v", [(0, 1.0), (1000, 2.0), (2000, 3.0)])
    until(lambda: system.received("w-repeat") == 4, "four messages")
    counted = {"received": 4, "gaps": 2, "repeats": 1, "late": 0, "steps": 0}
    assert system.get("/api/v1/lifts/w-repeat")["messages"] == counted


def test_a_clock_that_was_set_back_is_counted_and_its_messages_are_not_late(system: System, t_ms: int) -> None:
    for seq, after_ms in enumerate((0, 1000, -60_000, -59_000)):
        system.voice.send("w-step", "bundle", {"seq": seq, "t": t_ms + after_ms, "speed": {"v": 1.0}})
    until(lambda: system.received("w-step") == 4, "four messages")
    counted = {"received": 4, "gaps": 0, "repeats": 0, "late": 0, "steps": 1}
    assert system.get("/api/v1/lifts/w-step")["messages"] == counted


def test_late_readings_are_stored_and_counted_and_only_a_late_press_is_raised(system: System, t_ms: int) -> None:
    system.register("w-late")
    for k in range(12):
        speed = {"dt": 100, "v": [0.0] * 10}
        system.voice.send("w-late", "bundle", {"seq": 100 + k, "t": t_ms + 1000 * k, "speed": speed})
    until(lambda: latest(system, "w-late").get("speed_mps") == 0.0, "the speed")
    system.voice.send("w-late", "bundle", {"seq": 12, "t": t_ms + 250, "speed": {"dt": 200, "v": [8.0] * 4}})
    system.voice.send("w-late", "status", {"seq": 13, "t": t_ms + 300, "alarm": True})
    system.voice.send("w-late", "bundle", {"seq": 114, "t": t_ms + 20_000, "speed": {"v": 0.25}})
    until(lambda: latest(system, "w-late")["speed_mps"] == 0.25, "the last speed")
    until(lambda: (250, 8.0) in sampled(system, "w-late", "speed", t_ms, "v"), "the late speed")
    assert system.get("/api/v1/lifts/w-late")["messages"]["late"] == 2
    until(lambda: bool(system.voice.of("w-late")), "the late press")
    assert [(one["rule"], one["onset"]) for one in system.voice.of("w-late")] == [
        ("alarm-button", rfc3339((t_ms + 300) * 10**6))
    ]


def test_expired_readings_are_counted_and_not_stored(system: System) -> None:
    before = system.counter("liftwatch_monitor_expired_rows_total")
    system.voice.send("w-old", "bundle", {"seq": 1, "t": 1_514_764_800_000, "speed": {"dt": 10, "v": [1.0, 2.0]}})
    until(lambda: system.counter("liftwatch_monitor_expired_rows_total") >= before + 1, "the count of what expired")
    known(system, "w-old")
    assert sampled(system, "w-old", "speed", 1_514_764_800_000, "v") == []


def test_a_lift_is_judged_by_its_facts_from_its_first_message_after_it_was_registered(
    system: System, t_ms: int
) -> None:
    facts = {"district": DISTRICT, "rated_speed_mps": 1.0}
    for lift_id, v_mps in (("w-fresh", 1.5), ("w-patched", 2.5)):
        system.post("/api/v1/lifts", {"lift_id": lift_id, **facts}, 201)
        if lift_id == "w-patched":
            assert system.http.patch("/api/v1/lifts/w-patched", json={"rated_speed_mps": 2.0}).status_code == 200
        body = {"seq": 1, "t": t_ms, "speed": {"dt": 100, "v": [v_mps] * 10}}
        system.voice.send(lift_id, "bundle", body)
        until(lambda lift_id=lift_id: bool(system.voice.of(lift_id, "overspeed-up")), "the alert")
        (alert,) = system.voice.of(lift_id, "overspeed-up")
        assert alert["evidence"]["limit_mps"] == pytest.approx(1.15 if lift_id == "w-fresh" else 2.3)


def test_a_district_that_differs_from_the_registry_is_counted_and_ignored(system: System, t_ms: int) -> None:
    system.register("w-moved")
    before = system.counter("liftwatch_monitor_district_differs_total")
    system.voice.send("w-moved", "bundle", {"seq": 1, "t": t_ms, "speed": {"v": 1.0}}, district="elsewhere")
    until(lambda: system.counter("liftwatch_monitor_district_differs_total") == before + 1, "the count")
    assert latest(system, "w-moved")["district"] == DISTRICT


def letters(system: System, reason: str) -> list[dict[str, Any]]:
    return list(system.get("/api/v1/dead-letters", reason=reason, limit=1000)["items"])


def body(**more: Any) -> Callable[[int], bytes]:
    return lambda t_ms: json.dumps({"seq": 1, "t": t_ms} | more).encode()


def raw(content: str | bytes) -> Callable[[int], bytes]:
    return lambda t_ms: content if isinstance(content, bytes) else content.replace("T", str(t_ms)).encode()


BAD: dict[str, tuple[str, str, Callable[[int], bytes]]] = {
    "not-json": ("syntax", "bundle", raw("hello")),
    "broken-off": ("syntax", "bundle", raw('{"seq": 1, "t": T')),
    "empty": ("syntax", "bundle", raw("")),
    "array": ("type", "bundle", raw("[1]")),
    "seconds": ("clock-behind", "speed", lambda t_ms: json.dumps({"seq": 1, "t": t_ms // 1000, "v": 1}).encode()),
    "microseconds": ("clock-ahead", "speed", lambda t_ms: json.dumps({"seq": 1, "t": t_ms * 1000, "v": 1}).encode()),
    "no-dt": ("missing-field", "speed", body(v=[1, 2])),
    "no-body": ("missing-field", "speed", body()),
    "text-seq": ("type", "speed", raw('{"seq": "1", "t": T, "v": 1}')),
    "text-reading": ("type", "speed", body(v=["fast"], dt=1)),
    "flag-reading": ("type", "speed", body(v=True)),
    "unknown-state": ("type", "door", body(state="ajar")),
    "unknown-mode": ("type", "status", body(mode="party")),
    "text-alarm": ("type", "status", body(alarm="yes")),
    "nan": ("non-finite", "speed", raw('{"seq": 1, "t": T, "v": NaN}')),
    "infinite": ("non-finite", "speed", raw('{"seq": 1, "t": T, "v": [1e999], "dt": 1}')),
    "infinite-cbor": (
        "non-finite",
        "speed",
        lambda t_ms: cbor2.dumps({"seq": 1, "t": t_ms, "v": cbor2.CBORTag(85, struct.pack("<f", float("inf")))}),
    ),
    "uneven-axes": ("unequal-lengths", "vibration", body(dt=1, x=[1, 2], y=[1, 2], z=[1])),
    "uneven-events": ("unequal-lengths", "door", body(at=[0, 1], state=["open"])),
    "uneven-infrared": ("unequal-lengths", "infrared", body(at=[0, 1], presence=[1, 0], curtain=[1])),
    "no-dt-at-all": ("out-of-range", "speed", body(v=[1, 2], dt=0)),
    "backwards": ("out-of-range", "door", body(at=[5, 1], state=["open", "closed"])),
    "oversized": ("oversized", "bundle", lambda t_ms: json.dumps({"seq": 1, "t": t_ms, "x": "y" * HALF_MB}).encode()),
    "ahead": ("clock-ahead", "speed", lambda t_ms: json.dumps({"seq": 1, "t": wall_ms() + 310_000, "v": 1}).encode()),
}


@pytest.fixture(scope="session")
def refused(system: System) -> int:
    """Send every bad message, and a good one after each; return when the good ones began."""
    t_ms = (wall_ms() - 60_000) // 1000 * 1000
    reasons = [reason for reason, _, _ in BAD.values()]
    expected = {reason: counted(system, reason) + reasons.count(reason) for reason in reasons}
    for what, (_, stream, payload) in BAD.items():
        system.voice.publish(f"lift/v1/{DISTRICT}/bad-{what}/{stream}", payload(t_ms))
        system.voice.send(f"bad-{what}", "bundle", {"seq": 2, "t": t_ms, "speed": {"v": 1.0}})
    for reason in expected:
        until(lambda reason=reason: counted(system, reason) >= expected[reason], f"the count of {reason}")
    assert {reason: counted(system, reason) for reason in reasons} == expected
    return t_ms


def counted(system: System, reason: str) -> float:
    return system.counter("liftwatch_monitor_refused_total", kind=reason)


@pytest.mark.parametrize("what", BAD)
def test_a_refused_message_is_a_dead_letter_and_stops_nothing(system: System, refused: int, what: str) -> None:
    reason, stream, _ = BAD[what]
    topic = f"lift/v1/{DISTRICT}/bad-{what}/{stream}"
    (letter,) = [letter for letter in letters(system, reason) if letter["topic"] == topic]
    assert letter["reason"] == reason
    assert len(letter["detail"]) > 10
    assert letter["arrived"].endswith("Z")
    stored(system, f"bad-{what}", "speed", refused, "v", [(0, 1.0)])


def test_an_invalid_topic_is_refused(system: System, t_ms: int) -> None:
    topic = "lift/v1/ANJI/bad lift/speed"
    system.voice.publish(topic, {"seq": 1, "t": t_ms, "v": 1}).wait_for_publish(20)
    until(lambda: any(letter["topic"] == topic for letter in letters(system, "topic")), "the topic's refusal")


def test_a_time_up_to_five_minutes_ahead_is_accepted(system: System) -> None:
    t_ms = wall_ms() + 280_000
    system.voice.send("w-ahead", "speed", {"seq": 1, "t": t_ms, "v": 1.0})
    known(system, "w-ahead")
    until(lambda: (0, 1.0) in sampled(system, "w-ahead", "speed", t_ms, "v"), "the reading")


def test_dead_letters_are_newest_first_and_paged(system: System) -> None:
    for seq in range(3):
        system.voice.send("bad-paged", "speed", {"seq": seq})
    until(lambda: sum("bad-paged" in letter["topic"] for letter in letters(system, "missing-field")) == 3, "three")
    whole = system.get("/api/v1/dead-letters", limit=1000)["items"]
    assert [letter["arrived"] for letter in whole] == sorted((letter["arrived"] for letter in whole), reverse=True)
    paged, cursor = [], None
    while True:
        page = system.get("/api/v1/dead-letters", limit=7, **({"cursor": cursor} if cursor else {}))
        assert len(page["items"]) <= 7
        paged += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert paged == whole
    assert system.get("/api/v1/dead-letters", **{"from": ZONE, "to": ZONE[:-1] + ".001Z"})["items"] == []
