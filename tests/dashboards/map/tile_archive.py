"""PMTiles archives (version 3) of one tile: the whole world in one colour, or as water with the name of a place."""

from __future__ import annotations

import io
import struct

from PIL import Image

GREEN = (0, 200, 0)
NONE, MVT, PNG = 1, 1, 2
POINT, POLYGON = 1, 3
HEADER_BYTES = 127


def raster_archive() -> bytes:
    """Return an archive of an image."""
    written = io.BytesIO()
    Image.new("RGB", (256, 256), GREEN).save(written, "PNG")
    return archive(written.getvalue(), PNG)


def vector_archive() -> bytes:
    """Return an archive of a vector tile: a square of water, and a place in its middle."""
    square = [command(1, 1), 0, 0, command(2, 3), zigzag(4096), 0, 0, zigzag(4096), zigzag(-4096), 0, command(7, 1)]
    water = layer("water", feature(POLYGON, square))
    place = layer("places", feature(POINT, [command(1, 1), zigzag(2048), zigzag(2048)], named=True), name="海 Sea")
    return archive(water + place, MVT)


def archive(tile: bytes, kind: int) -> bytes:
    """Return header, root directory, metadata and the tile."""
    metadata = b"{}"
    directory = b"".join(map(varint, (1, 0, 1, len(tile), 1)))  # entries; delta of the id, run, length, offset + 1
    places: list[int] = []
    at = HEADER_BYTES
    for length in (len(directory), len(metadata), 0, len(tile)):
        places += [at, length]
        at += length
    header = struct.pack("<7sB8Q3Q6B", b"PMTiles", 3, *places, 1, 1, 1, 1, NONE, NONE, kind, 0, 0)
    world = struct.pack("<4iB2i", *(int(degrees * 1e7) for degrees in (-180, -85, 180, 85)), 0, 0, 0)
    return header + world + directory + metadata + tile


def layer(called: str, *features: bytes, **tags: str) -> bytes:
    """Return a layer of a vector tile; `tags` are those of its features."""
    keys = b"".join(field(3, key.encode()) for key in tags)
    values = b"".join(field(4, field(1, value.encode())) for value in tags.values())
    body = field(1, called.encode()) + b"".join(field(2, each) for each in features) + keys + values
    return field(3, body + varint(5 << 3) + varint(4096) + varint(15 << 3) + varint(2))


def feature(kind: int, geometry: list[int], *, named: bool = False) -> bytes:
    """Return a feature; its first tag is the layer's where it is named."""
    tags = field(2, bytes([0, 0])) if named else b""
    return tags + varint(3 << 3) + varint(kind) + field(4, b"".join(map(varint, geometry)))


def field(number: int, content: bytes) -> bytes:
    """Return a field of Protocol Buffers with a length."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def command(code: int, count: int) -> int:
    """Return a command of a vector tile's geometry: 1 moves, 2 draws, 7 closes."""
    return code | count << 3


def zigzag(value: int) -> int:
    """Return a signed number as an unsigned one."""
    return value << 1 ^ value >> 31


def varint(value: int) -> bytes:
    """Return a number in the base-128 form of Protocol Buffers."""
    return bytes([value & 127 | 128]) + varint(value >> 7) if value > 127 else bytes([value])
