"""Lists of lifts: states, sort orders, filters, and cursors that stay valid while the fleet changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.incidents.actions import Call, IncidentAction, on_action, on_call
from alerts.incidents.reports import on_report
from alerts.incidents.wire import incident_json
from dashboards.http.cursor import decode_cursor, encode_cursor
from dashboards.http.problem import Problem
from dashboards.live.fleet_view import STATES, FleetView, fleet_view, lift_index
from dashboards.live.lift_incidents import lifts_of_incident, worst_by_lift
from dashboards.live.listing import LiftListing, LiftQuery
from dashboards.live.published import PublishedLifts
from registry.actor import Actor
from registry.fact_checks import BAROMETER
from registry.scope import ALL_LIFTS
from telemetry import instant
from telemetry.streams import INSPECTION, NEVER_SEEN, OFFLINE, ONLINE, OUT_OF_SERVICE, SUSPECT
from tests.dashboards.sample_fleet import T0_NS, alert, facts, registered, table

S_NS = 1_000_000_000


def view_of(count: int = 6, **columns: object) -> FleetView:
    """Return a picture of `count` lifts L000, L001, … with these columns of the live table."""
    live = table(count, **columns)
    return fleet_view(
        T0_NS, lift_index([registered(facts(lift_id)) for lift_id in live.lift_id.tolist()], live), live, {}
    )


def ids_of(view: FleetView, query: LiftQuery, limit: int = 1000) -> list[str]:
    return [view.lift_index.lift_id[row] for row in LiftListing(view).page(query, limit, None)[0]]


def walk(view: FleetView, query: LiftQuery, limit: int) -> list[str]:
    """Follow the cursors from the first page to the last."""
    listing, cursor, found = LiftListing(view), None, []
    while True:
        rows, cursor = listing.page(query, limit, cursor)
        found += [view.lift_index.lift_id[row] for row in rows]
        if cursor is None:
            return found


def test_the_state_of_a_lift_is_the_first_that_holds() -> None:
    live = table(
        11,
        link=np.array([OFFLINE, NEVER_SEEN, OFFLINE, SUSPECT, ONLINE, ONLINE, ONLINE, ONLINE, ONLINE, ONLINE, SUSPECT]),
        mode=np.array([INSPECTION] * 8 + [OUT_OF_SERVICE, 0.0, INSPECTION]),
        blind=np.array(["units", *[""] * 9, "clock-behind"]),
        blind_since_ns=np.array([T0_NS, *[0] * 9, T0_NS + 1]),
    )
    severity = {0: "critical", 1: "major", 2: "major", 3: "major", 4: "major", 5: "minor", 6: "trend", 10: "major"}
    alerts = {f"L{row:03}": [alert(f"L{row:03}", severity=name)] for row, name in severity.items()}
    view = fleet_view(
        T0_NS, lift_index([registered(facts(name)) for name in live.lift_id.tolist()], live), live, alerts
    )
    assert [STATES[code] for code in view.state] == [
        "critical", "never-seen", "offline", "suspect", "major", "minor", "trend", "inspection", "out-of-service",
        "normal", "blind",
    ]  # fmt: skip
    assert view.item(10, ALL_LIFTS)["since"] == instant.text(T0_NS + 1)


def test_a_lift_is_as_urgent_as_an_open_incident_that_its_alerts_do_not_show() -> None:
    live = table(5, blind=np.array(["", "", "units", "", ""]), blind_since_ns=np.array([0, 0, T0_NS, 0, 0]))
    desk, ns = Actor.named("desk"), T0_NS + S_NS
    inside = on_call(None, Call("L002", "d0", "entrapment", desk), T0_NS).incident
    freed = on_action(
        on_call(None, Call("L001", "d0", "entrapment", desk), T0_NS).incident,
        IncidentAction("stage", desk, stage="released"),
        ns,
    )
    assert freed is not None
    closed = on_action(
        on_call(None, Call("L003", "d0", "nuisance", desk), T0_NS).incident,
        IncidentAction("close", desk, reason="false-alarm"),
        ns,
    )
    assert closed is not None
    reported = on_report(None, "L004", "d0", "out-of-order", None, T0_NS).incident
    known = {
        each.id: lifts_of_incident(incident_json(each)) for each in (inside, freed.incident, closed.incident, reported)
    }
    view = fleet_view(T0_NS, lift_index([], live), live, {}, incidents=worst_by_lift(known))
    assert [STATES[code] for code in view.state] == ["normal", "major", "critical", "normal", "major"]
    item = view.item(2, ALL_LIFTS)
    assert item["incident"] == {
        "id": inside.id, "kind": "entrapment", "severity": "critical", "opened": instant.rfc3339(T0_NS),
        "holds_people": True,
    }  # fmt: skip
    assert (item["since"], view.item(3, ALL_LIFTS)["incident"]) == (instant.text(T0_NS), None)
    before = PublishedLifts()
    before.update(fleet_view(T0_NS, view.lift_index, live, {}), 1)
    assert before.update(view, 2).tolist() == [1, 2, 4]


def test_a_blind_lift_has_a_reason_a_time_and_a_remedy() -> None:
    live = table(3, blind=np.array(["", "units", "depth"]), blind_since_ns=np.array([0, T0_NS, T0_NS]))
    view = fleet_view(T0_NS, lift_index([], live), live, {})
    assert view.item(0, ALL_LIFTS)["blind"] is None
    units, depth = view.item(1, ALL_LIFTS)["blind"], view.item(2, ALL_LIFTS)["blind"]
    assert (units["reason"], units["since"]) == ("units", instant.text(T0_NS))
    assert "send m/s and m" in units["text"]["en"]
    assert "(depth)" in depth["text"]["zh"].replace("（", "(").replace("）", ")")


def test_a_registered_lift_without_messages_is_never_seen() -> None:
    view = fleet_view(T0_NS, lift_index([registered(facts("QUIET"))], table(0)), table(0), {})
    item = view.item(0, ALL_LIFTS)
    assert (item["state"], item["last_seen"], item["speed_mps"], item["door"]) == ("never-seen", None, None, None)


def test_an_unregistered_lift_is_listed_with_the_district_of_its_topic() -> None:
    item = fleet_view(T0_NS, lift_index([], table(1)), table(1), {}).item(0, ALL_LIFTS)
    assert (item["registered"], item["district"], item["floor"]) == (False, "d0", None)


def test_the_district_of_the_registry_takes_precedence_over_the_topic() -> None:
    live = table(1)
    view = fleet_view(T0_NS, lift_index([registered(replace(facts("L000"), district="other"))], live), live, {})
    assert view.item(0, ALL_LIFTS)["district"] == "other"


def test_unknown_readings_are_null_and_never_zero() -> None:
    item = view_of(1, position_m=np.array([np.nan]), door=np.array([np.nan]), landing=np.array([-1])).item(0, ALL_LIFTS)
    assert (item["position_m"], item["door"], item["floor"]) == (None, None, None)


def test_lifts_are_sorted_by_urgency_then_by_duration() -> None:
    live = table(4)
    alerts = {
        "L001": [alert("L001", severity="major", onset_ns=T0_NS + 5 * S_NS)],
        "L002": [alert("L002", severity="major", onset_ns=T0_NS)],
        "L003": [alert("L003", severity="critical", onset_ns=T0_NS + 9 * S_NS)],
    }
    view = fleet_view(T0_NS, lift_index([], live), live, alerts)
    assert ids_of(view, LiftQuery()) == ["L003", "L002", "L001", "L000"]


@pytest.mark.parametrize("sort", ["state", "-state", "lift_id", "-lift_id", "name", "-name", "district", "-last_seen"])
@pytest.mark.parametrize("limit", [1, 3, 7, 50])
def test_pagination_returns_every_lift_once_in_the_order_of_one_long_page(sort: str, limit: int) -> None:
    rng = np.random.default_rng(7)
    view = view_of(37, link=rng.integers(0, 3, 37), last_seen_ns=T0_NS + rng.integers(0, 5, 37) * S_NS)
    assert walk(view, LiftQuery(sort=sort), limit) == ids_of(view, LiftQuery(sort=sort))
    assert sorted(walk(view, LiftQuery(sort=sort), limit)) == view.lift_index.lift_id


def test_a_cursor_stays_valid_when_lifts_disappear_between_pages() -> None:
    before = view_of(9)
    rows, cursor = LiftListing(before).page(LiftQuery(sort="lift_id"), 3, None)
    live = table(9)
    kept = [row for row in range(9) if row not in (1, 2, 3)]
    live = replace(live, **{name: getattr(live, name)[kept] for name in live.__slots__})
    after = fleet_view(T0_NS, lift_index([], live), live, {})
    rows, _ = LiftListing(after).page(LiftQuery(sort="lift_id"), 3, cursor)
    assert [after.lift_index.lift_id[row] for row in rows] == ["L004", "L005", "L006"]


def test_filters_are_combined() -> None:
    view = view_of(8, link=np.array([OFFLINE] * 4 + [ONLINE] * 4))
    assert ids_of(view, LiftQuery(state="offline", district="d0")) == ["L000", "L002"]
    assert ids_of(view, LiftQuery(firm="Firm 1", sort="lift_id")) == ["L001", "L003", "L005", "L007"]
    assert ids_of(view, LiftQuery(q="l00", state="normal", sort="-lift_id")) == ["L007", "L006", "L005", "L004"]
    assert ids_of(view, LiftQuery(q="GARDEN road 3")) == ["L003"]
    assert ids_of(view, LiftQuery(q="nowhere")) == []
    assert ids_of(view, LiftQuery(lift_ids=("L005", "L002", "L999"), district="d0")) == ["L002"]


@given(st.text())
def test_an_invented_cursor_is_a_problem_with_a_remedy(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        decode_cursor(cursor, "scope", (int, str))
    assert refused.value.status_code == 400


def test_a_cursor_is_valid_only_for_its_own_query() -> None:
    cursor = encode_cursor([1, "a"], "one")
    assert decode_cursor(cursor, "one", (int, str)) == [1, "a"]
    with pytest.raises(Problem):
        decode_cursor(cursor, "other", (int, str))
    with pytest.raises(Problem):
        decode_cursor(cursor, "one", (str, str))


@given(st.integers(0, instant.LATEST_NS))
def test_an_instant_survives_its_text_to_the_millisecond(ns: int) -> None:
    text = instant.text(ns)
    assert text is not None
    assert instant.parse(text) == ns // 1_000_000 * 1_000_000
    assert instant.texts(np.array([ns])) == [text]


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2001-09-09T01:46:40Z", 1_000_000_000 * S_NS),
        ("2001-09-09t09:46:40.5+08:00", 1_000_000_000 * S_NS + S_NS // 2),
        ("2001-09-08T20:16:40.000000001-05:30", 1_000_000_000 * S_NS + 1),
        ("2016-12-31T23:59:60Z", 1_483_228_800 * S_NS),
        ("0001-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", instant.LATEST_NS),
    ],
)
def test_times_with_any_offset_are_one_instant(text: str, ns: int) -> None:
    assert instant.parse(text) == ns


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-11-22", "2026-11-22T08:15:02", "2026-13-22T08:15:02Z", "2026-11-22T25:15:02Z", "1763799302",
     "2026-11-22T08:15:02+24:00", "٢٠٢٦-11-22T08:15:02Z"],
)  # fmt: skip
def test_a_time_without_a_zone_or_a_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        instant.parse(text)


def test_only_a_change_over_its_tolerance_is_published() -> None:
    published = PublishedLifts()
    still = np.zeros(3)
    view = view_of(3, position_m=still)
    assert published.update(view, 1).tolist() == [0, 1, 2]
    assert published.update(shown_again(view, position_m=np.array([0.0, 0.004, 0.5])), 2).tolist() == [2]
    assert published.update(shown_again(view, position_m=np.array([0.0, 0.011, 0.5])), 3).tolist() == [1]
    assert published.update(shown_again(view, position_m=np.array([np.nan, 0.011, 0.5])), 4).tolist() == [0]
    assert published.since(2).tolist() == [0, 1]


def test_slow_drift_is_published() -> None:
    published, view = PublishedLifts(), view_of(1, position_m=np.zeros(1))
    published.update(view, 0)
    news = [published.update(shown_again(view, position_m=np.array([step * 0.004])), step).size for step in range(1, 7)]
    assert sum(news) == 2


def test_only_a_lift_that_is_new_or_has_changed_facts_is_published() -> None:
    published, live = PublishedLifts(), table(3)
    known = [registered(facts(name)) for name in ("L000", "L001")]
    published.update(fleet_view(T0_NS, lift_index(known, live), live, {}), 1)
    known = [registered(replace(known[0].facts, name="Renamed")), known[1], registered(facts("A-NEW"))]
    after = fleet_view(T0_NS, lift_index(known, live), live, {})
    assert [after.lift_index.lift_id[row] for row in published.update(after, 2)] == ["A-NEW", "L000"]


def test_a_car_outside_of_every_door_zone_is_between_two_floors() -> None:
    heights = np.array([-1.0, 0.2, 0.21, 2.79, 2.81, 8.5, 9.5, np.nan])
    view = view_of(len(heights), position_m=heights)
    between = [view.item(row, ALL_LIFTS)["between"] for row in range(len(heights))]
    assert between == [None, None, ["0", "1"], ["0", "1"], None, ["2", "3"], None, None]


def test_a_barometer_places_no_car_between_two_floors() -> None:
    live = table(1, position_m=np.array([1.5]))
    known = registered(facts("L000", position_source=BAROMETER))
    assert fleet_view(T0_NS, lift_index([known], live), live, {}).item(0, ALL_LIFTS)["between"] is None


def test_the_rule_of_a_lift_is_that_of_its_worst_alert_and_of_two_alike_the_first() -> None:
    open_alerts = [
        alert("L000", "minor", T0_NS - 9, rule="door-cycling"),
        alert("L000", "major", T0_NS, rule="emergency-stop"),
        alert("L000", "major", T0_NS - 1, rule="stop-outside-zone"),
    ]
    live = table(2)
    index = lift_index([registered(facts(name)) for name in live.lift_id.tolist()], live)
    view = fleet_view(T0_NS, index, live, {"L000": open_alerts})
    assert [view.item(row, ALL_LIFTS)["worst_rule"] for row in range(2)] == ["stop-outside-zone", None]
    published = PublishedLifts()
    published.update(view, 1)
    other = fleet_view(T0_NS, index, live, {"L000": [*open_alerts[:2], replace(open_alerts[2], rule="door-held-open")]})
    assert published.update(other, 2).tolist() == [0]


def shown_again(view: FleetView, **columns: object) -> FleetView:
    """Return the same fleet with other readings."""
    return fleet_view(view.as_of_ns, view.lift_index, replace(view.live, **columns), {})
