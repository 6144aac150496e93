"""The bodies of responses about readings: sampled streams, event streams and trips."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from dashboards.api.schema.parameters import StreamName, TimeText
from dashboards.api.schema.response_body import ResponseBody

BehaviourKind = Literal["door-blocking", "jumping", "empty-running", "overload", "maintenance-visit"]


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


class Shock(ResponseBody):
    """A horizontal shock: how many times the RMS around it, and where the car was."""

    position_m: float | None
    ratio: float


class Bands(ResponseBody):
    """RMS at a constant speed from 1 to 4, 4 to 16 and 16 to 50 Hz."""

    low: float | None
    mid: float | None
    high: float | None


class RideQuality(ResponseBody):
    """The ride quality of a trip by its vibration (docs/ride-quality.md); null is not measured."""

    accel_mps2: float | None
    decel_mps2: float | None
    jerk_mps3: float | None
    accel_a95_mps2: float | None
    decel_a95_mps2: float | None
    jerk_a95_mps3: float | None
    v95_mps: float | None
    pp_x_mps2: float | None
    pp_y_mps2: float | None
    pp_z_mps2: float | None
    pp_z_jerk_mps2: float | None
    a95_x_mps2: float | None
    a95_y_mps2: float | None
    a95_z_mps2: float | None
    a95_z_jerk_mps2: float | None
    kurtosis_x: float | None
    kurtosis_y: float | None
    kurtosis_z: float | None
    crest_x: float | None
    crest_y: float | None
    crest_z: float | None
    bands_mps2: dict[str, Bands]
    order_step_per_m: float
    orders_mps2: dict[str, list[float | None]]
    shocks: list[Shock]


class RideLimit(ResponseBody):
    """The greatest or the least value that keeps to GB/T 10058."""

    most: float | None
    least: float | None


class Trip(ResponseBody):
    """A trip from rest to rest; `distance_m` is positive upwards and negative downwards.

    Dwell, closing and reversals are those of the stop at which the trip began; opening and error those at its end.
    `boundaries_s` are seconds from the begin, in the order of their numbers 0 to 6 (docs/ride-quality.md).
    """

    start: TimeText
    stop: TimeText
    from_floor: str | None
    to_floor: str | None
    distance_m: float | None
    direction: Literal["up", "down"] | None
    duration_s: float | None
    load_class: Literal["empty", "occupied"] | None
    peak_speed_mps: float | None
    stop_error_m: float | None
    back_m: float | None
    door_open_s: float | None
    dwell_s: float | None
    door_close_s: float | None
    reversals: float | None
    boundaries_s: list[float | None]
    ride_quality: RideQuality | None


class TripList(ResponseBody):
    """Trips, and the limits of GB/T 10058 for this lift by quantity."""

    items: list[Trip]
    next: str | None
    limits: dict[str, RideLimit]


class Behaviour(ResponseBody):
    """An observation (docs/behaviour.md): the `floors` at which the car stood, and the evidence of its kind."""

    kind: BehaviourKind
    start: TimeText
    stop: TimeText
    floors: list[str]
    evidence: dict[str, float | None]


class BehaviourList(ResponseBody):
    items: list[Behaviour]
    next: str | None
