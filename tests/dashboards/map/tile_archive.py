"""A PMTiles archive (version 3) of one raster tile: the whole world in one colour."""

from __future__ import annotations

import io
import struct

from PIL import Image

GREEN = (0, 200, 0)
NONE, PNG = 1, 2
HEADER_BYTES = 127


def one_tile() -> bytes:
    """Return the archive: header, root directory, metadata, tile."""
    written = io.BytesIO()
    Image.new("RGB", (256, 256), GREEN).save(written, "PNG")
    tile, metadata = written.getvalue(), b"{}"
    directory = b"".join(map(varint, (1, 0, 1, len(tile), 1)))  # entries; delta of the id, run, length, offset + 1
    places: list[int] = []
    at = HEADER_BYTES
    for length in (len(directory), len(metadata), 0, len(tile)):
        places += [at, length]
        at += length
    header = struct.pack("<7sB8Q3Q6B", b"PMTiles", 3, *places, 1, 1, 1, 1, NONE, NONE, PNG, 0, 0)
    world = struct.pack("<4iB2i", *(int(degrees * 1e7) for degrees in (-180, -85, 180, 85)), 0, 0, 0)
    return header + world + directory + metadata + tile


def varint(value: int) -> bytes:
    """Return a number in the base-128 form of Protocol Buffers."""
    return bytes([value & 127 | 128]) + varint(value >> 7) if value > 127 else bytes([value])
