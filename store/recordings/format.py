"""The format of a recording: a folder of tables that decode to exactly the messages that were encoded. Pure: no files.

    recording.json                   `RecordingHeader`; written first as incomplete, and last of all as complete
    facts, labels                    the registry's facts; the labelled faults, where they are known
    messages                         one row for each message of a lift, in the order of arrival
    door infrared speed displacement vibration machine status refusals     each row has its message's number; same order

Instants are nanoseconds since 1970, UTC. A channel without a value in a row is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from telemetry.arrays import F32, I64
from telemetry.batch import Decoded, Messages, Refusal, Samples, Waveforms
from telemetry.instant import to_the_nanosecond
from telemetry.streams import DOOR_STATES, MODES, POWERS
from telemetry.wire.reencode import forms

VERSION = 3
HEADER_FILE = "recording.json"

TEXT, INSTANT, INTEGER, NUMBER, BOOLEAN, WAVE, BYTES, TEXTS = (
    "text", "instant", "whole", "number", "flag", "wave", "bytes", "texts",
)  # fmt: skip
Kind = str | tuple[str, ...]
"""The type of a column; a tuple of texts is an enumeration, stored as the index into it."""

CHANNELS: Mapping[str, Mapping[str, Kind]] = {
    "door": {"door": DOOR_STATES},
    "infrared": {"presence": BOOLEAN, "curtain": BOOLEAN},
    "speed": {"v_mps": NUMBER},
    "displacement": {"z_m": NUMBER},
    "status": {"online": BOOLEAN, "alarm": BOOLEAN, "mode": MODES, "power": POWERS, "heartbeat_s": NUMBER},
}
_NAMED: dict[str, Kind] = {"message": INTEGER, "lift_id": TEXT, "t": INSTANT}
TABLES: Mapping[str, Mapping[str, Kind]] = {
    "messages": {
        "message": INTEGER,
        "lift_id": TEXT,
        "district": TEXT,
        "boot": TEXT,
        "seq": INTEGER,
        "t": INSTANT,
        "t_end": INSTANT,
        "arrived": INSTANT,
        "form": TEXT,
        "timed": BOOLEAN,
        "retained_stale": BOOLEAN,
        "position": INTEGER,
    },
    **{stream: {**_NAMED, **channels} for stream, channels in CHANNELS.items()},
    "vibration": {**_NAMED, "dt_ns": NUMBER, "x": WAVE, "y": WAVE, "z": WAVE},
    "machine": {**_NAMED, "dt_ns": NUMBER, "a": WAVE},
    "refusals": {"message": INTEGER, "arrived": INSTANT, "reason": TEXT, "detail": TEXT, "topic": TEXT,
                 "payload": BYTES, "position": INTEGER, "lift_id": TEXT},
}  # fmt: skip
"""The tables and their columns: `form` is the stream of the topic (`bundle` for a gateway's inner bundle; those of one
envelope share their `position`); the `message` of a refusal is that of the first message accepted after it."""

TABLES_SINCE: Mapping[str, int] = {"machine": 2}
"""The format version that introduced a table; tables not listed exist since version 1. Version 3 introduced the
`lift_id` of a refusal, which is empty where an older recording is read."""

LABELS: Mapping[str, Kind] = {
    "lift_id": TEXT,
    "event": TEXT,
    "kind": TEXT,
    "cause": TEXT,
    "form": TEXT,
    "severity": NUMBER,
    "onset": INSTANT,
    "end": INSTANT,
    "functional_failure": INSTANT,
    "symptom": TEXT,
    "symptom_onset": INSTANT,
    "symptom_end": INSTANT,
    "rules": TEXTS,
}
"""One row for each symptom of a fault or near miss (`event`); null where a value is unknown or does not exist."""


@dataclass(frozen=True, slots=True)
class WaveColumn:
    """A column of lists: the list of row i is `values[first[i]:first[i + 1]]`."""

    values: F32
    first: I64


Column = NDArray[Any] | list[Any] | WaveColumn
ColumnMap = Mapping[str, Any]
"""Columns of equal length by name; see `Column`."""


class InvalidRecording(ValueError):
    """A folder that cannot be read as a recording, with a remedy."""


@dataclass(frozen=True, slots=True)
class RecordingHeader:
    """The content of `recording.json`. `source` names the origin; `start` and `end` are the first and last instant of
    any message (RFC 3339), null where there is none; `complete` is false until everything is written."""

    source: str
    product: str
    seed: int | None = None
    scenario: str | None = None
    start: str | None = None
    end: str | None = None
    lifts: int = 0
    messages: int = 0
    refusals: int = 0
    format: int = VERSION
    complete: bool = False

    def spanning(self, start_ns: int, end_ns: int) -> RecordingHeader:
        """Return the header with these first and last instants."""
        return replace(self, start=to_the_nanosecond(start_ns), end=to_the_nanosecond(end_ns))

    @property
    def start_ns(self) -> int | None:
        """The first instant in nanoseconds since 1970."""
        return _ns(self.start)

    @property
    def end_ns(self) -> int | None:
        """The last instant in nanoseconds since 1970."""
        return _ns(self.end)

    def encode(self) -> bytes:
        """Return the text of `recording.json`."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)


