"""From bytes to columns: decodes a group of messages. Pure, without state; no bytes make it raise.

bytes ─► fast path ────────────────────────────► columns ─► numbers in order? ─► Decoded
             └─ unusual ─► validating ─► taken ───▲                └─ no: these messages again, by the validating path
                               └─► refused, with a reason

A message at which this fails by a mistake of ours is refused as `unjudgeable`; all others of the group are decoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from telemetry.batch import Decoded, Refusal
from telemetry.groups import joined
from telemetry.streams import (
    LIFT_ID_PATTERN,
    PAYLOAD_LIMIT_BYTES,
    UNJUDGEABLE,
    Entry,
    Topic,
    claimed_lift_id,
    parse_topic,
)
from telemetry.streams import topic as topic_of
from telemetry.wire import fast_path, validating
from telemetry.wire.cbor_form import CborReader
from telemetry.wire.columns import GroupColumns
from telemetry.wire.json_form import JsonReader
from telemetry.wire.parsed import CLOCK_AHEAD_LIMIT_MS, NO_SEQ, Invalid, Parsed
from telemetry.wire.topics import refused_topic

TOPIC_LIMIT_CHARS = 128
TOPICS_REMEMBERED = 65_536
STALE_MS = CLOCK_AHEAD_LIMIT_MS
COMPLETE = ("bundle", "gateway")
JSON_BEGINS = frozenset(b"{[ \t\r\n")
CBOR_BEGINS = frozenset((*range(0xA0, 0xBC), 0xBF, 0xD9))


def decode(entries: Sequence[Entry]) -> Decoded:
    """Return the readings of these messages, and the refusals with their reasons."""
    try:
        return decode_validating(entries, frozenset())
    except Exception as error:
        return _apart(entries, error)


def decode_validating(entries: Sequence[Entry], suspects: Set[int]) -> Decoded:
    """Decode as `decode` does, but the messages at the positions `suspects` by the validating path."""
    with np.errstate(all="ignore"):  # a sender's NaN may be a signalling one, and its numbers may overflow
        while True:
            decoded, broken = _gather(entries, suspects).finish()
            if not broken:
                return decoded
            assert not broken <= suspects, "the validating path took what the columns do not"
            suspects = suspects | broken


def undecoded(entries: Sequence[Entry]) -> Decoded:
    """Return these messages of lifts that send for themselves, without any reading, to be decoded later."""
    columns = GroupColumns()
    for entry in entries:
        district, lift_id, _ = _topic(entry.topic)
        columns.add(lift_id, district, (NO_SEQ, "0", None, [], None), entry.arrived_ns, entry.position, False, False)
    return columns.finish()[0]


def inner_payloads(payload: bytes, lift_ids: Iterable[str]) -> list[bytes]:
    """Return the bundles of these lifts in a gateway's message that was taken, each as a payload of its own."""
    reader, lifts = _opened(payload)
    return [reader.copy(lifts[lift_id]) for lift_id in lift_ids]


def _opened(payload: bytes) -> tuple[Any, Any]:
    """Return a gateway's bundles by lift, and what reads them."""
    reader: Any = JsonReader() if _is_json(payload) else CborReader()
    return reader, reader.open(payload)["lifts"]


def _apart(entries: Sequence[Entry], error: Exception) -> Decoded:
    """Decode a group that failed in two parts, a gateway's message bundle by bundle; refuse what fails by itself."""
    if len(entries) > 1:
        middle = len(entries) // 2
        return joined([decode(entries[:middle]), decode(entries[middle:])])
    entry = entries[0]
    inner = _bundles(entry)
    if not inner:
        return _undecodable(entry, error)
    decoded = joined([decode([each]) for each in inner])
    return replace(decoded, refusals=[replace(one, topic=entry.topic) for one in decoded.refusals])


def _bundles(entry: Entry) -> list[Entry]:
    """Return the bundles of a gateway's message as messages of their lifts; none of any other message."""
    topic = parse_topic(entry.topic)
    if topic is None or topic.stream != "gateway":
        return []
    try:
        reader, lifts = _opened(entry.payload)
        named = {str(lift_id): reader.copy(inner) for lift_id, inner in lifts.items()}
    except Exception:
        return []
    return [
        entry._replace(topic=topic_of(topic.district, lift_id, "bundle"), payload=inner)
        for lift_id, inner in named.items()
    ]


def _undecodable(entry: Entry, error: Exception) -> Decoded:
    columns, failure = GroupColumns(), f"{type(error).__name__}: {error}"
    refused = Invalid(UNJUDGEABLE, f"could not be decoded, by a mistake of the monitor's; please report it: {failure}")
    _refuse(columns, entry, entry.payload, refused, claimed_lift_id(entry.topic))
    return columns.finish()[0]


