"""The condition of each lift's machine, car and sensors: columns through which faults and wear act on the physics.

The defaults are a healthy lift. Faults write these columns and nothing else; the physics only reads them. A severity
runs from 0 (healthy) to 1 (the worst condition before the lift is stopped).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64, Bools
from telemetry.compiled import compiled


class SensorFaults:
    """The faults of one kind of analogue sensor; `offset` and `spike` are in the sensor's unit.

    `stuck` repeats the last reading, `dead` reads 0, `mute` reads nothing (NaN); `gain` multiplies the measured value,
    `offset` is added; a `spike_share` of the readings is off by `spike` in either direction.
    """

    def __init__(self, n: int) -> None:
        self.stuck: Bools = np.zeros(n, dtype=np.bool_)
        self.dead: Bools = np.zeros(n, dtype=np.bool_)
        self.mute: Bools = np.zeros(n, dtype=np.bool_)
        self.gain: F64 = np.ones(n)
        self.offset: F64 = np.zeros(n)
        self.spike_share: F64 = np.zeros(n)
        self.spike: F64 = np.zeros(n)

    @property
    def faulty(self) -> NDArray[np.intp]:
        """The lifts whose sensor is faulty."""
        return np.flatnonzero(_impaired(self.stuck, self.dead, self.mute, self.gain, self.offset, self.spike_share))


class Condition:
    """The condition of n lifts.

    Motion      `level_m` adds to the stop error (up positive); `rollback_m` is the rollback at the start of a run;
                `sinks_mps` is the speed at which the car sinks at an open door; `slip` is the share of the sheave's
                travel that the ropes do not follow.
    Drive       `speed_loss` is the missing share of the speed; `harsh` adds this share to the jerk and an eighth of it
                to the acceleration; `spins_mps` is the speed of the sheave under the ropes of a car that stands still.
    Doors       `door_drag` adds this share to the door times.
    Brake       `brake_torque` multiplies the torque of the healthy brake; `brake_late_s` adds to its delay.
    Vibration   severities of `roller` (worn tyres), `roller_flat` (a flat spot), `shoe` (worn guide shoes), `joint`
                (this lift's weakest rail joint), `sheave`, `rope_tension` and `bearing` (of the machine); `jumping_kg`
                is the mass of the passengers who jump.
    Sensors     `speed` (m/s), `position` (m), `accelerometer` (m/s²). `curtain_blocked` and `curtain_dead` (never
                blocked) are of the light curtain, `presence_stuck` (occupied) and `presence_dead` (empty) of the
                presence sensor, `door_stuck` (closed) of the door sensor.
    Terminal    `cut`: the terminal has no connection and buffers its messages; `clock_s`: its clock is ahead by this; a
                `scrambled` share of its messages is sent out of order.
    Surroundings, which are no faults: `gust_m` is the error of a barometer by wind, `goods` the load of goods in the
    car as a share of the rated load; no passengers come to a `deserted` building.
    """

    def __init__(self, n: int) -> None:
        self.level_m = np.zeros(n)
        self.rollback_m = np.zeros(n)
        self.sinks_mps = np.zeros(n)
        self.slip = np.zeros(n)
        self.speed_loss = np.zeros(n)
        self.harsh = np.zeros(n)
        self.spins_mps = np.zeros(n)
        self.door_drag = np.zeros(n)
        self.brake_torque = np.ones(n)
        self.brake_late_s = np.zeros(n)
        self.roller = np.zeros(n)
        self.roller_flat = np.zeros(n)
        self.shoe = np.zeros(n)
        self.joint = np.zeros(n)
        self.sheave = np.zeros(n)
        self.rope_tension = np.zeros(n)
        self.bearing = np.zeros(n)
        self.jumping_kg = np.zeros(n)
        self.speed = SensorFaults(n)
        self.position = SensorFaults(n)
        self.accelerometer = SensorFaults(n)
        self.cut: Bools = np.zeros(n, dtype=np.bool_)
        self.clock_s = np.zeros(n)
        self.curtain_blocked = np.zeros(n, dtype=np.bool_)
        self.curtain_dead = np.zeros(n, dtype=np.bool_)
        self.presence_stuck = np.zeros(n, dtype=np.bool_)
        self.presence_dead = np.zeros(n, dtype=np.bool_)
        self.door_stuck = np.zeros(n, dtype=np.bool_)
        self.scrambled = np.zeros(n)
        self.gust_m = np.zeros(n)
        self.goods = np.zeros(n)
        self.deserted = np.zeros(n, dtype=np.bool_)


@compiled
def _impaired(stuck: Any, dead: Any, mute: Any, gain: Any, offset: Any, spike_share: Any) -> Any:
    """Return which sensors are faulty."""
    faulty = np.empty(len(stuck), np.bool_)
    for k in range(len(stuck)):
        stopped = stuck[k] or dead[k] or mute[k]
        faulty[k] = stopped or gain[k] != 1.0 or offset[k] != 0.0 or spike_share[k] > 0.0
    return faulty