def decode_header(document: bytes) -> RecordingHeader:
    """Return the header in `recording.json`; fields that a later version added are ignored."""
    try:
        values = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise InvalidRecording(f"{HEADER_FILE} is not JSON ({error}); take the recording anew") from None
    if not isinstance(values, dict) or not isinstance(values.get("format"), int):
        raise InvalidRecording(f"{HEADER_FILE}: format is missing; is this the folder of a recording?")
    if values["format"] > VERSION:
        raise InvalidRecording(f"{HEADER_FILE}: format {values['format']} is newer than {VERSION}; update liftwatch")
    missing = [name for name in ("source", "product", "complete") if name not in values]
    if missing:
        raise InvalidRecording(f"{HEADER_FILE}: {missing[0]} is missing; take the recording anew")
    return RecordingHeader(
        **{field.name: values[field.name] for field in fields(RecordingHeader) if field.name in values}
    )


def _ns(instant: str | None) -> int | None:
    return None if instant is None else int(np.datetime64(instant.removesuffix("Z"), "ns").astype(np.int64))


def encode(decoded: Decoded, first: int) -> dict[str, ColumnMap]:
    """Return the tables of a group of messages; `first` is the number of its first message in the recording."""
    messages = decoded.messages
    lift_id = np.array(messages.lift_id, dtype=object)

    def keys(message: NDArray[np.int32], t_ns: I64) -> dict[str, Column]:
        return {"message": message + np.int64(first), "lift_id": lift_id[message], "t": t_ns}

    def waveforms(waves: Waveforms, axes: str) -> dict[str, Column]:
        columns = {axis: WaveColumn(wave, waves.first) for axis, wave in zip(axes, waves.xyz, strict=True)}
        return {**keys(waves.message, waves.t_ns), "dt_ns": waves.dt_ns, **columns}

    return {
        "messages": {
            "message": first + np.arange(len(lift_id)),
            "lift_id": lift_id,
            "district": messages.district,
            "boot": messages.boot,
            "seq": messages.seq,
            "t": messages.t_ns,
            "t_end": messages.t_end_ns,
            "arrived": messages.arrived_ns,
            "form": forms(decoded),
            "timed": messages.timed,
            "retained_stale": messages.retained_stale,
            "position": messages.position,
        },
        **{stream: {**keys(s.message, s.t_ns), **s.channels} for stream, s in decoded.samples.items()},
        "vibration": waveforms(decoded.waveforms, "xyz"),
        "machine": waveforms(decoded.machine, "a"),
        "refusals": _refusals(decoded, first),
    }


def decode(tables: Mapping[str, ColumnMap], first: int) -> Decoded:
    """Return the group of messages in these tables, the inverse of `encode`."""
    table = tables["messages"]
    complete = np.array([form == "bundle" for form in table["form"]], dtype=np.bool_)
    messages = Messages(
        list(table["lift_id"]), list(table["district"]), list(table["boot"]), _i64(table["seq"]), _i64(table["t"]),
        _i64(table["t_end"]), _i64(table["arrived"]), _i64(table["position"]), complete,
        np.asarray(table["retained_stale"], dtype=np.bool_), np.asarray(table["timed"], dtype=np.bool_),
    )  # fmt: skip
    samples = {
        stream: Samples(
            _message(tables[stream], first),
            _i64(tables[stream]["t"]),
            {name: np.asarray(tables[stream][name], dtype=np.float64) for name in names},
        )
        for stream, names in CHANNELS.items()
    }
    refused = tables["refusals"]
    columns = ("reason", "detail", "topic", "payload", "arrived", "position", "lift_id")
    refusals = [Refusal(*row) for row in zip(*(refused[name] for name in columns), strict=True)]
    waves, machine = _waveforms(tables["vibration"], first, "xyz"), _waveforms(tables["machine"], first, "a")
    return Decoded(messages, samples, waves, refusals, machine)


def _refusals(decoded: Decoded, first: int) -> ColumnMap:
    refusals = decoded.refusals
    position = np.array([refusal.position for refusal in refusals], dtype=np.int64)
    columns: dict[str, Column] = {
        name: [getattr(refusal, name) for refusal in refusals]
        for name in ("reason", "detail", "topic", "payload", "lift_id")
    }
    arrived = np.array([refusal.arrived_ns for refusal in refusals], dtype=np.int64)
    after = first + np.searchsorted(decoded.messages.position, position)
    return {"message": after, "arrived": arrived, "position": position, **columns}


def _waveforms(table: ColumnMap, first: int, names: str) -> Waveforms:
    axes: list[WaveColumn] = [table[axis] for axis in names]
    xyz = np.stack([axis.values for axis in axes])
    return Waveforms(_message(table, first), _i64(table["t"]), np.asarray(table["dt_ns"]), axes[0].first, xyz)


def _message(table: ColumnMap, first: int) -> NDArray[np.int32]:
    return (_i64(table["message"]) - first).astype(np.int32)


def _i64(column: Any) -> I64:
    return np.asarray(column, dtype=np.int64)
