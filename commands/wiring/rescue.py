"""The timers of rescues and who helps, from the configuration."""

from __future__ import annotations

from alerts.incidents.rescue import RescuePoint, RescueTimes
from configuration import Configuration

MINUTE_S = 60.0


def rescue_times(settings: Configuration) -> RescueTimes:
    """Return within how long a rescue is to be answered, and people are to arrive."""
    given = settings.rescue
    districts = {district: minutes * MINUTE_S for district, minutes in given.arrive_minutes_of.items()}
    return RescueTimes(given.answer_minutes * MINUTE_S, given.arrive_minutes * MINUTE_S, districts)


def rescue_points(settings: Configuration) -> tuple[RescuePoint, ...]:
    """Return the rescue points of the net and the professional services."""
    return tuple(RescuePoint(**each.model_dump()) for each in settings.rescue.points)
