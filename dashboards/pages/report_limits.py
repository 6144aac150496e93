"""How many reports the public page takes: so many that nobody is refused who needs help, so few that none can flood it.

an address of one lift    3 at once, then 1 in 5 minutes
an address                10 at once, then 1 a minute
a lift and a kind         6 at once, then 1 in 5 minutes    they join one incident, which is open by then
all                       300 at once, then 1 a second
"""

from __future__ import annotations

from dashboards.sign_in.attempts import ChangeLimits, network


class ReportLimits:
    """The limits, in memory. A report that an earlier limit refuses does not count for the later ones."""

    def __init__(self) -> None:
        self._of_both = ChangeLimits(burst=3, a_second=1 / 300)
        self._of_address = ChangeLimits(burst=10, a_second=1 / 60)
        self._of_lift = ChangeLimits(burst=6, a_second=1 / 300)
        self._of_all = ChangeLimits(burst=300, a_second=1.0)

    def take(self, address: str, lift_id: str, kind: str, now_s: float) -> bool:
        """Count a report; return False where there are too many."""
        place = network(address)
        return (
            self._of_both.take(f"{place} {lift_id}", now_s)
            and self._of_address.take(place, now_s)
            and self._of_lift.take(f"{lift_id} {kind}", now_s)
            and self._of_all.take("", now_s)
        )
