"""What of an entry is left out for a reader who does not see every lift of an incident."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.incidents.foreign_lifts import parts_of_foreign_lifts
from alerts.incidents.incident import StoryEntry


@pytest.mark.parametrize(
    ("kind", "parts", "hidden"),
    [
        ("on-site", {"about": "own"}, set()),
        ("on-site", {"about": "foreign"}, {"about"}),
        ("arrived", {"about": "car", "to": "own"}, set()),
        ("arrived", {"about": "car", "to": "foreign"}, {"to"}),
        ("assigned", {"to": "foreign"}, set()),
        ("folded", {"about": "own-alert"}, set()),
        ("folded", {"about": "foreign-alert"}, {"about"}),
        ("closed", {"about": "foreign-alert"}, set()),
        ("reported", {"about": "entrapment", "note": "my name is Wang"}, {"note"}),
        ("commented", {"by": "Ann", "note": "on my way"}, set()),
    ],
)
def test_what_names_a_foreign_lift_is_left_out(kind: str, parts: dict[str, Any], hidden: set[str]) -> None:
    entry = StoryEntry("i", kind, 0, **parts)
    left_out = parts_of_foreign_lifts(entry, {"own"}, lambda about: about == "foreign-alert", reads_text=False)
    assert left_out == dict.fromkeys(hidden)


def test_the_text_of_a_report_of_an_own_lift_is_read() -> None:
    entry = StoryEntry("i", "reported", 0, about="entrapment", note="stuck at 4")
    assert parts_of_foreign_lifts(entry, {"own"}, lambda about: False, reads_text=True) == {}
