"""Devices as CSV: a header line, then one line for each device.

device_id,lifts,credential
A17,,                        a terminal of the lift A17, with a password
GW-7,A18;A19,certificate     a gateway of two lifts, with a certificate
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from registry.devices import CREDENTIALS, GATEWAY, LIFT, PASSWORD, check_device
from registry.fact_checks import FieldError
from registry.lift_facts import FactsError, decoded

COLUMNS = ("device_id", "lifts", "credential")


class RequestedDevice(NamedTuple):
    """A device that is asked for. `number` is the line in the file, 2 for the first below the header."""

    number: int
    device_id: str
    kind: str
    lifts: tuple[str, ...]
    credential: str


class RefusedDevice(NamedTuple):
    """A refused line with all its errors."""

    number: int
    errors: tuple[FieldError, ...]


def read_devices(document: bytes, reserved: Iterable[str] = ()) -> tuple[list[RequestedDevice], list[RefusedDevice]]:
    """Return the devices of a CSV file, and the refused lines; raise FactsError where the file is no such CSV."""
    reader = csv.reader(io.StringIO(decoded(document, "save the file as UTF-8"), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        lines = [(number, cells) for number, cells in enumerate(reader, start=2) if any(map(str.strip, cells))]
    except csv.Error as error:
        raise FactsError(f'not CSV: {error} in line {reader.line_num}; separate by commas, quote by "') from None
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or "device_id" not in header or len(set(header)) < len(header):
        raise FactsError(f"the first line must name the columns, device_id and any of {', '.join(COLUMNS[1:])}")
    taken: dict[str, RequestedDevice] = {}
    refused = []
    kept = list(reserved)
    for number, cells in lines:
        row, errors = _read(number, header, cells, kept)
        if row.device_id in taken:
            where = f"{row.device_id} is in line {taken[row.device_id].number} too"
            errors.append(FieldError("device_id", where, "keep one of the two"))
        if errors:
            refused.append(RefusedDevice(number, tuple(errors)))
        else:
            taken[row.device_id] = row
    return list(taken.values()), refused


def _read(
    number: int, header: Sequence[str], cells: Sequence[str], reserved: list[str]
) -> tuple[RequestedDevice, list[FieldError]]:
    values = dict(zip(header, (cell.strip() for cell in cells), strict=False))
    device_id, credential = values.get("device_id", ""), values.get("credential") or PASSWORD
    lifts = tuple(lift.strip() for lift in values.get("lifts", "").split(";") if lift.strip())
    kind = GATEWAY if lifts else LIFT
    errors = check_device(device_id, lifts, kind, reserved)
    if len(cells) > len(header):
        errors.append(FieldError("row", "has more cells than the first line", "separate lifts by semicolons"))
    if credential not in CREDENTIALS:
        errors.append(FieldError("credential", f"{credential[:40]!r} is not known", "write password or certificate"))
    return RequestedDevice(number, device_id, kind, lifts or (device_id,), credential), errors
