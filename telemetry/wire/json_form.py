"""The payload as JSON: parsed by simdjson, whose arrays become columns without a Python number in between.

One reader serves a group of messages. Its proxies must be gone before it opens the next, so nothing here keeps one.
"""

from __future__ import annotations

from typing import Any

import orjson
import simdjson

from telemetry.wire.parsed import FIELDS_LIMIT, Invalid, RawArray


class JsonReader:
    """Reads one JSON document after the other. `arrays` counts the arrays read since the last `open`."""

    def __init__(self) -> None:
        self.parser = simdjson.Parser()
        self.arrays = 0

    def open(self, payload: bytes) -> Any:
        """Return the document's proxy, or refuse it."""
        self.arrays = 0
        try:
            return self.parser.parse(payload)
        except (ValueError, RuntimeError) as error:
            message = str(error)
            if "re-use" in message:
                raise AssertionError("a proxy of the document before outlived it") from error
            raise _refusal(payload, message) from None

    def names(self, source: Any) -> list[str]:
        """Return the names of an object's fields; refuse any other type, and duplicate names."""
        if type(source) is not simdjson.Object:
            raise TypeError("not an object")
        names = list(source)
        if len(set(names)) != len(names):
            twice = next(name for i, name in enumerate(names) if name in names[:i])
            raise Invalid("duplicate-key", f"{twice[:40]!r} is there twice in one object: say it once")
        if len(names) > FIELDS_LIMIT:
            raise Invalid("out-of-range", f"{len(names)} fields in one object: at most {FIELDS_LIMIT} are taken")
        return names

    def numbers(self, source: Any) -> tuple[RawArray, int]:
        """Return an array of numbers as a raw array and its length; raise for any other value.

        The buffer flattens an array of arrays, which is what `flat` looks for in the end.
        """
        buffer = source.as_buffer(of_type="d")
        self.arrays += 1
        return buffer, buffer.size >> 3

    def items(self, source: Any) -> list[Any]:
        """Return an array as a list; raise for any other value."""
        self.arrays += 1
        items: list[Any] = source.as_list()
        return items

    def value(self, source: Any) -> Any:
        """Return an array as a list, and anything else as it is."""
        return source.as_list() if type(source) is simdjson.Array else source

    def flat(self, payload: bytes) -> bool:
        """Return whether every array of the payload was read, so that none was nested in another."""
        return payload.count(b"[") == self.arrays

    def copy(self, source: Any) -> bytes:
        """Return a part of the document as a payload of its own."""
        if isinstance(source, simdjson.Object | simdjson.Array):
            octets: Any = source.mini
            return bytes(octets)
        return orjson.dumps(source)


def _refusal(payload: bytes, message: str) -> Invalid:
    """Return the refusal of a payload that simdjson rejects, with the position of the error by orjson."""
    too_deep = Invalid("depth", "the payload is nested too deeply: a gateway message needs five levels")
    if "DEPTH" in message:
        return too_deep
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        if "depth" in error.msg:
            return too_deep
        place = f"{error.msg[:120]} at character {error.pos}"
        if "infinity" in error.msg or error.doc[error.pos :].lstrip("-+").startswith(("NaN", "Infinity")):
            return Invalid("non-finite", f"{place}: send null where there is no reading")
        return Invalid("syntax", f"not JSON: {place}")
    return Invalid("out-of-range", "a whole number that 64 bits do not hold: send numbers in the unit of the contract")
