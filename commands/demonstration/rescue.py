"""The rescue that the demonstration plays: a car stops between floors with a person inside, and a mechanic answers.

    0 s        the fault is injected; the monitor finds it and opens the incident by itself
    then, after the opening of the incident:
    20 s       the desk calls the firm out      40 s    the mechanic answers
    55 s       is on the way, expected then     150 s   arrives
    at the end of the fault, when the car has reached a floor: released, and closed with the reason

Whoever watches may act first: a step that the incident's state does not allow any more is left out.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

from commands.demonstration.people import mechanic_of

CAUSE = "car-stalled-between-floors"
MINUTES = 5.0
FAULT_S, ARRIVES_S = 240, 150
DESK = "夜班值班台 · Night desk"
OPENS_WITHIN_S, AGAIN_S = 300.0, 100.0
"""A fault waits for a ride with somebody in the car, which comes in a minute or so."""
POLL_S = 1.0
REQUEST_S = 10.0
CLOSES_WITHIN_S, CLOSING_PAUSE_S = 120.0, 30.0
STEPS: tuple[tuple[float, str, dict[str, Any]], ...] = (
    (20, "call-out", {"level": 1}),
    (40, "ack", {"note": "已接到报警。I have the call."}),
    (45, "assign", {}),
    (55, "accept", {"number": 1, "place": "城北服务站 · North workshop"}),
    (ARRIVES_S, "arrive", {"number": 1}),
    (FAULT_S + 15, "stage", {"stage": "released", "note": "一名乘客，平安无恙。One passenger, well."}),
)
CLOSING = {"reason": "released", "note": "门锁触点已更换，试运行正常。Door contact replaced, test runs in order."}


def play(address: str, lift_id: str, after_s: float, pace: float = 1.0) -> None:
    """Play the rescue of a lift by the API at `address`, which starts so many seconds from now.

    `pace` is the factor on the duration of the fault and of the steps.
    """
    time.sleep(after_s)
    name = _opened_incident(address, lift_id, pace)
    if name is None:
        print(f"  The rescue in {lift_id} cannot be played: no incident has opened.", flush=True)
        return
    opened_s = time.monotonic()
    lift = _send(urllib.request.Request(f"{address}/api/v1/lifts/{lift_id}")) or {}
    firm = (lift.get("facts") or {}).get("maintenance_firm")
    mechanic = mechanic_of(firm)
    for at_s, action, body in STEPS:
        time.sleep(max(0.0, opened_s + at_s * pace - time.monotonic()))
        own: dict[str, Any] = {"by": mechanic}
        if action == "assign":
            own["to"] = mechanic
        elif action == "call-out":
            own = {"by": DESK, "who": firm or mechanic}
        elif action == "accept":
            expected = datetime.now(UTC) + timedelta(seconds=(ARRIVES_S - at_s) * pace)
            own["expected"] = expected.isoformat(timespec="milliseconds")
        _post(address, f"/api/v1/incidents/{name}/{action}", own | body)
    until_s = time.monotonic() + CLOSES_WITHIN_S
    while time.monotonic() < until_s:  # it is not closed while the condition of an alert holds
        time.sleep(CLOSING_PAUSE_S * pace)
        if _post(address, f"/api/v1/incidents/{name}/close", {"by": mechanic} | CLOSING):
            return


def _opened_incident(address: str, lift_id: str, pace: float) -> str | None:
    """Inject the fault once the lift is heard, and again where nothing came of it; return the incident that opens.

    The simulator hears a request from when it publishes on: an earlier one is lost. None where no incident opens in
    time.
    """
    until_s, again_s = time.monotonic() + OPENS_WITHIN_S, 0.0
    while time.monotonic() < until_s:
        time.sleep(POLL_S)
        if time.monotonic() >= again_s and _is_heard(address, lift_id):
            _post(address, f"/api/v1/sim/{lift_id}/fault", {"cause": CAUSE, "for_s": FAULT_S * pace})
            again_s = time.monotonic() + AGAIN_S
        found = _send(urllib.request.Request(f"{address}/api/v1/incidents?state=open&lift_id={lift_id}")) or {}
        for incident in found.get("items", ()):
            if incident["may_hold_people"]:
                return str(incident["id"])
    return None


def _is_heard(address: str, lift_id: str) -> bool:
    """Return whether readings of a lift have arrived."""
    lift = _send(urllib.request.Request(f"{address}/api/v1/lifts/{lift_id}")) or {}
    return (lift.get("latest") or lift).get("position_m") is not None


def _post(address: str, path: str, body: dict[str, Any]) -> bool:
    """Post JSON; return whether it was accepted."""
    data, headers = json.dumps(body).encode(), {"Content-Type": "application/json", "Origin": address}
    return _send(urllib.request.Request(address + path, data, headers, method="POST")) is not None


def _send(request: urllib.request.Request) -> Any:
    """Return the answer to a request; None where it was refused or there was none."""
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_S) as response:  # nosec B310
            return json.loads(response.read())
    except (urllib.error.URLError, OSError, ValueError):
        return None
