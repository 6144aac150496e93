"""Outlines of districts from the operator's GeoJSON (RFC 7946): polygons in WGS 84, each with the district's slug.

What a page receives is made from the checked values: geometry, `district` and `name`. Other properties are dropped.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from dashboards.api.schema.parameters import DISTRICT

POSITIONS_MOST = 100_000
NAME_LENGTH_MOST = 200
DECIMALS = 5
"""Of degrees: about a metre."""
DEPTHS = {"Polygon": 1, "MultiPolygon": 2}
"""How many lists deep the rings of a geometry are."""
REMEDY = "export the districts as GeoJSON polygons in WGS 84, longitude first"


def read_outlines(text: bytes) -> tuple[dict[str, Any], ...]:
    """Return the features of a GeoJSON feature collection; raise ValueError with the remedy where it is not one."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error}); {REMEDY}") from None
    if not isinstance(document, dict) or not isinstance(features := document.get("features"), list):
        raise ValueError(f"not a GeoJSON FeatureCollection; {REMEDY}")
    found = tuple(_outline(feature, f"features[{place}]") for place, feature in enumerate(features))
    if sum(_positions(each["geometry"]["coordinates"]) for each in found) > POSITIONS_MOST:
        raise ValueError(f"more than {POSITIONS_MOST} positions; simplify the outlines")
    return found


def _outline(feature: Any, where: str) -> dict[str, Any]:
    feature = feature if isinstance(feature, dict) else {}
    properties, geometry = feature.get("properties") or {}, feature.get("geometry") or {}
    district = properties.get("district")
    if not isinstance(district, str) or not re.fullmatch(DISTRICT, district):
        raise ValueError(
            f"{where}.properties.district is {district!r}; write the slug that the topics of its lifts have"
        )
    name = properties.get("name", district)
    if not isinstance(name, str) or not 0 < len(name) <= NAME_LENGTH_MOST:
        raise ValueError(
            f"{where}.properties.name is no text of 1 to {NAME_LENGTH_MOST} characters; correct or remove it"
        )
    kind = geometry.get("type")
    if kind not in DEPTHS:
        raise ValueError(f"{where}.geometry.type is {kind!r}; only Polygon and MultiPolygon have an outline")
    coordinates = _rings(geometry.get("coordinates"), DEPTHS[kind], f"{where}.geometry.coordinates")
    return {
        "type": "Feature",
        "properties": {"district": district, "name": name},
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def _rings(value: Any, depth: int, where: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{where} is no list of rings; {REMEDY}")
    if depth:
        return [_rings(each, depth - 1, f"{where}[{place}]") for place, each in enumerate(value)]
    if len(value) < 4 or value[0] != value[-1]:
        raise ValueError(f"{where} is no ring: it needs four positions or more, the last one equal to the first")
    return [_position(each, f"{where}[{place}]") for place, each in enumerate(value)]


def _position(value: Any, where: str) -> list[float]:
    is_pair = isinstance(value, list) and len(value) >= 2 and all(isinstance(each, int | float) for each in value[:2])
    if not is_pair or not (-180 <= value[0] <= 180 and -90 <= value[1] <= 90):
        raise ValueError(f"{where} is {value!r}, no longitude and latitude in degrees; {REMEDY}")
    return [round(each, DECIMALS) for each in value[:2]]


def _positions(value: list[Any]) -> int:
    return 1 if isinstance(value[0], float | int) else sum(_positions(each) for each in value)
