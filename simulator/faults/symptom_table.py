"""The table of symptoms: every physical state of a lift that is labelled, as a predicate over the noise-free state.

The thresholds are the lift's own facts, the bounds of healthy lifts in this world, and the definitions of standards and
of the trade; none is taken from a detector.
"""

from __future__ import annotations

import numpy as np

from simulator.faults.symptom import GroundTruth, Symptom, impaired, while_impaired, while_moving
from telemetry.arrays import Bools
from telemetry.streams import CLOSED, CLOSING, NORMAL, OPEN, OPENING

SPEED_TOLERANCE = 0.02
SPEED_SHORT = 0.05
GOVERNOR_RATIO = 1.15
"""The governor acts from this multiple of the rated speed on (EN 81-20, 5.6.2.2.1.1)."""
RELEVELS_MPS = 0.30
LEVEL_M = 0.015
"""No stop of a healthy lift misses its landing by more."""
BEYOND_M = 0.1
"""No start, rope stretch or levelling takes a car so far past its last landing."""
DOOR_CYCLES = 5
SENT_BACK = 2
DRIVE_LIMIT_MPS2 = 1.5
"""No drive decelerates a car harder (GB/T 10058, 3.3)."""
RUN_LATE_S = 5.0
BRAKES_LATE_S = 0.05
"""No healthy brake takes so much longer to stop a car of this load and direction."""
ROLLS_BACK_S = 1.5
SHAKEN_MPS2 = 0.3
"""The vertical acceleration, RMS over a second, by which a standing car is shaken (docs/rules/car-shaking.md)."""
OPENS_S, WAITS_SHUT_S, DOOR_MOVES_S, DOOR_OPEN_S, DOORWAY_S, DEAD_S = 5.0, 20.0, 12.0, 60.0, 45.0, 60.0
"""No door, passenger or controller of a healthy lift takes longer."""


def _shut_in(t: GroundTruth) -> Bools:
    return t.at_rest & (t.door == CLOSED) & t.presence


def _strays(t: GroundTruth) -> Bools:
    """Return where a car slips from its landing, runs away or is past its last one: other rules have that reason."""
    return t.effect("brake_slips") | t.effect("runs_away") | (t.z_m > t.top_m) | (t.z_m < 0.0)


