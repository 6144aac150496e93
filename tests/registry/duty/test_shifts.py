"""Who is on duty: turns, days, DST, overrides and gaps, held against a reading minute by minute."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.duty.civil_time import MINUTE_NS, day_from_text, day_text, instant_of, local_clock
from registry.duty.roster import EXCLUDED, ONLY, Override, Roster, Rotation
from registry.duty.shifts import DutyShift, gaps, now_and_next, on_duty, shifts
from telemetry.instant import DAY_NS, parse, rfc3339
from tests.registry.duty.naive_roster import people_by_minute

HOUR_NS = 60 * MINUTE_NS
A, B, C = ("a",), ("b",), ("c",)
MONDAY = day_from_text("2026-01-05")


def roster(*rotations: Rotation, zone: str = "Asia/Shanghai", **more: object) -> Roster:
    """Return a roster with these rotations."""
    return Roster("r1", "o1", "Night duty", zone, rotations, **more)  # type: ignore[arg-type]


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    """Return the instant of a local time."""
    day, clock = text.split("T")
    hour, minute = clock.split(":")
    return instant_of(day_from_text(day), int(hour) * 60 + int(minute), zone)


def who(of: Roster, text: str) -> str:
    """Return who is on duty at a local time, as one text."""
    return "+".join(on_duty(of, at(text, of.timezone)))


def test_a_week_is_handed_over_on_the_day_and_the_hour_of_the_rotation() -> None:
    of = roster(Rotation("week", (A, B), MONDAY))
    times = ("2026-01-05T07:59", "2026-01-05T08:00", "2026-01-12T07:59", "2026-01-12T08:00")
    assert [who(of, each) for each in times] == ["", "a", "a", "b"]
    assert who(of, "2026-01-19T08:00") == "a"


def test_a_daily_turn_counts_the_days_of_the_rotation_so_that_monday_follows_friday() -> None:
    of = roster(Rotation("day", (A, B, C), MONDAY, "day", weekdays=frozenset(range(5)), until=18 * 60))
    days = ["05", "06", "07", "08", "09", "10", "11", "12", "13"]
    assert [who(of, f"2026-01-{day}T09:00") for day in days] == ["a", "b", "c", "a", "b", "", "", "c", "a"]


def test_shifts_of_a_week_go_around_by_turns() -> None:
    of = roster(Rotation("three shifts", (A, B, C), MONDAY, hand_over=(6 * 60, 14 * 60, 22 * 60)))
    first = [who(of, f"2026-01-05T{hour}:00") for hour in ("06", "14", "22")]
    second = [who(of, f"2026-01-12T{hour}:00") for hour in ("06", "14", "22")]
    assert (first, second) == (["a", "b", "c"], ["b", "c", "a"])


def test_a_turn_of_a_shift_ends_at_every_hand_over() -> None:
    of = roster(Rotation("shifts", (A, B, C, ("d",)), MONDAY, "shift", hand_over=(0, 8 * 60, 16 * 60)))
    hours = [f"2026-01-0{day}T{hour}:00" for day in (5, 6) for hour in ("00", "08", "16")]
    assert [who(of, hour) for hour in hours] == ["a", "b", "c", "d", "a", "b"]


def test_holidays_have_a_rotation_of_their_own() -> None:
    workdays = Rotation("work", (A,), MONDAY, "day", on_holidays=EXCLUDED)
    free = Rotation("holidays", (B, C), MONDAY, "day", on_holidays=ONLY)
    of = roster(free, workdays, holidays="CN", extra_holidays=frozenset({day_from_text("2026-03-02")}))
    assert [who(of, f"2026-02-{day}T09:00") for day in (15, 16, 17, 18)] == ["a", "b", "c", "b"]
    assert who(of, "2026-03-02T09:00") != "a"


def test_a_time_without_anybody_is_a_gap() -> None:
    of = roster(Rotation("day", (A,), MONDAY, "day", weekdays=frozenset(range(5)), until=18 * 60))
    found = gaps(of, at("2026-01-09T12:00"), at("2026-01-12T12:00"))
    assert [(each.from_ns, each.until_ns) for each in found] == [(at("2026-01-09T18:00"), at("2026-01-12T08:00"))]
    now, following = now_and_next(of, at("2026-01-09T12:00"), at("2026-01-23T12:00"))
    assert (now.people, now.until_ns, following and following.is_gap) == (A, at("2026-01-09T18:00"), True)


def test_an_override_replaces_everybody_or_one_person_alone() -> None:
    base = Rotation("pair", (("a", "b"),), MONDAY)
    span = (at("2026-01-06T00:00"), at("2026-01-07T00:00"))
    for override, expected in (
        (Override("o", *span, C), "c"),
        (Override("o", *span, C, replaces="a"), "b+c"),
        (Override("o", *span, (), replaces="a"), "b"),
        (Override("o", *span, C, replaces="x"), "a+b"),
    ):
        of = roster(base, overrides=(override,))
        assert who(of, "2026-01-06T12:00") == expected
        assert who(of, "2026-01-07T00:00") == "a+b"


def test_an_hour_that_exists_twice_or_never_makes_no_gap_and_no_overlap() -> None:
    nights = Rotation("night", (A, B), day_from_text("2026-03-20"), "day", hand_over=(2 * 60 + 30,))
    for text in ("2026-03-29T00:00", "2026-10-25T00:00"):
        of = roster(nights, zone="Europe/Berlin")
        start_ns = at(text, "Europe/Berlin")
        found = shifts(of, start_ns, start_ns + DAY_NS)
        assert [each.is_gap for each in found] == [False, False]
        assert all(one.until_ns == two.from_ns for one, two in pairwise(found))
    assert rfc3339(at("2026-03-29T02:30", "Europe/Berlin")) == "2026-03-29T01:00:00.000Z"
    assert rfc3339(at("2026-10-25T02:30", "Europe/Berlin")) == "2026-10-25T00:30:00.000Z"


def test_a_day_that_a_zone_left_out_begins_with_the_next() -> None:
    assert instant_of(day_from_text("2011-12-30"), 9 * 60, "Pacific/Apia") == parse("2011-12-30T10:00:00Z")
    assert day_text(local_clock(parse("2011-12-30T10:00:00Z"), "Pacific/Apia")[0]) == "2011-12-31"


ZONES = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
]
DST_DAYS = [
    "2026-03-08",
    "2026-03-29",
    "2026-04-05",
    "2026-10-04",
    "2026-10-25",
    "2026-11-01",
    "2018-11-04",
    "2026-02-16",
]
MINUTES = st.integers(0, 24 * 60 - 1)
TEAMS = st.lists(st.sampled_from([A, B, C, ("a", "d"), ("b", "c")]), min_size=1, max_size=5).map(tuple)


@st.composite
def rotations(draw: st.DrawFn, around: int) -> Rotation:
    """Any rotation that the checks accept."""
    hand_over = tuple(sorted(draw(st.sets(MINUTES | st.sampled_from([120, 150, 180]), min_size=1, max_size=3))))
    until = draw(st.none() | MINUTES.filter(lambda each: not hand_over[0] < each <= hand_over[-1]))
    return Rotation(
        "any",
        draw(TEAMS),
        around - draw(st.integers(-2, 40)),
        draw(st.sampled_from(["day", "week", "shift"])),
        draw(st.integers(1, 3)),
        hand_over,
        until,
        draw(st.frozensets(st.integers(0, 6), min_size=1)),
        draw(st.sampled_from(["included", "included", "excluded", "only"])),
        draw(st.none() | st.just(around + 1)),
    )


@st.composite
def rosters(draw: st.DrawFn) -> tuple[Roster, int]:
    """A roster, and an instant near a change of clocks."""
    around = day_from_text(draw(st.sampled_from(DST_DAYS)))
    zone = draw(st.sampled_from(ZONES))
    start_ns = instant_of(around, 0, zone) - draw(st.integers(0, 6 * 60)) * MINUTE_NS
    overrides = tuple(
        Override("o", start_ns + begin * MINUTE_NS, start_ns + (begin + length) * MINUTE_NS, people, replaces)
        for begin, length, people, replaces in draw(
            st.lists(
                st.tuples(
                    st.integers(-100, 1500), st.integers(1, 900), st.sampled_from([A, B, ("x", "y")]),
                    st.none() | st.sampled_from(["a", "x"]),
                ),
                max_size=3,
            )
        )
    )  # fmt: skip
    some = tuple(draw(st.lists(rotations(around), min_size=1, max_size=3)))
    return roster(*some, zone=zone, overrides=overrides, holidays=draw(st.none() | st.just("CN"))), start_ns


@settings(max_examples=60, deadline=None)
@given(rosters())
def test_shifts_are_those_of_a_reading_minute_by_minute(world: tuple[Roster, int]) -> None:
    of, start_ns = world
    minutes = 30 * 60
    found = shifts(of, start_ns, start_ns + minutes * MINUTE_NS)
    assert found[0].from_ns == start_ns
    assert found[-1].until_ns == start_ns + minutes * MINUTE_NS
    assert all(one.until_ns == two.from_ns for one, two in pairwise(found))
    spread = [each.people for each in found for _ in range((each.until_ns - each.from_ns) // MINUTE_NS)]
    assert spread == list(people_by_minute(of, start_ns, minutes))


@settings(max_examples=40, deadline=None)
@given(rosters(), st.integers(1, 29 * 60))
def test_the_instant_asks_nothing_of_the_span(world: tuple[Roster, int], minute: int) -> None:
    of, start_ns = world
    t_ns = start_ns + minute * MINUTE_NS
    (there,) = (each for each in shifts(of, start_ns, start_ns + DAY_NS * 2) if each.from_ns <= t_ns < each.until_ns)
    assert on_duty(of, t_ns) == there.people
    assert now_and_next(of, t_ns, t_ns + HOUR_NS)[0].people == there.people


def test_a_gap_is_a_shift_of_nobody() -> None:
    assert shifts(roster(), 0, DAY_NS) == [DutyShift(0, DAY_NS)]
