"""The map's outlines and base tiles from the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from commands.errors import Unusable
from configuration import Configuration
from dashboards.api.map.outlines import read_outlines
from dashboards.api.map.settings import BaseTiles, MapSettings, TileKind

OUTLINES_KEY, TILES_KEY = "map.districts_file", "map.tiles"
HEADER_BYTES, TILE_TYPE_AT = 127, 99
MAGIC = b"PMTiles\x03"
VECTOR_TYPES = (1, 6)
"""MVT and MLT, of the tile types of PMTiles version 3."""


def map_settings(settings: Configuration) -> MapSettings:
    """Return the settings of the map; raise Unusable where a file cannot be used."""
    given = settings.map
    outlines = read_districts(given.districts_file) if given.districts_file else ()
    return MapSettings(outlines, base_tiles(given.tiles, given.attribution) if given.tiles else None)


def read_districts(path: Path) -> tuple[dict[str, Any], ...]:
    """Return the outlines in a file."""
    try:
        return read_outlines(path.read_bytes())
    except OSError as error:
        raise Unusable(f"{OUTLINES_KEY}: cannot read {path} ({error.strerror})") from None
    except ValueError as error:
        raise Unusable(f"{OUTLINES_KEY}: {path}: {error}") from None


def base_tiles(where: str, attribution: str) -> BaseTiles:
    """Return base tiles from a template of addresses, or from a PMTiles file."""
    if where.startswith(("http://", "https://")):
        if missing := [part for part in ("{z}", "{x}", "{y}") if part not in where]:
            raise Unusable(
                f"{TILES_KEY}: {where} has no {' and no '.join(missing)}; write https://host/{{z}}/{{x}}/{{y}}.png"
            )
        kind: TileKind = "vector" if urlsplit(where).path.endswith((".pbf", ".mvt")) else "raster"
        return BaseTiles(kind, url=where, attribution=attribution)
    path = Path(where)
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError as error:
        raise Unusable(
            f"{TILES_KEY}: cannot read {path} ({error.strerror}); give a PMTiles file or https://…"
        ) from None
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        raise Unusable(f"{TILES_KEY}: {path} is no PMTiles archive of version 3; convert it with `pmtiles convert`")
    kind = "vector" if header[TILE_TYPE_AT] in VECTOR_TYPES else "raster"
    return BaseTiles(kind, file=path.resolve(), attribution=attribution)
