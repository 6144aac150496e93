"""The bodies of responses of the map: GeoJSON (RFC 7946) in WGS 84, longitude first."""

from __future__ import annotations

from typing import Any, Literal

from dashboards.api.schema.parameters import LiftState, SeverityName, TimeText
from dashboards.api.schema.response_body import ResponseBody


class PointGeometry(ResponseBody):
    type: Literal["Point"]
    coordinates: tuple[float, float]


class LiftPointProperties(ResponseBody):
    """A lift, and the id, kind and severity of its open incident where it has one."""

    lift_id: str
    state: LiftState
    incident: str | None = None
    kind: str | None = None
    severity: SeverityName | None = None


class LiftPoint(ResponseBody):
    type: Literal["Feature"]
    geometry: PointGeometry
    properties: LiftPointProperties


class LiftPoints(ResponseBody):
    """The lifts that have coordinates, of all `lifts` that match; `left_out` exceed the limit of 50 000."""

    type: Literal["FeatureCollection"]
    features: list[LiftPoint]
    lifts: int
    without_coordinates: int
    left_out: int
    as_of: TimeText | None


class OutlineProperties(ResponseBody):
    district: str
    name: str


class OutlineGeometry(ResponseBody):
    type: Literal["Polygon", "MultiPolygon"]
    coordinates: list[Any]


class DistrictOutline(ResponseBody):
    type: Literal["Feature"]
    geometry: OutlineGeometry
    properties: OutlineProperties


class DistrictOutlines(ResponseBody):
    type: Literal["FeatureCollection"]
    features: list[DistrictOutline]