SYMPTOMS = (
    Symptom(
        "person-shut-in-off-level",
        "a person is in a car that stands off level, its door closed",
        ("entrapment-off-level",),
        lambda t: _shut_in(t) & (t.level_offset_m > t.door_zone_m),
    ),
    Symptom(
        "person-shut-in-at-level",
        "a person is in a car that stands at a landing, its door closed, longer than any healthy lift waits",
        ("entrapment-at-level",),
        lambda t: _shut_in(t) & (t.level_offset_m <= t.door_zone_m),
        after_s=WAITS_SHUT_S,
    ),
    Symptom("alarm-pressed", "the alarm button in the car is pressed", ("alarm-button",), lambda t: t.alarm),
    Symptom(
        "car-off-level",
        "the car stands outside the unlocking zone",
        ("stop-outside-zone",),
        lambda t: t.at_rest & (t.level_offset_m > t.door_zone_m),
    ),
    Symptom(
        "leaves-landing-door-open",
        "the car has left a landing with its door open, and is out of the unlocking zone",
        ("unintended-movement",),
        lambda t: (t.door == OPEN) & ~t.sprung & (t.level_offset_m > t.door_zone_m),
    ),
    Symptom(
        "runs-door-open",
        "the car has set off with its door open, and runs faster than it re-levels",
        ("start-door-open",),
        lambda t: (t.door == OPEN) & ~t.sprung & (np.abs(t.v_mps) > RELEVELS_MPS),
    ),
    Symptom(
        "door-opens-in-run",
        "the door opens outside the unlocking zone while the car runs",
        ("door-opened-running",),
        lambda t: (t.door == OPENING) & ~t.at_rest & (t.level_offset_m > t.door_zone_m),
        lambda t: (t.door != CLOSED) & ~t.at_rest,
    ),
    Symptom(
        "above-rated-speed",
        "the car is faster than its rated speed, and does not rise faster than a governor lets it",
        ("overspeed",),
        lambda t: (np.abs(t.v_mps) > (1 + SPEED_TOLERANCE) * t.rated_mps) & (t.v_mps <= GOVERNOR_RATIO * t.rated_mps),
    ),
    Symptom(
        "rises-too-fast",
        "the car rises faster than a governor lets it",
        ("overspeed-up",),
        lambda t: t.v_mps > GOVERNOR_RATIO * t.rated_mps,
    ),
    Symptom(
        "falls-too-fast",
        "the car goes down faster than a governor lets it",
        ("overspeed",),
        lambda t: t.v_mps < -GOVERNOR_RATIO * t.rated_mps,
    ),
    Symptom(
        "below-rated-speed",
        "runs do not reach the top speed that their distance allows",
        ("underspeed",),
        lambda t: ~t.at_rest & (t.peak_mps < (1 - SPEED_SHORT) * t.healthy_peak_mps),
        impaired("speed_loss"),
    ),
    Symptom(
        "run-takes-too-long",
        "a run takes longer than its distance needs",
        ("run-too-long",),
        lambda t: ~t.at_rest & (t.door == CLOSED) & (t.run_s > t.healthy_run_s + RUN_LATE_S) & (t.mode == NORMAL),
    ),
    Symptom(
        "drive-runs-car-stands",
        "the drive runs and the car does not move",
        ("motor-run-limit",),
        lambda t: t.at_rest & (t.condition("spins_mps") != 0),
    ),
    Symptom(
        "stands-dead",
        "the controller hangs: the car stands and answers no call",
        ("stalled",),
        lambda t: t.effect("halts") & t.at_rest & ~t.battery,
        after_s=DEAD_S,
    ),
    Symptom(
        "runs-empty",
        "the car runs to and fro without a call",
        ("empty-running",),
        lambda t: t.effect("runs_uncalled") & ~t.at_rest & ~t.presence,
        lambda t: t.effect("runs_uncalled"),
        after_s=DEAD_S,
    ),
    Symptom(
        "beyond-top", "the car is above its top landing", ("overtravel-top",), lambda t: t.z_m > t.top_m + BEYOND_M
    ),
    Symptom(
        "beyond-bottom", "the car is below its bottom landing", ("overtravel-bottom",), lambda t: t.z_m < -BEYOND_M
    ),
    Symptom(
        "hard-stop",
        "the car slows down harder than any drive does",
        ("emergency-stop",),
        lambda t: t.slowing_mps2 > DRIVE_LIMIT_MPS2,
    ),
    Symptom(
        "safety-chain-open",
        "a contact of the safety chain is open and holds the car",
        ("safety-chain-open",),
        lambda t: t.chain_open & ~_strays(t),
    ),
    Symptom(
        "safety-chain-open-astray",
        "a contact of the safety chain was opened by a car that ran away, left its landing or passed its last one",
        (),
        lambda t: t.chain_open & _strays(t),
    ),
    Symptom(
        "door-does-not-close",
        "the door keeps closing and is never closed",
        ("door-close-fault",),
        lambda t: t.door == CLOSING,
        after_s=DOOR_MOVES_S,
    ),
    Symptom(
        "door-reverses",
        "the door has turned back more often at this stop than people send it back",
        ("door-close-fault",),
        lambda t: (t.reversals > SENT_BACK) & (t.door != CLOSED),
    ),
    Symptom(
        "door-does-not-open",
        "the car has arrived with a person and its door stays shut",
        ("door-open-fault",),
        lambda t: _shut_in(t) & (t.level_offset_m <= t.door_zone_m) & (t.cycles == 0),
        after_s=OPENS_S,
    ),
    Symptom(
        "door-cycles",
        "the door has opened and closed five times since the last run",
        ("door-cycling",),
        lambda t: (t.cycles >= DOOR_CYCLES) & (t.door == CLOSED),
        lambda t: t.cycles >= DOOR_CYCLES,
    ),
    Symptom(
        "door-stays-open",
        "the door stands open longer than any passengers take",
        ("door-held-open",),
        lambda t: t.at_rest & (t.door == OPEN) & (t.level_offset_m <= t.door_zone_m),
        after_s=DOOR_OPEN_S,
    ),
    Symptom(
        "doorway-blocked",
        "something or somebody stays in the open doorway",
        ("door-obstructed",),
        lambda t: (t.door == OPEN) & t.curtain,
        after_s=DOORWAY_S,
    ),
    Symptom(
        "door-slow",
        "the door takes longer than a healthy one",
        (),
        lambda t: (t.condition("door_drag") != 0) & ((t.door == OPENING) | (t.door == CLOSING)),
        impaired("door_drag"),
    ),
    Symptom("on-battery", "the mains are off", ("power-loss",), lambda t: t.battery),
    Symptom("silence", "the terminal sends nothing", ("offline",), lambda t: t.silent),
    Symptom(
        "kept-back", "the terminal is cut off and buffers its messages", ("offline",), lambda t: t.condition("cut")
    ),
    Symptom("not-in-service", "the lift is in a mode other than normal", (), lambda t: t.mode != NORMAL),
    Symptom(
        "stops-off-level",
        "stops miss their landings by more than those of a healthy lift",
        ("levelling-error",),
        lambda t: t.at_rest & (t.door == OPEN) & (t.stop_error_m > LEVEL_M) & (t.stop_error_m < t.door_zone_m),
        impaired("level_m"),
    ),
    Symptom(
        "re-levels",
        "the car sinks at its landing with the door open, and levels again",
        ("excess-relevelling",),
        lambda t: ~t.at_rest & (t.door == OPEN) & (np.abs(t.v_mps) <= RELEVELS_MPS) & (t.condition("sinks_mps") != 0),
        impaired("sinks_mps"),
    ),
    Symptom(
        "rolls-back",
        "the car starts in the wrong direction",
        ("start-rollback",),
        lambda t: (t.run_s < ROLLS_BACK_S) & (t.v_mps * t.heading < 0) & (t.condition("rollback_m") != 0),
        impaired("rollback_m"),
    ),
    Symptom(
        "brakes-long",
        "the brake takes longer than it should to stop the car",
        ("long-braking",),
        lambda t: ~t.at_rest & (t.overdue_s > BRAKES_LATE_S),
        lambda t: t.condition("brake_torque") < 1,
    ),
    while_moving("harsh-ride", "starts and stops are harsh", "harsh-ride", "harsh"),
    while_moving("ropes-slip", "the ropes slip on the sheave", "traction-slip", "slip"),
    while_moving("vibrates-vertically", "the car vibrates vertically", "vertical-vibration", "sheave", "rope_tension"),
    while_moving("vibrates-sideways", "the car vibrates sideways", "horizontal-vibration", "shoe", "roller_flat"),
    while_moving("rail-joint-knocks", "the car knocks at one place of the shaft", "rail-joint", "joint"),
    while_moving("rollers-worn", "the guide rollers or shoes are worn", "roller-guide", "roller", "roller_flat"),
    while_moving("bearing-damaged", "a bearing of the machine is damaged", "machine-bearing", "bearing"),
    Symptom(
        "car-shakes",
        "those inside shake the standing car, its door closed, by more than 0.3 m/s² RMS over a second",
        ("car-shaking",),
        lambda t: t.at_rest & (t.door == CLOSED) & (t.condition("jumping_kg") != 0) & (t.shaken_mps2 > SHAKEN_MPS2),
    ),
    while_impaired(
        "curtain-reads-blocked", "the light curtain always reads blocked", "curtain-blocked", "curtain_blocked"
    ),
    while_impaired("curtain-reads-clear", "the light curtain is never blocked", "curtain-dead", "curtain_dead"),
    while_impaired("position-reads-wrong", "the position sensor is off", "position-lost", "position.offset"),
    while_impaired("position-stuck", "the position sensor repeats itself", "sensor-fault", "position.stuck"),
    while_impaired("position-spikes", "the position sensor jumps", "sensor-fault", "position.spike_share"),
    while_impaired("speed-dead", "the speed sensor reads nothing but zero", "sensor-fault", "speed.dead"),
    while_impaired("speed-stuck", "the speed sensor repeats itself", "sensor-fault", "speed.stuck"),
    Symptom(
        "speed-reads-wrong",
        "the speed sensor reads every speed too low",
        ("position-lost",),
        lambda t: ~t.at_rest & (t.condition("speed.gain") != 1),
        lambda t: t.condition("speed.gain") != 1,
    ),
    while_impaired(
        "accelerometer-dead", "the accelerometer reads nothing but zero", "sensor-fault", "accelerometer.dead"
    ),
    while_impaired("accelerometer-silent", "the accelerometer sends nothing", "sensor-fault", "accelerometer.mute"),
    while_impaired(
        "accelerometer-reads-wrong", "the accelerometer's zero is off", "sensor-fault", "accelerometer.offset"
    ),
    while_impaired(
        "presence-stuck", "the presence sensor reads occupied in an empty car", "sensor-fault", "presence_stuck"
    ),
    while_impaired("presence-dead", "the presence sensor reads empty", "sensor-fault", "presence_dead"),
    while_impaired("door-sensor-stuck", "the door sensor always reads closed", "sensor-fault", "door_stuck"),
    while_impaired("clock-wrong", "the terminal's clock is wrong", "clock-skew", "clock_s"),
    while_impaired("out-of-order", "messages come out of order", "clock-skew", "scrambled"),
)

BY_SLUG: dict[str, Symptom] = {symptom.slug: symptom for symptom in SYMPTOMS}
RULES: dict[str, tuple[str, ...]] = {symptom.slug: symptom.rules for symptom in SYMPTOMS}