def _gather(entries: Sequence[Entry], suspects: Set[int]) -> GroupColumns:
    columns, json, cbor = GroupColumns(), JsonReader(), CborReader()
    for entry in entries:
        payload = entry.payload
        try:
            topic = _topic(entry.topic)
            reader: Any = json if _is_json(payload) else cbor
            _read(columns, reader, entry, topic, reader.open(payload), entry.position in suspects)
        except Invalid as refused:
            _refuse(columns, entry, payload, refused, claimed_lift_id(entry.topic))
    return columns


def _refuse(columns: GroupColumns, entry: Entry, payload: bytes, refused: Invalid, lift_id: str) -> None:
    columns.refusals.append(
        Refusal(refused.reason, refused.detail, entry.topic, payload, entry.arrived_ns, entry.position, lift_id)
    )


def _topic(topic: str) -> Topic:
    if len(topic) > TOPIC_LIMIT_CHARS:
        raise Invalid("topic", f"the topic has {len(topic)} characters: at most {TOPIC_LIMIT_CHARS} make sense")
    known = _parse_topic(topic)
    if known is not None:
        return known
    raise refused_topic(topic)


_parse_topic = lru_cache(TOPICS_REMEMBERED)(parse_topic)


def _is_json(payload: bytes) -> bool:
    if not payload:
        raise Invalid("syntax", "the payload is empty: send one JSON or CBOR object")
    if len(payload) > PAYLOAD_LIMIT_BYTES:
        raise Invalid("oversized", f"{len(payload)} bytes: at most {PAYLOAD_LIMIT_BYTES} are taken; send shorter spans")
    if payload[0] in JSON_BEGINS:
        return True
    if payload[0] in CBOR_BEGINS:
        return False
    raise Invalid("syntax", f"the payload begins with the byte 0x{payload[0]:02x}: send a JSON object or a CBOR map")


def _read(columns: GroupColumns, reader: Any, entry: Entry, topic: Topic, document: Any, suspect: bool) -> None:
    district, lift_id, stream = topic
    if not suspect and stream != "status":
        try:
            if stream == "bundle":
                parsed = [(lift_id, fast_path.bundle(reader, document))]
            elif stream == "gateway":
                parsed = _checked(fast_path.gateway(reader, document))
            else:
                parsed = [(lift_id, fast_path.message(reader, document, stream))]
            if reader.flat(entry.payload):
                for lift_id, inner in parsed:
                    columns.add(lift_id, district, inner, entry.arrived_ns, entry.position, stream in COMPLETE, False)
                return
        except fast_path.UNUSUAL:
            pass
    if stream == "gateway":
        _read_gateway(columns, reader, entry, topic, document)
    else:
        _add(columns, entry, topic, lift_id, _validated(reader, document, stream, entry.arrived_ns))


def _checked(parsed: list[tuple[str, Parsed]]) -> list[tuple[str, Parsed]]:
    for lift_id, _ in parsed:
        _check_lift_id(lift_id)
    return parsed


def _validated(reader: Any, document: Any, stream: str, arrived_ns: int) -> Parsed:
    if stream == "status":
        return validating.status(reader, document, arrived_ns)
    if stream == "bundle":
        return validating.bundle(reader, document, arrived_ns)
    return validating.message(reader, document, stream, arrived_ns)


def _read_gateway(columns: GroupColumns, reader: Any, entry: Entry, topic: Topic, document: Any) -> None:
    """Add or refuse each inner bundle by itself."""
    envelope = validating.fields(reader, document, "the payload")
    if "lifts" not in envelope:
        raise Invalid("missing-field", "lifts: is required, one bundle for each lift id")
    for lift_id, inner in validating.fields(reader, envelope["lifts"], "lifts").items():
        try:
            _check_lift_id(lift_id)
            _add(columns, entry, topic, lift_id, validating.bundle(reader, inner, entry.arrived_ns))
        except Invalid as refused:
            named = Invalid(refused.reason, f"lifts.{str(lift_id)[:64]}: {refused.detail}")
            _refuse(columns, entry, reader.copy(inner), named, "" if refused.reason == "lift-id" else lift_id)


def _check_lift_id(lift_id: Any) -> None:
    if type(lift_id) is not str or not LIFT_ID_PATTERN.fullmatch(lift_id):
        raise Invalid("lift-id", "a lift id must have 1 to 64 of the characters A-Z, a-z, 0-9, _ and -")


def _add(columns: GroupColumns, entry: Entry, topic: Topic, lift_id: str, parsed: Parsed) -> None:
    stale = entry.retained and topic.stream == "status" and _is_stale(parsed[2], entry.arrived_ns)
    complete = topic.stream in COMPLETE
    columns.add(lift_id, topic.district, parsed, entry.arrived_ns, entry.position, complete, stale)


def _is_stale(t_ms: float | None, arrived_ns: int) -> bool:
    """Return whether a retained status may be more than 5 minutes old; one without a time may be of any age."""
    return t_ms is None or arrived_ns / 1e6 - t_ms > STALE_MS
