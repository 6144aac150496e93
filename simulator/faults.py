"""What can go wrong in the world: causes, what each does to the machine, and the rules people expect to hear from.

A cause is physical; its symptom follows from the motion and the doors. The table is the whole of it: the cycle asks
its columns ("does this cause brake a run, and how hard?"), and no code names a cause. `rules` is text for people and
for the referee: nothing here knows a threshold.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

ANYWHERE, RIDE, EMPTY_RUN, LANDING = range(4)
RIGHT, SHUT, REVERSES, SLIPS, HELD_OPEN, REOPENS, LEFT_OPEN, POPS_OPEN = range(8)


@dataclass(frozen=True, slots=True)
class Cause:
    """One physical cause.

    `needs` is the situation that it shows itself in: a ride with a person, a run of the empty car, a landing with the
    door open, or anywhere. `default_s` is how long it lasts from its first symptom; `soon_s` about how long that takes
    after the injection into a resting lift. The rest is what it does; the defaults are a sound machine:

    `brake_mps2`   stops a run between two landings with this deceleration (0: does not)
    `speed_ratio`  the drive's plateau over the rated speed; `sense` the only direction it acts in (+1 up, -1 down)
    `overtravels`  runs through the terminal landing on the side of `sense`
    `door`         what the door does instead of its duty; `creeps`: the brake lets the car go at an open door
    `freezes`      the controller stops once the door has closed on a person
    """

    slug: str
    en: str
    zh: str
    symptom: str
    rules: tuple[str, ...]
    default_s: float
    soon_s: float
    needs: int = ANYWHERE
    brake_mps2: float = 0.0
    speed_ratio: float = 1.0
    sense: int = 0
    overtravels: bool = False
    door: int = RIGHT
    creeps: bool = False
    freezes: bool = False
    alarm: bool = False
    battery: bool = False
    silent: bool = False
    last_will: bool = False


_SOUND = Cause("none", "nothing", "无", "none", (), 0.0, 0.0)

_TABLE = (
    Cause(
        "car-stalled-between-floors",
        "the drive trips and the car stops between floors with a person in it",
        "变频器保护，轿厢载人停在层间",
        "person in a car that stands off level, door closed",
        ("entrapment-off-level", "stop-outside-zone"),
        180.0,
        14.0,
        needs=RIDE,
        brake_mps2=1.1,
    ),
    Cause(
        "power-cut",
        "the mains fail: the brake drops and the car stops between floors with a person in it",
        "主电源断电，抱闸制动，轿厢载人停在层间",
        "emergency stop off level, on battery",
        ("power-loss", "emergency-stop", "entrapment-off-level", "stop-outside-zone"),
        300.0,
        14.0,
        needs=RIDE,
        brake_mps2=2.1,
        battery=True,
    ),
    Cause(
        "safety-chain-glitch",
        "a contact of the safety chain opens for a moment and the brake stops the running car",
        "安全回路瞬断，运行中紧急制动",
        "emergency stop",
        ("emergency-stop",),
        12.0,
        14.0,
        needs=RIDE,
        brake_mps2=2.2,
    ),
    Cause(
        "position-encoder-failed",
        "the position encoder fails and the empty car stops outside the door zone",
        "位置编码器故障，空轿厢停在开锁区域外",
        "empty car stands off level",
        ("stop-outside-zone",),
        120.0,
        5.0,
        needs=EMPTY_RUN,
        brake_mps2=1.1,
    ),
    Cause(
        "controller-frozen-at-landing",
        "the controller freezes at a landing just after the door has closed on a person",
        "控制器死机，平层关门困人",
        "person in a car that stands level, door closed",
        ("entrapment-at-level",),
        180.0,
        10.0,
        needs=RIDE,
        freezes=True,
    ),
    Cause(
        "door-operator-dead",
        "the door operator is dead: the car arrives with a person and the door stays shut",
        "门机失效，到站不开门",
        "level with a person in the car, door stays closed",
        ("door-open-fault", "entrapment-at-level"),
        150.0,
        20.0,
        needs=RIDE,
        door=SHUT,
    ),
    Cause(
        "alarm-button-pressed",
        "somebody in the moving car presses the alarm button",
        "乘客在运行的轿厢内按下报警按钮",
        "alarm button pressed in a closed car",
        ("alarm-button",),
        10.0,
        15.0,
        needs=RIDE,
        alarm=True,
    ),
    Cause(
        "brake-failure-doors-open",
        "the machine brake slips while the door stands open; the safety gear catches the car",
        "开门时制动器失效，轿厢意外移动，夹轨器制停",
        "car leaves the landing with its door open",
        ("unintended-movement", "start-door-open"),
        120.0,
        7.0,
        needs=LANDING,
        creeps=True,
    ),
    Cause(
        "door-lock-bridged",
        "a bridged door contact lets the car start with its door open",
        "门锁回路被短接，开门走梯",
        "car runs with its door open",
        ("start-door-open", "unintended-movement"),
        30.0,
        8.0,
        needs=LANDING,
        door=LEFT_OPEN,
    ),
    Cause(
        "door-coupler-loose",
        "the worn coupler lets the car door spring open in mid-run; its contact stops the car",
        "门刀松动，运行中轿门弹开",
        "door opens while the car runs",
        ("door-opened-running", "emergency-stop"),
        12.0,
        15.0,
        needs=RIDE,
        brake_mps2=2.1,
        door=POPS_OPEN,
    ),
    Cause(
        "speed-regulator-drift",
        "the speed regulator has drifted: runs are a little too fast",
        "速度调节漂移，运行速度偏高",
        "plateau speed 9 % above rated",
        ("overspeed",),
        120.0,
        4.0,
        needs=EMPTY_RUN,
        speed_ratio=1.09,
    ),
    Cause(
        "governor-overspeed",
        "the drive runs away downwards until governor and safety gear stop the car",
        "下行超速，限速器安全钳动作",
        "car falls too fast, then a hard stop off level",
        ("overspeed", "emergency-stop"),
        60.0,
        5.0,
        needs=EMPTY_RUN,
        speed_ratio=1.27,
        sense=-1,
        brake_mps2=4.0,
    ),
    Cause(
        "counterweight-runaway",
        "the brake cannot hold the heavier counterweight: the empty car rises too fast",
        "制动力不足，空轿厢被对重拉动上行超速",
        "car rises too fast",
        ("overspeed-up",),
        60.0,
        5.0,
        needs=EMPTY_RUN,
        speed_ratio=1.27,
        sense=1,
    ),
    Cause(
        "top-slowdown-lost",
        "the slow-down switch at the top is lost: the car passes the top landing",
        "上端站减速开关失效，冲顶",
        "car stands above the top landing",
        ("overtravel-top", "emergency-stop"),
        60.0,
        22.0,
        needs=EMPTY_RUN,
        sense=1,
        overtravels=True,
    ),
    Cause(
        "bottom-slowdown-lost",
        "the slow-down switch at the bottom is lost: the car lands on its buffer",
        "下端站减速开关失效，蹲底",
        "car hits the buffer below the bottom landing",
        ("overtravel-bottom",),
        60.0,
        22.0,
        needs=EMPTY_RUN,
        sense=-1,
        overtravels=True,
    ),
    Cause(
        "door-obstruction",
        "something lies in the doorway: the door reverses every time it closes",
        "门口有障碍物，反复关门不到位",
        "door reverses again and again",
        ("door-close-fault",),
        60.0,
        7.0,
        needs=LANDING,
        door=REVERSES,
    ),
    Cause(
        "door-belt-slipping",
        "the door belt slips: the door starts to close and never gets there",
        "门机皮带打滑，关门不到位",
        "door is closing and never closed",
        ("door-close-fault",),
        60.0,
        7.0,
        needs=LANDING,
        door=SLIPS,
    ),
    Cause(
        "hall-button-stuck",
        "a stuck hall button opens the door again each time it has closed",
        "外呼按钮粘连，反复开关门",
        "door cycles at one stop",
        ("door-cycling",),
        90.0,
        7.0,
        needs=LANDING,
        door=REOPENS,
    ),
    Cause(
        "door-open-button-stuck",
        "the door-open button is stuck: the door stays open",
        "开门按钮卡住，长时间开门",
        "door stays open",
        ("door-held-open",),
        180.0,
        7.0,
        needs=LANDING,
        door=HELD_OPEN,
    ),
    Cause(
        "terminal-dead",
        "the terminal is dead: nothing more is heard, behind a connection that lives",
        "终端死机，无任何上报",
        "silence",
        ("offline",),
        480.0,
        1.0,
        silent=True,
    ),
    Cause(
        "network-cut",
        "the terminal's link is cut and the broker speaks its last will",
        "终端断网，代理发布遗嘱消息",
        "last will, then silence",
        ("offline",),
        120.0,
        1.0,
        silent=True,
        last_will=True,
    ),
)

CAUSES: dict[str, Cause] = {cause.slug: cause for cause in _TABLE}
NUMBER: dict[str, int] = {cause.slug: k for k, cause in enumerate(_TABLE, start=1)}
BY_NUMBER = (_SOUND, *_TABLE)


@dataclass(frozen=True, slots=True)
class Effects:
    """The numbers of the table as columns over `BY_NUMBER`; index them with the cause of each lift."""

    needs: NDArray[np.int64]
    brake_mps2: NDArray[np.float64]
    speed_ratio: NDArray[np.float64]
    sense: NDArray[np.int64]
    overtravels: NDArray[np.bool_]
    door: NDArray[np.int64]
    creeps: NDArray[np.bool_]
    freezes: NDArray[np.bool_]
    alarm: NDArray[np.bool_]
    battery: NDArray[np.bool_]
    silent: NDArray[np.bool_]
    last_will: NDArray[np.bool_]


def _columns() -> Effects:
    columns: dict[str, Any] = {f.name: np.array([getattr(c, f.name) for c in BY_NUMBER]) for f in fields(Effects)}
    return Effects(**columns)


EFFECTS = _columns()


@dataclass(frozen=True, slots=True)
class Label:
    """What truly happened: a fault that showed itself on a lift. Times are seconds of the world's clock."""

    lift: int
    cause: Cause
    injected_s: float
    onset_s: float
    end_s: float
