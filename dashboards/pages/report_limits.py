"""How many reports the public page takes: so many that nobody is refused who needs help, so few that none can flood it.

an address of one lift    3 at once, then 1 in 5 minutes
an address                10 at once, then 1 a minute
a lift and a kind         6 at once, then 1 in 5 minutes    while an incident is open that knows what they say
all                       300 at once, then 1 a second
"""

from __future__ import annotations

from alerts.incidents.incident import Incident
from alerts.incidents.kinds import PEOPLE_INSIDE
from dashboards.sign_in.attempts import network
from store.records.repository import Records, ReportRate

OF_BOTH, OF_ADDRESS = ReportRate(3, 1 / 300), ReportRate(10, 1 / 60)
OF_LIFT, OF_ALL = ReportRate(6, 1 / 300), ReportRate(300, 1.0)


def take_report(records: Records, address: str, lift_id: str, kind: str, now_ns: int) -> bool:
    """Count a report in the records; return False where there are too many, which counts for nothing."""
    place = network(address)
    rates = {f"report {place} {lift_id}": OF_BOTH, f"report {place}": OF_ADDRESS, "report": OF_ALL}
    if _is_known(records.public_incident(lift_id), lift_id, kind):
        rates[f"report {lift_id} {kind}"] = OF_LIFT
    return records.take_report(rates, now_ns)


def _is_known(incident: Incident | None, lift_id: str, kind: str) -> bool:
    """Return whether the open incident of a lift knows what a report of this kind says."""
    if incident is None or kind not in PEOPLE_INSIDE:
        return incident is not None
    return any(lift.lift_id == lift_id and lift.holds_people for lift in incident.lifts)
