"""The settings of the map: outlines of districts, and base tiles from a file of the server or from one other address.

Without either the map has a plain ground. The address of the tiles is the only one besides the server's own that the
page of the map may request.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

TileKind = Literal["raster", "vector"]


@dataclass(frozen=True, slots=True)
class BaseTiles:
    """Base tiles: `url` is a template with {z}, {x} and {y}, or `file` is a PMTiles archive. `attribution` is shown."""

    kind: TileKind
    url: str | None = None
    file: Path | None = None
    attribution: str = ""

    @property
    def origin(self) -> str | None:
        """The origin of the template, None for a file of this server."""
        if self.url is None:
            return None
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class MapSettings:
    """The outlines of districts as GeoJSON features (`outlines.read_outlines`), and the base tiles."""

    outlines: tuple[dict[str, Any], ...] = ()
    tiles: BaseTiles | None = None
