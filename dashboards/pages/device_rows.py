"""Devices as the rows of their page: each with its state, the end of its certificate and the last message of its lifts.

The broker does not disclose when a device was connected: a message of one of its lifts is the nearest known instant.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from dashboards.live.fleet_view import FleetView
from dashboards.pages.public_status import zone
from registry.devices import Device
from store.live import NEVER
from telemetry.instant import DAY_NS

SOON_DAYS = 30
STATES = ("valid", "expiring", "expired", "revoked")
"""The states by which the list is filtered; a valid device whose certificate ends soon is `expiring` too."""


@dataclass(frozen=True, slots=True)
class ListedDevice:
    """One device. `days_left` are those of a certificate; `heard_ns` is None where none of its lifts has sent anything.

    `zone` is that of the first lift; `may_change` is whether the reader may rotate and revoke the device.
    """

    device: Device
    state: str
    days_left: int | None
    heard_ns: int | None
    zone: tzinfo
    may_change: bool
    search_text: str

    @property
    def states(self) -> tuple[str, ...]:
        """The states of the filter that include the device."""
        return ("valid", "expiring") if self.state == "expiring" else (self.state,)

    @property
    def last_change(self) -> str:
        """The last change of the device: `created`, `rotated` or `revoked`."""
        if self.device.revoked_ns is not None:
            return "revoked"
        return "created" if self.device.rotated_ns is None else "rotated"


def device_rows(devices: Sequence[Device], view: FleetView, may_change: Callable[[Device], bool]) -> list[ListedDevice]:
    """Return a row for each device."""
    now_ns = time.time_ns()
    return [_row(each, view, may_change(each), now_ns) for each in devices]


def _row(device: Device, view: FleetView, may_change: bool, now_ns: int) -> ListedDevice:
    index, ends_ns, state = view.lift_index, device.credential.expires_ns, device.state(now_ns)
    rows = [index.row_of[lift_id] for lift_id in device.lifts if lift_id in index.row_of]
    heard_ns = max((int(view.last_seen_ns[row]) for row in rows), default=NEVER)
    days_left = None if ends_ns is None else (ends_ns - now_ns) // DAY_NS
    if state == "valid" and days_left is not None and days_left < SOON_DAYS:
        state = "expiring"
    return ListedDevice(
        device, state, days_left, None if heard_ns == NEVER else heard_ns,
        zone(index.zone_of(device.lifts[0])), may_change,
        "\n".join((device.device_id, *device.lifts, *(index.search_text[row] for row in rows))).casefold(),
    )  # fmt: skip


def counts_of(rows: Sequence[ListedDevice]) -> Mapping[str, int]:
    """Return the number of devices in each state of the filter."""
    return {state: sum(state in row.states for row in rows) for state in STATES}


def filtered(rows: Sequence[ListedDevice], query: str, state: str) -> list[ListedDevice]:
    """Return the rows whose device or lifts contain a text and that are in a state; an empty one is any."""
    wanted = query.strip().casefold()
    return [row for row in rows if wanted in row.search_text and (state not in STATES or state in row.states)]
