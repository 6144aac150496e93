"""Many like pieces of CBOR at once: the same keys in every row, and columns for the numbers between them.

    CborRows({"seq": U32, "speed": {"dt": 100, "v": CborColumn("v", "<f8", 10)}}).encode(...) ─► bytes, one for each row

A row decodes to the same values as `encode.to_cbor` of the same message; only the encoding is faster. A row is
the inside of a map: its keys and values without the head that counts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, cast

import cbor2
import numpy as np
from numpy.typing import NDArray

from telemetry.wire.parsed import TYPED_ARRAYS

_BYTES, _MAP = 2, 5
_LIFTS = cbor2.dumps("lifts")
_TAG = b"\xd8"
_WHOLE_HEADS = {np.dtype(">u4"): b"\x1a", np.dtype(">u8"): b"\x1b"}
_ARRAY_TAGS = {dtype: tag for tag, dtype in TYPED_ARRAYS.items()}


class CborColumn(NamedTuple):
    """A number that differs from row to row: one unsigned (big-endian, as CBOR has it), or a typed array."""

    name: str
    dtype: str
    length: int = 0


def head(major: int, count: int) -> bytes:
    """Return the head of an item: its major type and a count below 65 536 (RFC 8949, section 3)."""
    if count < 24:
        return bytes([major << 5 | count])
    return bytes([major << 5 | 24, count]) if count < 256 else bytes([major << 5 | 25]) + count.to_bytes(2, "big")


def map_head(count: int) -> bytes:
    """Return the head of a map of so many keys."""
    return head(_MAP, count)


def envelope(lifts: int, pieces: Sequence[bytes]) -> bytes:
    """Return a gateway's message of so many lifts; `pieces` are the id of each and its bundle, encoded, in turn."""
    return map_head(1) + _LIFTS + map_head(lifts) + b"".join(pieces)


class CborRows:
    """A layout of a row; it holds a `CborColumn` wherever rows differ."""

    def __init__(self, entries: Mapping[str, Any]) -> None:
        fields: list[tuple[Any, ...]] = []
        self._constants: dict[str, np.void] = {}
        for constant, pieces in groupby(_pieces(entries), lambda piece: isinstance(piece, bytes)):
            if constant:
                name, text = f"constant {len(fields)}", np.void(b"".join(cast(Iterator[bytes], pieces)))
                self._constants[name] = text
                fields.append((name, text.dtype))
            else:
                fields += [column if column.length else column[:2] for column in cast(Iterator[CborColumn], pieces)]
        self._dtype = np.dtype(fields)

    def encode(self, **columns: NDArray[Any]) -> list[bytes]:
        """Return the rows of these columns; an array's column is (rows, length)."""
        rows = np.empty(len(next(iter(columns.values()))), self._dtype)
        for name, column in {**self._constants, **columns}.items():
            rows[name] = column
        whole, width = rows.tobytes(), self._dtype.itemsize
        return [whole[k : k + width] for k in range(0, len(whole), width)]


def _pieces(entries: Mapping[str, Any]) -> Iterator[bytes | CborColumn]:
    for key, value in entries.items():
        yield cbor2.dumps(key)
        if isinstance(value, Mapping):
            yield map_head(len(value))
            yield from _pieces(value)
        elif isinstance(value, CborColumn):
            yield _head(value)
            yield value
        else:
            yield cbor2.dumps(value)


def _head(column: CborColumn) -> bytes:
    dtype = np.dtype(column.dtype)
    if not column.length:
        return _WHOLE_HEADS[dtype]
    return _TAG + bytes([_ARRAY_TAGS[dtype]]) + head(_BYTES, column.length * dtype.itemsize)
