"""The clock of rescues: enters what is due (no answer, late, the next level) into the stories of running rescues.

Who is then called is the escalation's: an incident that nobody has acknowledged is called about again and again, and
so are the people of an organisation that is called out and has not answered.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence

from alerts.incidents.rescue import RescuePoint, RescueTimes
from mqtt.backoff import Backoff
from notify.rounds import repeat_rounds
from store.outage import Outage
from store.records.repository import Records, RecordsUnavailable

log = logging.getLogger("liftwatch.rescues")

POLL_S = 2.0
RETRY_FIRST_S, RETRY_LIMIT_S = 0.5, 30.0


class RescueClock(threading.Thread):
    """Looks at the running rescues of own lifts every `POLL_S`; what is overdue after a pause is entered once."""

    def __init__(self, records: Records, times: RescueTimes, points: Sequence[RescuePoint] = ()) -> None:
        super().__init__(name="rescues", daemon=True)
        self.wake = threading.Event()
        self.counts: Counter[str] = Counter()
        self.outage = Outage("the timers of rescues wait", log)
        self._records, self._times, self._points = records, times, points
        self._stopping = threading.Event()

    def register(self) -> None:
        """Do nothing: the rescues are in the records."""

    def run(self) -> None:
        """Advance the rescues until stopped."""
        repeat_rounds(
            self._advance,
            self.outage,
            self.wake,
            self._stopping,
            backoff=Backoff(RETRY_FIRST_S, RETRY_LIMIT_S),
            poll_s=POLL_S,
            expected=(RecordsUnavailable,),
        )

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self.wake.set()
        self.join()

    def _advance(self) -> bool:
        is_own = self._records.partition.has
        entered = self._records.advance_rescues(self._times, time.time_ns(), is_own, self._points)
        self.counts["rescue_entries"] += entered
        return False
