"""Rosters as JSON: what is accepted comes back the same, and every error names its field and a remedy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.duty.roster_checks import override_document, read_override, read_roster, roster_document

ROTATION: dict[str, Any] = {
    "name": "Nights", "turns": [["a"], ["b", "c"]], "starts_on": "2026-01-05", "turn": "day", "every": 2,
    "hand_over": ["06:00", "18:30"], "until": "20:00", "weekdays": ["mon", "sun"], "on_holidays": "excluded",
    "ends_on": None,
}  # fmt: skip
ROSTER: dict[str, Any] = {
    "name": "Night duty", "timezone": "Asia/Shanghai", "holidays": "CN", "extra_holidays": ["2026-12-24"],
    "rotations": [ROTATION],
}  # fmt: skip


def errors_of(changes: dict[str, Any], people: set[str] | None = None) -> list[str]:
    """Return the errors of a roster, the changes made to its one rotation or, for its own fields, to the roster."""
    own = {name: value for name, value in changes.items() if name not in ROTATION or name == "name"}
    inner = {name: value for name, value in changes.items() if name in ROTATION and name != "name"}
    given_roster = {**ROSTER, "rotations": [{**ROTATION, **inner}], **own}
    return [str(each) for each in read_roster(given_roster, "r", "o", people)[1]]


def test_a_roster_is_read_as_it_is_written() -> None:
    roster, errors = read_roster(ROSTER, "r", "o", {"a", "b", "c"})
    assert errors == []
    assert roster_document(roster) == ROSTER
    assert roster.people == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": ""}, "name: is missing; give one"),
        ({"timezone": "CST"}, "timezone: 'CST' is not a time zone; did you mean Asia/Shanghai?"),
        ({"timezone": None}, "timezone: is missing; give one"),
        ({"holidays": "XX"}, "holidays: 'XX' is not a country with known public holidays; write a code such as CN or"),
        ({"holidays": "DE-ZZ"}, "holidays: DE has no part 'ZZ'; write DE, or a part of it: BB, BE"),
        ({"extra_holidays": ["24.12.2026"]}, "extra_holidays: '24.12.2026' is not a date; write it as YYYY-MM-DD"),
        ({"colour": "red"}, "colour: is not known; write some of name, timezone"),
        ({"rotations": "none"}, "rotations: 'none' is not a list; write a list"),
        ({"rotations": ["a"]}, "rotations[0]: 'a' is not an object; write an object with fields"),
        ({"turns": []}, "rotations[0].turns: has 0 entries; give 1 to 100"),
        ({"turns": [[]]}, "rotations[0].turns: has a turn of nobody; name at least one person"),
        ({"turns": [["eve"]]}, "rotations[0].turns: 'eve' is nobody of the organisation; name its people by their ids"),
        ({"turn": "month"}, "rotations[0].turn: 'month' is not known; write one of day, week, shift"),
        ({"every": 0}, "rotations[0].every: 0 is out of range; write days, weeks or shifts from 1 to 366"),
        ({"hand_over": ["8"]}, "rotations[0].hand_over: '8' is not a time of day; write it as 08:00"),
        ({"hand_over": ["24:00"]}, "rotations[0].hand_over: '24:00' is not a time of day; write it as 08:00"),
        ({"hand_over": ["18:00", "06:00"]}, "rotations[0].hand_over: is not in the order of the day"),
        (
            {"until": "08:00"},
            "rotations[0].until: 08:00 lies in the shifts that begin next day; write a time from 18:30",
        ),
        ({"weekdays": []}, "rotations[0].weekdays: has 0 entries; give 1 to 7"),
        ({"ends_on": "2025-01-01"}, "rotations[0].ends_on: lies before starts_on; write a later date"),
        (
            {"starts_on": "0001-01-01"},
            "rotations[0].starts_on: 0001-01-01 lies outside 1990-01-01 to 2199-12-31; write the year with four digits",
        ),
        ({"starts_on": None}, "rotations[0].starts_on: is missing; give one"),
    ],
)
def test_an_error_names_the_field_and_a_remedy(changes: dict[str, Any], error: str) -> None:
    found = errors_of(changes, {"a", "b", "c"})
    assert len(found) == 1
    assert found[0].startswith(error)


def test_an_override_is_read_as_it_is_written() -> None:
    written = {
        "from": "2026-01-05T10:00:00.000Z", "until": "2026-01-06T10:00:00.000Z", "people": ["b"], "replaces": "a",
        "note": "dentist",
    }  # fmt: skip
    override, errors = read_override(written, "7", {"a", "b"})
    assert errors == []
    assert override_document(override) == {"override_id": "7", **written}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"from": "tomorrow"}, "from: 'tomorrow' is not a time with a zone; write it as 2026-"),
        ({"until": "2026-01-05T10:00:00Z"}, "until: is not after from, or more than a year later"),
        ({"until": "2036-01-05T10:00:00Z"}, "until: is not after from, or more than a year later"),
        ({"people": []}, "people: is empty, so nobody would be on duty; name who is, or in replaces who is absent"),
        ({"people": ["eve"]}, "people: 'eve' is nobody of the organisation"),
        ({"person": "b"}, "person: is not known; write some of from, until, people, replaces, note"),
    ],
)
def test_an_error_of_an_override_names_the_field_and_a_remedy(changes: dict[str, Any], error: str) -> None:
    written = {"from": "2026-01-05T10:00:00Z", "until": "2026-01-06T10:00:00Z", "people": ["b"], **changes}
    (found,) = read_override(written, "7", {"a", "b"})[1]
    assert str(found).startswith(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ROSTER, *ROTATION]), inner, max_size=6)
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_anything_is_answered_with_errors_of_fields(value: Any) -> None:
    for read in (read_roster(value, "r", "o", {"a"}), read_override(value, "7", {"a"})):
        assert read[1]
        assert all(each.wrong and each.remedy for each in read[1])
