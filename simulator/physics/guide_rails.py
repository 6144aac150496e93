"""Lateral vibration by the guides: rail joints, sway between brackets, guide rollers, and worn guide shoes.

All of it is a function of the car's position: a joint acts at its place, in both directions, on every pass; the
frequency of a roller follows the speed: v/(pi d). Each joint of each lift has its own step, and one of them, drawn from
those on the car's way, is the weakest.
"""

from __future__ import annotations

import numpy as np

from simulator.cars.lifts import LiftParameters
from simulator.faults.condition import Condition
from simulator.maths import rng
from telemetry.arrays import F32, Index

RAILS_M, SHORT_RAILS_M, SHORT_SHARE = 5.0, 2.5, 0.25
BRACKETS_M = 2.5
JOINT_M, JOINT_REACH = 0.03, 4.0
"""The length over which a joint acts; beyond `JOINT_REACH` times this it has no effect."""
JOINT_MPS2, JOINT_DISPLACED_MPS2 = (0.10, 0.09), (0.9, 0.7)
SWAY_MPS2, SWAY_WORN = (0.022, 0.021), 1.2
ROLLERS_M = (0.125, 0.20)
ROLLER_MPS2, ROLLER_ORDERS, ROLLER_WORN = (0.030, 0.028), (1.0, 0.5, 0.3), 4.0
FLAT_TURN, FLAT_MPS2 = 0.03, 0.5
"""The share of a turn that a flat spot takes."""


class GuideRails:
    """The rails, brackets and guides of a range of lifts."""

    def __init__(self, lifts: LiftParameters, seed: int) -> None:
        every, traits = np.arange(len(lifts.number)), rng.RandomStreams(seed, lifts.number, rng.RAILS)
        self._key = rng.stream_keys(seed, lifts.number, rng.JOINTS)
        self.rails_m = np.where(traits.uniform(every) < SHORT_SHARE, SHORT_RAILS_M, RAILS_M).astype(np.float32)
        self.first_m = (self.rails_m * traits.uniform(every)).astype(np.float32)
        self.roller_m = np.where(traits.uniform(every) < 0.5, *ROLLERS_M).astype(np.float32)
        self._phase = (2 * np.pi * traits.uniform(every)).astype(np.float32)
        self._rough = ((0.7 + 0.6 * traits.uniform(every)) * lifts.equipment.lateral).astype(np.float32)
        lowest, highest = lifts.heights_m[:, 0], np.nanmax(lifts.heights_m, axis=1)
        first = np.ceil((lowest - self.first_m) / self.rails_m)
        joints = np.maximum(np.floor((highest - self.first_m) / self.rails_m) - first + 1, 1)
        self.weak_joint = (first + np.floor(joints * traits.uniform(every))).astype(np.int64)

    def lateral_acceleration(self, condition: Condition, lift: Index, z_m: F32, pace: F32) -> tuple[F32, F32]:
        """Return the accelerations of these cars in x and y, m/s²; `pace` is their speed over the rated speed."""
        turn = 2 * z_m / self.roller_m[lift, None] + self._phase[lift, None]
        sway = np.sin(z_m * np.float32(2 * np.pi / BRACKETS_M) + self._phase[lift, None])
        sine, cosine = np.sin(turn), np.cos(turn)
        orders = _orders(sine, cosine), _orders(cosine, -sine)
        worn = (self._rough[lift] * (1 + ROLLER_WORN * condition.roller[lift])).astype(np.float32)[:, None]
        loose = (self._rough[lift] * (1 + SWAY_WORN * condition.shoe[lift])).astype(np.float32)[:, None]
        shakes = [
            pace * (ROLLER_MPS2[axis] * worn * orders[axis] + SWAY_MPS2[axis] * loose * sway) for axis in range(2)
        ]
        self._strike_joints(condition, lift, z_m, pace, shakes)
        flat = np.flatnonzero(condition.roller_flat[lift])
        if len(flat):
            turned = (turn[flat] / np.float32(2 * np.pi)) % 1 - np.float32(0.5)
            impact = condition.roller_flat[lift[flat], None] * FLAT_MPS2 * pulse(turned / np.float32(FLAT_TURN))
            for lateral_acceleration in shakes:
                lateral_acceleration[flat] += pace[flat] * impact.astype(np.float32)
        return shakes[0], shakes[1]

    def _strike_joints(self, condition: Condition, lift: Index, z_m: F32, pace: F32, shakes: list[F32]) -> None:
        """Add the impacts of the joints that are near."""
        rails_m = self.rails_m[lift, None]
        along = (z_m - self.first_m[lift, None]) / rails_m
        joint = np.rint(along)
        off = (along - joint) * rails_m / np.float32(JOINT_M)
        near = np.flatnonzero(np.abs(off) < JOINT_REACH)
        car, number = lift[near // z_m.shape[1]], joint.ravel()[near].astype(np.int64)
        impact = pace.ravel()[near] * pulse(off.ravel()[near])
        displaced = condition.joint[car] * (self.weak_joint[car] == number)
        for axis, lateral_acceleration in enumerate(shakes):
            fitted = 2 * rng.uniform(rng.hash_bits(self._key[car], 2 * number + axis)) - 1
            strength = JOINT_MPS2[axis] * self._rough[car] * fitted + JOINT_DISPLACED_MPS2[axis] * displaced
            lateral_acceleration.ravel()[near] += (strength * impact).astype(np.float32)


def pulse(u: F32) -> F32:
    """Return the shape of an impact: the derivative of a Gaussian, with peaks of 1 at u = -1 and 1."""
    return np.asarray(-u * np.exp(np.float32(0.5) - u * u / 2), dtype=np.float32)


def _orders(sine: F32, cosine: F32) -> F32:
    """Return the sum of the first three orders of a rotation, from the sine and cosine of its angle."""
    one, two, three = (np.float32(order) for order in ROLLER_ORDERS)
    return sine * (one + two * 2 * cosine + three * (3 - 4 * sine * sine))
