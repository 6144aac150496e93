"""The bodies of responses about readings: sampled streams, event streams and trips."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from dashboards.api.schema.parameters import StreamName, TimeText
from dashboards.api.schema.response_body import ResponseBody


class Channel(ResponseBody):
    min: list[float | None]
    max: list[float | None]
    mean: list[float | None]


class SampledSeries(ResponseBody):
    """A sampled stream in buckets with minimum, maximum and mean of each channel; an empty bucket is null."""

    model_config = ConfigDict(populate_by_name=True)

    stream: StreamName
    from_: TimeText = Field(alias="from")
    to: TimeText
    bucket_s: float
    t: list[TimeText]
    v: Channel | None = None
    x: Channel | None = None
    y: Channel | None = None
    z: Channel | None = None


class EventSeries(ResponseBody):
    """An event stream, unreduced; `truncated` where one response could not hold all events."""

    model_config = ConfigDict(extra="allow")

    stream: StreamName
    from_: TimeText = Field(alias="from")
    to: TimeText
    at: list[TimeText]
    truncated: bool


class Trip(ResponseBody):
    """A trip from rest to rest; `distance_m` is positive upwards and negative downwards."""

    start: TimeText
    stop: TimeText
    from_floor: str | None
    to_floor: str | None
    distance_m: float | None
    peak_speed_mps: float | None
    ride_quality: None


class TripList(ResponseBody):
    items: list[Trip]
    next: str | None
