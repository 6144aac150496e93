"""The rules as plain loops, written from the catalogue: one lift, one row after the other.

A rule takes the observations of the car at a row (`naive.NaiveCar.row`, with `t_ns` and `stale`), or a finished trip
(`naive.NaiveCar.trip`), and returns (on, off, since) for each of its levels; NaN is "not known at this row". Nothing
here calls the fast code. Of F13 this is the part that reads the speed (the part that reads vibration has tests of its
own); F41, which reads no rows, is in `naive_silence`.
"""

from __future__ import annotations

from collections.abc import Callable

from registry.facts import LiftFacts
from tests.detectors.naive_braking import LongBraking, SafetyChainOpen
from tests.detectors.naive_doors import (
    CurtainDead,
    DoorCloseFault,
    DoorCycling,
    DoorHeldOpen,
    DoorObstructed,
    DoorOpenFault,
)
from tests.detectors.naive_lasting import CurtainBlocked, EmptyRunning, PowerLoss, SensorFault
from tests.detectors.naive_leaving import DoorOpenedRunning, StartDoorOpen, UnintendedMovement
from tests.detectors.naive_running import EmergencyStop, Overspeed, OverspeedUp, Overtravel
from tests.detectors.naive_runs import LevellingError, MotorRunLimit, RunTooLong
from tests.detectors.naive_standing import AlarmButton, Entrapment, StopOutsideZone
from tests.detectors.naive_trips import PositionLost, StartRollback, Underspeed
from tests.detectors.naive_wear import ExcessRelevelling, TractionSlip

NaiveRule = Callable[[LiftFacts], object]
NAIVE: dict[str, NaiveRule] = {
    "entrapment-off-level": lambda facts: Entrapment(facts, off_level=True),
    "entrapment-at-level": lambda facts: Entrapment(facts, off_level=False),
    "alarm-button": AlarmButton,
    "stop-outside-zone": StopOutsideZone,
    "unintended-movement": UnintendedMovement,
    "start-door-open": StartDoorOpen,
    "door-opened-running": DoorOpenedRunning,
    "door-open-fault": DoorOpenFault,
    "overspeed": Overspeed,
    "overspeed-up": OverspeedUp,
    "overtravel-top": lambda facts: Overtravel(facts, top=True),
    "overtravel-bottom": lambda facts: Overtravel(facts, top=False),
    "emergency-stop": EmergencyStop,
    "door-close-fault": DoorCloseFault,
    "door-cycling": DoorCycling,
    "door-held-open": DoorHeldOpen,
    "door-obstructed": DoorObstructed,
    "curtain-blocked": CurtainBlocked,
    "power-loss": PowerLoss,
    "underspeed": Underspeed,
    "motor-run-limit": MotorRunLimit,
    "run-too-long": RunTooLong,
    "position-lost": PositionLost,
    "levelling-error": LevellingError,
    "start-rollback": StartRollback,
    "safety-chain-open": SafetyChainOpen,
    "long-braking": LongBraking,
    "empty-running": EmptyRunning,
    "sensor-fault": SensorFault,
    "traction-slip": TractionSlip,
    "curtain-dead": CurtainDead,
    "excess-relevelling": ExcessRelevelling,
}
