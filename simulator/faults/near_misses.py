"""What looks like trouble and is none: rows of the table of causes, of the kind "near-miss", without a symptom.

The law: nothing here may raise anything above minor. What is also how the world is at all times (the weather, short
trips, idle hours, loads that make a car level again) comes here in stretches worth looking at, and no longer.
"""

from __future__ import annotations

from simulator.faults.cause import HELD_OPEN, IDLE, INTERMITTENT, LANDING, NEAR_MISS, RIDE, STARTS_OPEN, Cause, Effect
from telemetry.streams import FIRE, FIREFIGHTER, INSPECTION

PARKED_OPEN = "parked-open"
"""Of lifts alone whose fact `parks_door_open` is true."""
WEATHER = "weather-on-barometer"
"""Of lifts alone whose position is told by a barometer."""

NEAR_MISSES = (
    Cause(
        "removal",
        "people hold the door while they carry furniture in and out",
        "搬家：人员扶住电梯门搬运家具",
        (),
        600.0,
        7.0,
        Effect(situation=LANDING, door=HELD_OPEN, people_pass=True),
        kind=NEAR_MISS,
    ),
    Cause(
        "long-dwell",
        "somebody is waited for: the door stands open a good while, and nobody passes",
        "等人：电梯门长时间合法开启",
        (),
        80.0,
        7.0,
        Effect(situation=LANDING, door=HELD_OPEN),
        kind=NEAR_MISS,
    ),
    Cause(
        "slow-boarding",
        "passengers who step in slowly, with a walking frame or a pram, stand in the doorway",
        "乘客缓慢进入轿厢，停留在门口",
        (),
        25.0,
        7.0,
        Effect(situation=LANDING, door=HELD_OPEN, blocks_doorway=True),
        kind=NEAR_MISS,
    ),
    Cause(
        "children-jumping",
        "children who ride jump in the car, and the ropes ring with them",
        "儿童在轿厢内蹦跳",
        (),
        25.0,
        8.0,
        Effect(situation=RIDE, during_ride=True),
        {"jumping_kg": (30.0, 90.0)},
        kind=NEAR_MISS,
    ),
    Cause(
        "inspection-run",
        "a mechanic moves the car from its roof to the next landing, slowly, in inspection mode and with the door open",
        "检修运行：维保人员以检修速度开门移动轿厢",
        (),
        150.0,
        8.0,
        Effect(situation=LANDING, door=STARTS_OPEN, inspection_speed=True, mode=INSPECTION),
        kind=NEAR_MISS,
    ),
    Cause(
        "maintenance-visit",
        "a mechanic visits: works at the open car, moves it from its roof, tries its door, and lets it run once",
        "维保作业：开门检修、轿顶检修运行、门机测试、恢复正常并试运行",
        (),
        1500.0,
        7.0,
        Effect(situation=LANDING, door=HELD_OPEN, people_pass=True, maintenance=True, mode=INSPECTION),
        kind=NEAR_MISS,
    ),
    Cause(
        "terminal-serviced",
        "a mechanic takes the power off the terminal in inspection mode, and puts it on again",
        "维保断电：检修状态下终端断电后重新上电",
        (),
        180.0,
        1.0,
        Effect(situation=IDLE, silent=True, mode=INSPECTION),
        kind=NEAR_MISS,
    ),
    Cause(
        "fire-recall",
        "a fire drill: the car waits with its door open, in fire mode",
        "消防演习：消防返回，开门待命",
        (),
        900.0,
        7.0,
        Effect(situation=LANDING, door=HELD_OPEN, mode=FIRE),
        kind=NEAR_MISS,
    ),
    Cause(
        "firefighter-operation",
        "firefighters practise: they hold the door for as long as they like",
        "消防员运行演练",
        (),
        300.0,
        7.0,
        Effect(situation=LANDING, door=HELD_OPEN, people_pass=True, mode=FIREFIGHTER),
        kind=NEAR_MISS,
    ),
    Cause(
        PARKED_OPEN,
        "the controller is set to park the car with its door open",
        "按设定开门待梯",
        (),
        900.0,
        7.0,
        Effect(situation=LANDING, door=HELD_OPEN),
        kind=NEAR_MISS,
        form=INTERMITTENT,
    ),
    Cause(
        "short-trips",
        "somebody rides to and fro between two landings, too short a way to reach the rated speed",
        "短程往返：未达到额定速度",
        (),
        240.0,
        1.0,
        Effect(situation=IDLE, shuttles=True),
        kind=NEAR_MISS,
    ),
    Cause(
        "re-levelling-under-load",
        "goods are brought in and out again: on long ropes the car sinks and rises, and levels again",
        "装卸重物：轿厢下沉后再平层",
        (),
        420.0,
        7.0,
        Effect(situation=LANDING, door=HELD_OPEN, people_pass=True),
        {"goods": (0.6, 1.0)},
        kind=NEAR_MISS,
    ),
    Cause(
        "night-idleness",
        "the building is deserted, as by night: nobody calls, and its lifts stand",
        "夜间无人：电梯长时间停驶",
        (),
        3600.0,
        1.0,
        condition={"deserted": (1.0, 1.0)},
        kind=NEAR_MISS,
        whole_building=True,
    ),
    Cause(
        WEATHER,
        "wind stands on the shaft: the air's pressure swells and ebbs, and a barometer with it",
        "大风：井道气压变化，气压计读数偏移",
        (),
        1800.0,
        1.0,
        condition={"gust_m": (1.0, 6.0)},
        kind=NEAR_MISS,
    ),
)
