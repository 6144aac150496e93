"""The payload as CBOR: RFC 8949 maps whose sampled arrays may be typed arrays of RFC 8746.

Only those tags are accepted. Every other one that the decoder would act upon (dates, big numbers, regular
expressions, shared references ...) is refused before it is acted upon, and lengths that lie cost no memory.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, NoReturn

import cbor2
from cbor2 import CBORTag

from telemetry.wire.parsed import FIELDS_LIMIT, Invalid, RawArray, numbers, typed

DEPTH_LIMIT = 16
ACTIVE_TAGS = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000)
SELF_DESCRIBED = b"\xd9\xd9\xf7"


class CborReader:
    """Reads one CBOR document after the other, in the same manner as `JsonReader`."""

    def __init__(self) -> None:
        self.decoder = cbor2.CBORDecoder(
            BytesIO(),
            semantic_decoders=dict.fromkeys(ACTIVE_TAGS, _refuse_tag),
            max_depth=DEPTH_LIMIT,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )

    def open(self, payload: bytes) -> Any:
        """Return the document, or refuse it."""
        source = BytesIO(payload.removeprefix(SELF_DESCRIBED))
        self.decoder.fp = source
        try:
            document = self.decoder.decode()
        except (cbor2.CBORError, ValueError, OverflowError, RecursionError, MemoryError) as error:
            raise _refusal(error) from None
        if source.read(1):
            raise Invalid("syntax", "more bytes follow the CBOR object: send one object in a message")
        return document

    def names(self, source: Any) -> list[Any]:
        """Return the names of a map's fields; refuse any other type."""
        if type(source) is not dict:
            raise TypeError("not an object")
        if len(source) > FIELDS_LIMIT:
            raise Invalid("out-of-range", f"{len(source)} fields in one object: at most {FIELDS_LIMIT} are taken")
        return list(source)

    def numbers(self, source: Any) -> tuple[RawArray, int]:
        """Return an array of numbers as a raw array and its length; raise for any other value."""
        if type(source) is CBORTag:
            return typed(source)
        if type(source) is not list:
            raise TypeError("not an array")
        return numbers(source), len(source)

    def items(self, source: Any) -> list[Any]:
        """Return an array as a list; raise for any other value."""
        if type(source) is not list:
            raise TypeError("not an array")
        return source

    def value(self, source: Any) -> Any:
        """Return an array as a list, and anything else as it is."""
        return source

    def flat(self, payload: bytes) -> bool:
        """Return that no array is nested in another, which `numbers` has checked."""
        return True

    def copy(self, source: Any) -> bytes:
        """Return a part of the document as a payload of its own."""
        return cbor2.dumps(source)


def _refuse_tag(value: Any, immutable: bool) -> NoReturn:
    raise ValueError("a tag that is not taken")


def _refusal(error: Exception) -> Invalid:
    message = str(error)[:120]
    if "depth" in message or isinstance(error, RecursionError):
        return Invalid("depth", f"nested deeper than {DEPTH_LIMIT} levels: a gateway message needs five")
    if "Duplicate" in message:
        return Invalid("duplicate-key", f"{message}: say it once")
    if "semantic tag" in message:
        return Invalid("type", f"{message}: only typed arrays of float32/64 and int16/32 (LE) are taken")
    return Invalid("syntax", f"not CBOR: {message}")
