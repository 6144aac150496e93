"""The condition of each lift's machine, car and sensors: the columns by which faults and wear act on the physics.

The law: the defaults are a sound lift. Who breaks a lift writes these columns and nothing else; the physics reads them
and never asks why. A severity is 0 (sound) to 1 (as bad as it gets before the lift is stopped).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telemetry.arrays import F64, Bools


class SensorFaults:
    """What ails one kind of analogue sensor; `offset` and `spike` are in the sensor's own unit.

    `stuck` repeats its last reading, `dead` reads 0, `mute` reads nothing (NaN); `gain` multiplies what is measured,
    `offset` adds to it; a `spike_share` of the readings is off by `spike` either way.
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
        """Which lifts have such a sensor that is not sound."""
        impaired = self.stuck | self.dead | self.mute | (self.gain != 1) | (self.offset != 0)
        return np.flatnonzero(impaired | (self.spike_share > 0))


class Condition:
    """The condition of n lifts.

    Motion      `level_m` adds to the error of every stop (up positive); `rollback_m` is how far the car goes against
                its travel in the first second of a run; `sinks_mps` is how fast it goes down at an open door (up is
                negative); `slip` is the share of the sheave's travel that the ropes do not follow.
    Drive       `speed_loss` is the share of its speed that it lacks; `harsh` adds to its jerk, and an eighth of that
                to its acceleration, as a share; `spins_mps` is how fast the sheave turns under the ropes of a car that
                stands.
    Doors       take `door_drag` times as long again.
    Brake       `brake_torque` multiplies the sound brake's torque; `brake_late_s` adds to its delay.
    Vibration   severities of `roller` (worn tyres), `roller_flat` (a flat spot), `shoe` (worn guide shoes), `joint`
                (the rail joint that gives first in this lift), `sheave`, `rope_tension` and `bearing` (of the machine);
                of those in the car `jumping_kg` jump.
    Sensors     `speed` (m/s), `position` (m), `accelerometer` (m/s²). The light curtain reads `curtain_blocked` or
                `curtain_dead` (never blocked), the presence sensor `presence_stuck` (somebody) or
                `presence_dead` (nobody), the door sensor `door_stuck` (closed).
    Terminal    `cut`: it has no connection, and keeps what it says until it has; `clock_s`: its clock is so far ahead;
                a `scrambled` share of its messages comes out of order.
    Surroundings, which are nothing wrong: `gust_m` is by how much wind on the shaft moves a barometer, `goods` the
                share of its rated load that has been brought into the car; nobody comes where all is `deserted`.
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
