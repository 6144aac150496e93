"""Hours of a week by a local clock, such as 22:00 to 06:00 on workdays: whether an instant is inside, until when."""

from __future__ import annotations

from dataclasses import dataclass

from registry.duty.civil_time import DAY_MINUTES, instant_of, local_clock, weekday_of
from registry.duty.roster import EVERY_DAY


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """The time from `begins` until before `ends`, both minutes since midnight, on days of the week.

    Hours that end at or before their beginning end on the next day.
    """

    timezone: str
    begins: int
    ends: int
    weekdays: frozenset[int] = EVERY_DAY

    def has(self, t_ns: int) -> bool:
        """Return whether an instant is inside."""
        return self.end_of(t_ns) is not None

    def end_of(self, t_ns: int) -> int | None:
        """Return when the hours end that an instant is inside, None where it is outside; days that touch are joined."""
        end_ns = None
        for begin_ns, its_end_ns in self._near(t_ns):
            if begin_ns <= (t_ns if end_ns is None else end_ns) < its_end_ns:
                end_ns = its_end_ns
        return end_ns

    def last_end(self, t_ns: int) -> int | None:
        """Return when hours ended last before an instant, or at it; None where there are none within a week."""
        ends = [end_ns for _, end_ns in self._near(t_ns, back=8) if end_ns <= t_ns]
        return max(ends, default=None)

    def _near(self, t_ns: int, back: int = 2) -> list[tuple[int, int]]:
        """Return the hours of the days around an instant."""
        today, _ = local_clock(t_ns, self.timezone)
        days = (day for day in range(today - back, today + 9) if weekday_of(day) in self.weekdays)
        return [(instant_of(day, self.begins, self.timezone), self._end(day)) for day in days]

    def _end(self, day: int) -> int:
        day = day + 1 if self.ends <= self.begins else day
        return instant_of(day, self.ends % DAY_MINUTES, self.timezone)
