"""Public holidays of a country, or of a part of one (`CN`, `DE-BY`), from the library `holidays`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import holidays

from registry.duty.civil_time import day_from_text
from registry.fact_checks import InvalidFact, preview, text


@lru_cache(4096)
def public_holidays(place: str, year: int) -> frozenset[int]:
    """Return the days of a year that are public holidays of a place."""
    country, _, part = place.partition("-")
    found = holidays.country_holidays(country, subdiv=part or None, years=year, expand=False)
    return frozenset(day_from_text(each.isoformat()) for each in found)


def holiday_place(value: Any) -> str:
    """Return a checked place of public holidays."""
    place = text(value).upper()
    country, _, part = place.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        raise InvalidFact(
            f"{preview(value)} is not a country with known public holidays", "write a code such as CN or DE-BY"
        )
    if part and part not in known[country]:
        parts = ", ".join(known[country][:40]) or "none"
        raise InvalidFact(f"{country} has no part {part!r}", f"write {country}, or a part of it: {parts}")
    return place
