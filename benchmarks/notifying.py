"""Measures the time from an alert to the first notification of a person, beside a publishing fleet.

python -m benchmarks.notifying --lifts 20000 --moving 0.1 --incidents 100 --minutes 2

The fleet sends gateway messages: a share of the lifts a bundle each second, the others one a minute, as parked lifts
do. At random moments somebody presses an alarm button; the firm of the lift has a person on duty, who is reached by a
webhook. Broker, monitor and receiver are processes of their own.
Time counts from `noticed` of the alert, and from just before the press was published, to the arrival at the receiver.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from sqlalchemy import func, select

from benchmarks import bundles, pipeline
from benchmarks.calls import BY, put_on_duty
from commands.child_process import is_listening
from commands.demo import find_mosquitto, mosquitto_configuration
from registry.lift_facts import LiftFacts
from registry.ways import WEBHOOK
from store.records.outbox.tables import notification_attempts
from store.records.repository import AlertFilter, Records
from telemetry.streams import topic
from telemetry.wire import encode

FIRMS, SEED = 20, 7
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RULE = "alarm-button"
WARM_S, SETTLE_S, PAUSE_S, PARKED_S = 10, 10, 0.002, 60
MS, S_NS = 1_000_000, 1_000_000_000


def fill(records: Records, lifts: int, pressed: int, receiver_port: int) -> None:
    """Register the fleet and the lifts whose buttons are pressed, with a firm and a person on duty for each."""
    now_ns = time.time_ns()
    own = [LiftFacts(_pressed(k), bundles.DISTRICT, maintenance_firm=f"Firm {k % FIRMS}") for k in range(pressed)]
    fleet = [replace(each, maintenance_firm=f"Firm {i % FIRMS}") for i, each in enumerate(bundles.facts(lifts))]
    records.put_lifts([*fleet, *own], BY, now_ns)
    for number, firm in enumerate(records.organisations()):
        address = f"http://127.0.0.1:{receiver_port}/{number}"
        put_on_duty(records, firm.organisation_id, f"ada{number}", WEBHOOK, address, SECRET, now_ns)


def measure(lifts: int, moving: float, incidents: int, minutes: float) -> Iterator[str]:
    """Yield the result lines, or the reason why nothing was measured."""
    program, presses = find_mosquitto(), round(incidents * minutes)
    if program is None:
        yield f"notifying: {pipeline.LACKING}"
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder, port, receiver_port = Path(name), pipeline.free_port(), pipeline.free_port()
        (folder / "mosquitto.conf").write_text(mosquitto_configuration(port, folder), encoding="utf-8")
        (folder / "liftwatch.toml").write_text(
            f"[broker]\nport = {port}\n[monitor]\ndata_dir = '{folder}'\n[notifications]\nprivate_addresses = true\n",
            encoding="utf-8",
        )
        with Records.open(f"sqlite:///{folder}/records.db") as records:
            fill(records, lifts, presses, receiver_port)
            receiving = ["--port", str(receiver_port), "--into", str(folder / "arrivals.txt")]
            receiver = pipeline.started([sys.executable, "-m", "benchmarks.receiving", *receiving], folder / "r.log")
            broker = pipeline.started([program, "-c", str(folder / "mosquitto.conf")], folder / "broker.log")
            pipeline.wait(lambda: is_listening(port) and is_listening(receiver_port))
            command = [sys.executable, "-m", "liftwatch", "--config", str(folder / "liftwatch.toml"), "monitor"]
            monitor = pipeline.started(command, folder / "monitor.log")
            try:
                pipeline.wait(lambda: b"receiving from" in (folder / "monitor.log").read_bytes())
                before_s = pipeline.cpu_s(monitor.pid)
                sent_ns, behind_s = _publish(port, lifts, moving, _moments(presses, 60 * minutes))
                cpu_s = pipeline.cpu_s(monitor.pid) - before_s
            finally:
                for process in (monitor, broker, receiver):
                    process.send_signal(signal.SIGTERM)
                    process.wait(60)
            arrived_ns = _first_arrivals(folder / "arrivals.txt")
            yield from _lines(_noticed(records, sent_ns), sent_ns, arrived_ns)
            yield _attempts(records)
            yield f"CPU seconds of the monitor {cpu_s:.1f}; the publisher was at most {behind_s:.2f} s late"


def _moments(presses: int, seconds: float) -> list[float]:
    """Return when the buttons are pressed, in order."""
    chance = random.Random(SEED)
    return sorted(WARM_S + chance.uniform(0, seconds) for _ in range(presses))


def _publish(port: int, lifts: int, moving: float, moments: Sequence[float]) -> tuple[dict[str, int], float]:
    """Publish the fleet by the clock, and the presses; return when each was sent, and the largest delay."""
    publisher, t0_ms = pipeline.connected_publisher(port), time.time_ns() // MS - 1000
    fleet = list(_gateways(lifts, t0_ms))
    sent_ns: dict[str, int] = {}
    begun, behind_s, waiting = time.monotonic(), 0.0, list(enumerate(moments))
    for second in range(int(moments[-1]) + SETTLE_S):
        each_second = round(moving * len(fleet))
        due = [k for k in range(len(fleet)) if k < each_second or second % PARKED_S == k % PARKED_S]
        sends = [(second + place / len(due), k, False) for place, k in enumerate(due)]
        while waiting and waiting[0][1] < second + 1:
            number, at_s = waiting.pop(0)
            sends.append((at_s, number, True))
        for at_s, number, is_press in sorted(sends):
            while (wait_s := begun + at_s - time.monotonic()) > 0:
                publisher.serve(min(wait_s, PAUSE_S))
            behind_s = max(behind_s, -wait_s)
            if is_press:
                now_ns = time.time_ns()
                body = {"seq": 1, "t": now_ns // MS, "alarm": True}
                sent_ns[_pressed(number)] = now_ns
                publisher.publish(topic(bundles.DISTRICT, _pressed(number), "status"), orjson.dumps(body))
            else:
                where, payload = fleet[number]
                number_of = second if number < each_second else second // PARKED_S
                publisher.publish(where, _restamped(payload, number_of, t0_ms, second))
    publisher.flush(pipeline.READY_LIMIT_S)
    publisher.close()
    return sent_ns, behind_s


def _gateways(lifts: int, t_ms: int) -> Iterator[tuple[str, bytes]]:
    """Yield (topic, payload) of a second of a fleet that stands with its doors closed, in gateway messages."""
    for first in range(0, lifts, bundles.GATEWAY_LIFTS):
        some = range(first, min(first + bundles.GATEWAY_LIFTS, lifts))
        envelope = encode.gateway({bundles.lift_id(i): _standing(i, t_ms) for i in some})
        yield topic(bundles.DISTRICT, f"gateway-{first:05d}", "gateway"), encode.to_cbor(envelope)


def _restamped(payload: bytes, number: int, t0_ms: int, second: int) -> bytes:
    """Return a message with another number, and with the time of a second."""
    before, after = (bundles.FIRST_SECOND, t0_ms), (bundles.FIRST_SECOND + number, t0_ms + 1000 * second)
    form = b"\x63seq\x1a%s\x61t\x1b%s"
    return payload.replace(form % bundles.stamp(*before), form % bundles.stamp(*after))


def _standing(i: int, t_ms: int) -> dict[str, Any]:
    place = np.full(10, bundles.PITCH_M * (i % 5), dtype="<f4")
    streams = {"speed": encode.speed(100, np.zeros(10, dtype="<f4")), "displacement": encode.displacement(100, place)}
    return encode.bundle(bundles.FIRST_SECOND, t_ms, "1", **streams, door={"state": ["closed"]})


def _noticed(records: Records, sent_ns: Mapping[str, int]) -> dict[str, int]:
    """Return when the monitor found each press."""
    found, cursor = {}, None
    while True:
        page = records.alerts(AlertFilter(rule=(RULE,)), limit=500, cursor=cursor)
        found |= {alert.lift_id: alert.noticed_ns for alert in page.items if alert.lift_id in sent_ns}
        if (cursor := page.next) is None:
            return found


def _first_arrivals(path: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in path.read_text(encoding="ascii").splitlines():
        at_ns, lift_id = line.split()
        found.setdefault(lift_id, int(at_ns))
    return found


def _lines(noticed: Mapping[str, int], sent: Mapping[str, int], arrived: Mapping[str, int]) -> Iterator[str]:
    yield f"{'':<34}{'incidents':>10}{'p50':>9}{'p99':>9}{'largest':>9}{'missing':>9}"
    for what, since in (("alert to first notification", noticed), ("press to first notification", sent)):
        took_s = [(arrived[each] - at_ns) / S_NS for each, at_ns in since.items() if each in arrived]
        p50, p99, most = np.quantile(took_s, [0.5, 0.99, 1.0]) if took_s else [np.nan] * 3
        numbers = "".join(f"{one:>7.2f} s" for one in (p50, p99, most))
        yield f"{what:<34}{len(sent):>10}{numbers}{len(sent) - len(took_s):>9}"


def _attempts(records: Records) -> str:
    """Return how the attempts to send ended."""
    column = notification_attempts.c
    with records._database.reading() as connection:
        found = connection.execute(
            select(column.result, column.reason, func.count()).group_by(column.result, column.reason)
        )
        return "attempts: " + ", ".join(f"{number} {result} {reason}".strip() for result, reason, number in found)


def _pressed(number: int) -> str:
    return f"pressed-{number:05d}"


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lifts", type=int, default=20_000)
    parser.add_argument("--moving", type=float, default=1.0, help="share that sends each second (default 1)")
    parser.add_argument("--incidents", type=int, default=100, help="a minute (default 100)")
    parser.add_argument("--minutes", type=float, default=2.0)
    asked = parser.parse_args()
    print(f"{asked.lifts} lifts, {asked.moving:.0%} each second, load {os.getloadavg()[0]:.1f} as it began")
    for line in measure(asked.lifts, asked.moving, asked.incidents, asked.minutes):
        print(line, flush=True)


if __name__ == "__main__":
    main()
