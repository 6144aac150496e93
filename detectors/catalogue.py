"""The rules that are judged, in the order of the catalogue.

Adding a rule is one file in `rules/`, one line here, and one row of `registry/catalogue.toml`.
"""

from __future__ import annotations

from detectors.rule import Rule
from detectors.rules import (
    alarm_button,
    clock_skew,
    door_opened_running,
    empty_running,
    entrapment,
    motor_run_limit,
    overspeed,
    overtravel,
    position_lost,
    power_loss,
    run_too_long,
    sensor_fault,
    silence,
    stalled,
    start_door_open,
    stop_outside_zone,
    underspeed,
    unintended_movement,
)
from detectors.rules.braking import emergency_stop, long_braking, safety_chain_open
from detectors.rules.comfort import car_shaking, ride_quality
from detectors.rules.doors import (
    curtain_blocked,
    curtain_dead,
    door_close_fault,
    door_cycling,
    door_held_open,
    door_obstructed,
    door_open_fault,
)
from detectors.rules.wear import (
    excess_relevelling,
    levelling_error,
    machine_bearing,
    rail_joint,
    roller_guide,
    start_rollback,
    traction_slip,
)

RULES: tuple[Rule, ...] = (
    entrapment.ENTRAPMENT_OFF_LEVEL,
    entrapment.ENTRAPMENT_AT_LEVEL,
    alarm_button.RULE,
    stop_outside_zone.RULE,
    unintended_movement.RULE,
    start_door_open.RULE,
    door_opened_running.RULE,
    overspeed.OVERSPEED,
    overspeed.OVERSPEED_UP,
    underspeed.RULE,
    overtravel.OVERTRAVEL_TOP,
    overtravel.OVERTRAVEL_BOTTOM,
    emergency_stop.RULE,
    safety_chain_open.RULE,
    door_close_fault.RULE,
    door_open_fault.RULE,
    door_cycling.RULE,
    door_held_open.RULE,
    door_obstructed.RULE,
    curtain_blocked.RULE,
    curtain_dead.RULE,
    motor_run_limit.RULE,
    run_too_long.RULE,
    position_lost.RULE,
    levelling_error.RULE,
    excess_relevelling.RULE,
    start_rollback.RULE,
    long_braking.RULE,
    traction_slip.RULE,
    ride_quality.VERTICAL_VIBRATION,
    ride_quality.HORIZONTAL_VIBRATION,
    ride_quality.HARSH_RIDE,
    rail_joint.RULE,
    roller_guide.RULE,
    machine_bearing.RULE,
    car_shaking.RULE,
    power_loss.RULE,
    stalled.RULE,
    empty_running.RULE,
    sensor_fault.RULE,
    silence.RULE,
    clock_skew.RULE,
)
BY_SLUG = {rule.slug: rule for rule in RULES}
