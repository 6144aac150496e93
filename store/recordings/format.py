"""The format of a recording: a folder of tables that give the very same messages back. Pure; files are the store's.

    recording.json                   `Header`; written first as incomplete, and last of all as complete
    facts, labels                    the registry's facts; what truly happened (where somebody knows)
    messages                         one row for each message of a lift, in the order of arrival
    door infrared speed displacement vibration machine status refusals     their rows name their message, in its order

Instants are nanoseconds since 1970, UTC. What a row does not speak of is null.
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

VERSION = 2
HEADER = "recording.json"

TEXT, INSTANT, WHOLE, NUMBER, FLAG, WAVE, BYTES, TEXTS = (
    "text", "instant", "whole", "number", "flag", "wave", "bytes", "texts",
)  # fmt: skip
Kind = str | tuple[str, ...]
"""What a column holds; a tuple of texts is a choice of one of them, whose code is its place."""

CHANNELS: Mapping[str, Mapping[str, Kind]] = {
    "door": {"door": DOOR_STATES},
    "infrared": {"presence": FLAG, "curtain": FLAG},
    "speed": {"v_mps": NUMBER},
    "displacement": {"z_m": NUMBER},
    "status": {"online": FLAG, "alarm": FLAG, "mode": MODES, "power": POWERS, "heartbeat_s": NUMBER},
}
_NAMED: dict[str, Kind] = {"message": WHOLE, "lift_id": TEXT, "t": INSTANT}
TABLES: Mapping[str, Mapping[str, Kind]] = {
    "messages": {
        "message": WHOLE,
        "lift_id": TEXT,
        "district": TEXT,
        "boot": TEXT,
        "seq": WHOLE,
        "t": INSTANT,
        "t_end": INSTANT,
        "arrived": INSTANT,
        "form": TEXT,
        "timed": FLAG,
        "retained_stale": FLAG,
        "position": WHOLE,
    },
    **{stream: {**_NAMED, **channels} for stream, channels in CHANNELS.items()},
    "vibration": {**_NAMED, "dt_ns": NUMBER, "x": WAVE, "y": WAVE, "z": WAVE},
    "machine": {**_NAMED, "dt_ns": NUMBER, "a": WAVE},
    "refusals": {"message": WHOLE, "arrived": INSTANT, "reason": TEXT, "detail": TEXT, "topic": TEXT, "payload": BYTES,
                 "position": WHOLE},
}  # fmt: skip
"""What messages said: `form` is the stream of the topic (`bundle` for a gateway's inner one; those of one envelope
share their `position`); the `message` of a refusal is that of the first taken after it."""

SINCE: Mapping[str, int] = {"machine": 2}
"""The first format that has a table; the others were there from the start."""

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
"""One row for each symptom of a fault or near miss (`event`), with null for what is not known or never came."""


@dataclass(frozen=True, slots=True)
class Waves:
    """A column of lists: that of row i is `values[first[i]:first[i + 1]]`."""

    values: F32
    first: I64


Column = NDArray[Any] | list[Any] | Waves
Table = Mapping[str, Any]
"""Columns by name, as long as each other; see `Column`."""


class NotARecording(ValueError):
    """A folder that cannot be read as a recording, and what to do."""


@dataclass(frozen=True, slots=True)
class Header:
    """What `recording.json` says. `source` names where it was taken; `start` and `end` are the first and last instant
    that a message speaks of (RFC 3339), null where there is none; `complete` is false until all is written."""

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

    def spanning(self, start_ns: int, end_ns: int) -> Header:
        """Return the header with these as its first and last instant."""
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


def decode_header(document: bytes) -> Header:
    """Return what `recording.json` says; fields that a later version added are passed over."""
    try:
        said = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise NotARecording(f"{HEADER} is not JSON ({error}); take the recording anew") from None
    if not isinstance(said, dict) or not isinstance(said.get("format"), int):
        raise NotARecording(f"{HEADER}: format is missing; is this the folder of a recording?")
    if said["format"] > VERSION:
        raise NotARecording(f"{HEADER}: format {said['format']} is newer than {VERSION}; update liftwatch")
    missing = [name for name in ("source", "product", "complete") if name not in said]
    if missing:
        raise NotARecording(f"{HEADER}: {missing[0]} is missing; take the recording anew")
    return Header(**{field.name: said[field.name] for field in fields(Header) if field.name in said})


def _ns(instant: str | None) -> int | None:
    return None if instant is None else int(np.datetime64(instant.removesuffix("Z"), "ns").astype(np.int64))


def encode(decoded: Decoded, first: int) -> dict[str, Table]:
    """Return the tables of a group of messages, the first of which is message number `first` of the recording."""
    messages = decoded.messages
    lift_id = np.array(messages.lift_id, dtype=object)

    def named(message: NDArray[np.int32], t_ns: I64) -> dict[str, Column]:
        return {"message": message + np.int64(first), "lift_id": lift_id[message], "t": t_ns}

    def waved(waves: Waveforms, axes: str) -> dict[str, Column]:
        named_axes = {axis: Waves(wave, waves.first) for axis, wave in zip(axes, waves.xyz, strict=True)}
        return {**named(waves.message, waves.t_ns), "dt_ns": waves.dt_ns, **named_axes}

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
        **{stream: {**named(s.message, s.t_ns), **s.channels} for stream, s in decoded.samples.items()},
        "vibration": waved(decoded.waveforms, "xyz"),
        "machine": waved(decoded.machine, "a"),
        "refusals": _refusals(decoded, first),
    }


def decode(tables: Mapping[str, Table], first: int) -> Decoded:
    """Return the group of messages that these rows are: what `encode` made, from message number `first` on."""
    said = tables["messages"]
    complete = np.array([form == "bundle" for form in said["form"]], dtype=np.bool_)
    messages = Messages(
        list(said["lift_id"]), list(said["district"]), list(said["boot"]), _i64(said["seq"]), _i64(said["t"]),
        _i64(said["t_end"]), _i64(said["arrived"]), _i64(said["position"]), complete,
        np.asarray(said["retained_stale"], dtype=np.bool_), np.asarray(said["timed"], dtype=np.bool_),
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
    kept = ("reason", "detail", "topic", "payload", "arrived", "position")
    refusals = [Refusal(*row) for row in zip(*(refused[name] for name in kept), strict=True)]
    waves, machine = _waveforms(tables["vibration"], first, "xyz"), _waveforms(tables["machine"], first, "a")
    return Decoded(messages, samples, waves, refusals, machine)


def _refusals(decoded: Decoded, first: int) -> Table:
    refusals = decoded.refusals
    position = np.array([refusal.position for refusal in refusals], dtype=np.int64)
    columns: dict[str, Column] = {
        name: [getattr(refusal, name) for refusal in refusals] for name in ("reason", "detail", "topic", "payload")
    }
    arrived = np.array([refusal.arrived_ns for refusal in refusals], dtype=np.int64)
    after = first + np.searchsorted(decoded.messages.position, position)
    return {"message": after, "arrived": arrived, "position": position, **columns}


def _waveforms(table: Table, first: int, names: str) -> Waveforms:
    axes: list[Waves] = [table[axis] for axis in names]
    xyz = np.stack([axis.values for axis in axes])
    return Waveforms(_message(table, first), _i64(table["t"]), np.asarray(table["dt_ns"]), axes[0].first, xyz)


def _message(table: Table, first: int) -> NDArray[np.int32]:
    return (_i64(table["message"]) - first).astype(np.int32)


def _i64(column: Any) -> I64:
    return np.asarray(column, dtype=np.int64)
