"""The map: outlines of districts that can be drawn, and base tiles that are there."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from commands.checks.config_check import ConfigCheck
from commands.errors import Unusable
from commands.wiring.map import OUTLINES_KEY, TILES_KEY, base_tiles, read_districts
from configuration import Configuration

ANSWER_LIMIT_S = 5.0


def checks(settings: Configuration) -> Iterator[ConfigCheck]:
    """Return the checks of `[map]`."""
    given = settings.map
    if (path := given.districts_file) is not None:
        yield ConfigCheck(OUTLINES_KEY, lambda: f"{path} has {len(read_districts(path))} outlines")
    if (where := given.tiles) is not None:
        yield ConfigCheck(TILES_KEY, lambda: _tiles(where))


def _tiles(where: str) -> str:
    """Return the kind of the tiles; the tile of the whole world is requested where the tiles have an address."""
    tiles = base_tiles(where, "")
    if tiles.url is None:
        return f"{tiles.file} has {tiles.kind} tiles"
    url = tiles.url.replace("{z}", "0").replace("{x}", "0").replace("{y}", "0")
    try:
        status = httpx.get(url, timeout=ANSWER_LIMIT_S, follow_redirects=False).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unusable(f"nothing answers at {url} ({error}); correct the address, or start the tile server") from None
    if status >= 300 and status != 404:  # a server of one region has no tile of the world
        raise Unusable(f"{url} answers {status}; correct the address: a redirect is not followed")
    return f"{url} answers {status}; {tiles.kind} tiles"
