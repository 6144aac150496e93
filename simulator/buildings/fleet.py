"""The facts of the simulated lifts, as the registry holds them.

Lift k of `fleet(n, seed)` is the same for every n. Twenty lifts make an estate (one district, one gateway); an estate
has buildings of one to eight lifts with the same floors. A building is identified by the number of its first lift.
Names and firms are invented.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np

from registry.facts import Floor, LiftFacts
from simulator.maths.rng import AGES, BUILDINGS, TRAITS, uniform_numbers

ESTATE_LIFTS = 20
FLEET_LIMIT = 100_000

OLD_DAYS = 15 * 365
RATED_SPEED_SHARES: dict[tuple[str, bool], dict[float, float]] = {
    ("residential", True): {0.5: 0.18, 0.63: 0.14, 0.75: 0.13, 1.0: 0.30, 1.5: 0.10, 1.6: 0.05, 1.75: 0.10},
    ("residential", False): {0.5: 0.02, 1.0: 0.10, 1.5: 0.10, 1.6: 0.06, 1.75: 0.50, 2.0: 0.12, 2.5: 0.10},
    ("office", True): {1.0: 0.15, 1.6: 0.15, 1.75: 0.25, 2.5: 0.25, 3.5: 0.20},
    ("office", False): {1.75: 0.20, 2.0: 0.15, 2.5: 0.25, 3.0: 0.10, 4.0: 0.30},
}
"""The shares of the rated speeds by building type, in buildings older than `OLD_DAYS` (true) and in others."""
BUILDING_DAYS, BUILDING_DAYS_POWER = (200.0, 10_950.0), 1.6
"""The ages of buildings: a uniform number to this power, between these limits."""
RENEWED_SHARE = 0.25
"""The share of lifts in old buildings that have been renewed since."""
BUILDING_LIFTS = {"residential": (1, 1, 2, 2, 2, 3, 4), "office": (2, 3, 4, 4, 5, 6, 8)}
OFFICE_SHARE = 0.15
"""The share of offices among the buildings; the others are residential."""
FLOORS = (6, 33)
TRAVEL_PER_SPEED_S = (12.0, 45.0)
PITCH_M = {"residential": (2.8, 3.2), "office": (3.6, 4.5)}
LOBBY_EXTRA_M = 1.2
CENTRE_DOOR_SHARE = 0.75

DISTRICTS = (
    ("wuxing", "吴兴区", "Wuxing", 30.8650, 120.1850),
    ("nanxun", "南浔区", "Nanxun", 30.8490, 120.4180),
    ("deqing", "德清县", "Deqing", 30.5430, 119.9770),
    ("changxing", "长兴县", "Changxing", 31.0270, 119.9110),
    ("anji", "安吉县", "Anji", 30.6380, 119.6800),
)
ESTATES = (
    ("锦绣花园", "Brocade Garden"),
    ("滨江国际", "Riverside International"),
    ("翠湖天地", "Green Lake Terrace"),
    ("望山府", "Hillview Court"),
    ("时代中心", "Times Centre"),
    ("紫金广场", "Zijin Plaza"),
    ("桂花苑", "Osmanthus Court"),
    ("东湖新城", "East Lake New Town"),
    ("金融大厦", "Finance Tower"),
    ("丝绸公馆", "Silk Residence"),
)
ROADS = (
    ("人民路", "Renmin Road"),
    ("莫干山路", "Moganshan Road"),
    ("太湖路", "Taihu Road"),
    ("学士路", "Xueshi Road"),
    ("竹海路", "Zhuhai Road"),
)
MAKERS = (("Hengsheng", "HS-P7"), ("Tianti", "TT-3000"), ("Norlift", "Aria 2"), ("Yunqi", "YQ-MRL"))
FIRMS = (
    "安达电梯 · Anda Lifts",
    "恒通维保 · Hengtong Care",
    "北辰机电 · Beichen Electric",
    "北门电梯 · Northgate Lift Service",
)
INSURERS = ("平泰保险 · Pingtai", "华安财险 · Hua'an", "湖畔互助 · Lakeside Mutual")
OWNERS = ("绿城物业 · Greentown Property", "嘉和物业 · Jiahe Property", "子午地产 · Meridian Estates")
TODAY = date(2026, 11, 1)

T = TypeVar("T")


class Building(NamedTuple):
    """A building of an estate: the number of its first lift, its number of lifts, and its type."""

    first: int
    lifts: int
    kind: str


def fleet(n: int, seed: int, offices: float = OFFICE_SHARE) -> list[LiftFacts]:
    """Return the facts of lifts 0 to n - 1 of this seed; `offices` is the share of offices among the buildings."""
    if not 1 <= n <= FLEET_LIMIT:
        raise ValueError(f"lifts: {n} is not between 1 and {FLEET_LIMIT}")
    facts: list[LiftFacts] = []
    for estate in range(-(-n // ESTATE_LIFTS)):
        facts.extend(_estate(estate, seed, offices))
    return facts[:n]


def building_of(number: Sequence[int], seed: int, offices: float = OFFICE_SHARE) -> list[int]:
    """Return the building of each of these lifts."""
    return [_building(k, seed, offices).first for k in number]


def neighbours(first: int, n: int, seed: int, offices: float = OFFICE_SHARE) -> dict[int, LiftFacts]:
    """Return, by number, the other lifts in the buildings of lifts `first` to `first + n - 1`."""
    begin, last = _building(first, seed, offices), _building(first + n - 1, seed, offices)
    missing = [*range(begin.first, first), *range(first + n, last.first + last.lifts)]
    estates = {estate: _estate(estate, seed, offices) for estate in {k // ESTATE_LIFTS for k in missing}}
    return {k: estates[k // ESTATE_LIFTS][k % ESTATE_LIFTS] for k in missing}


def _building(number: int, seed: int, offices: float) -> Building:
    return next(b for b in _plan(number // ESTATE_LIFTS, seed, offices) if b.first <= number < b.first + b.lifts)


@lru_cache(maxsize=FLEET_LIMIT // ESTATE_LIFTS)
def _plan(estate: int, seed: int, offices: float) -> tuple[Building, ...]:
    """Return the buildings of an estate; the last one has the remaining lifts."""
    draw = _Draw(seed, estate, BUILDINGS)
    plan, first, end = [], estate * ESTATE_LIFTS, (estate + 1) * ESTATE_LIFTS
    while first < end:
        kind = "office" if draw.uniform(0, 1) < offices else "residential"
        lifts = min(draw.choice(BUILDING_LIFTS[kind]), end - first)
        plan.append(Building(first, lifts, kind))
        first += lifts
    return tuple(plan)


class _Draw:
    """A sequence of random choices from one stream."""

    def __init__(self, seed: int, number: int, purpose: int = TRAITS) -> None:
        self.numbers = uniform_numbers(seed, number, purpose)

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * next(self.numbers)

    def integer(self, low: int, high: int) -> int:
        return int(self.uniform(low, high + 1))

    def choice(self, choices: tuple[T, ...]) -> T:
        return choices[self.integer(0, len(choices) - 1)]


def _estate(estate: int, seed: int, offices: float) -> list[LiftFacts]:
    """Return the facts of the twenty lifts of an estate."""
    draw = _Draw(seed, -1 - estate)
    zh, en = draw.choice(ESTATES)
    phase = draw.integer(1, 9)
    district, district_zh, district_en, lat, lon = draw.choice(DISTRICTS)
    lat, lon = lat + draw.uniform(-0.04, 0.04), lon + draw.uniform(-0.05, 0.05)
    (road_zh, road_en), number = draw.choice(ROADS), draw.integer(1, 999)
    address = f"{district_zh}{road_zh}{number}号 · {number} {road_en}, {district_en}"
    owner, phone = draw.choice(OWNERS), f"0572-555{draw.integer(0, 9999):04d}"
    facts = []
    for building, (first, lifts, kind) in enumerate(_plan(estate, seed, offices)):
        days = _building_days(seed, first)
        speed_mps = _rated_speed_mps(kind, days > OLD_DAYS, draw.uniform(0, 1))
        floors = _floors(draw, kind, speed_mps)
        for k in range(lifts):
            where = f"{zh}{phase}期{building + 1}号楼{k + 1}号梯"
            facts.append(
                LiftFacts(
                    lift_id=f"sim-{first + k + 1:05d}",
                    district=district,
                    name=f"{where} · {en} {phase}, Tower {building + 1}, Lift {k + 1}",
                    address=address,
                    lat=round(lat + 0.0004 * (building % 4), 5),
                    lon=round(lon + 0.0004 * (building // 4), 5),
                    timezone="Asia/Shanghai",
                    building_type=kind,
                    rated_speed_mps=speed_mps,
                    floors=floors,
                    owner=owner,
                    emergency_phone=phone,
                    **_machine(_Draw(seed, first + k), days),
                )
            )
    return facts


def _floors(draw: _Draw, kind: str, speed_mps: float) -> tuple[Floor, ...]:
    """Return the landings of a building: up to two basements, a ground floor, in some buildings no 4, 13 or 14.

    Faster lifts stand in taller buildings: the full travel takes 12 to 45 s at rated speed.
    """
    pitch_m = draw.uniform(*PITCH_M[kind])
    least, most = (int(np.clip(speed_mps * lasts_s / pitch_m + 1, *FLOORS)) for lasts_s in TRAVEL_PER_SPEED_S)
    floors = draw.integer(least, most)
    basements = draw.integer(0, 2)
    above = floors - basements
    ground = "G" if draw.uniform(0, 1) < 0.3 else "1"
    shy = draw.uniform(0, 1) < 0.4
    signs = {13: "12A", 14: "12B", 4: "3A"} if shy else {}
    labels = [f"B{k}" for k in range(basements, 0, -1)] + [ground]
    labels += [signs.get(k, str(k)) for k in range(2, above + 1)]
    heights = pitch_m * np.arange(len(labels)) + LOBBY_EXTRA_M * (np.arange(len(labels)) > basements)
    return tuple(Floor(label, round(float(height), 3)) for label, height in zip(labels, heights, strict=True))


def _building_days(seed: int, first: int) -> int:
    """Return the age of the building whose first lift is `first`."""
    share = next(uniform_numbers(seed, first, AGES)) ** BUILDING_DAYS_POWER
    low, high = BUILDING_DAYS
    return int(low + (high - low) * share)


def _rated_speed_mps(kind: str, old: bool, draw: float) -> float:
    """Return the rated speed of a building's lifts; `draw` is uniform."""
    shares = RATED_SPEED_SHARES[kind, old]
    steps = np.cumsum(list(shares.values()))[:-1]
    return list(shares)[int(np.searchsorted(steps, draw, "right"))]


def _machine(draw: _Draw, building_days: int) -> dict[str, Any]:
    """Return the facts of one lift's machine, door and papers; `building_days` is the age of its building."""
    maker, model = draw.choice(MAKERS)
    renewed = draw.uniform(0, 1) / RENEWED_SHARE
    days = building_days * renewed if building_days > OLD_DAYS and renewed < 1 else building_days
    installed = TODAY - timedelta(days=max(int(days), int(BUILDING_DAYS[0])))
    inspected = TODAY - timedelta(days=draw.integer(10, 350))
    return {
        "manufacturer": maker,
        "model": model,
        "installed_on": installed.isoformat(),
        "rated_load_kg": float(draw.choice((630, 800, 1000, 1050, 1350))),
        "door_type": "centre" if draw.uniform(0, 1) < CENTRE_DOOR_SHARE else "side",
        "door_width_mm": float(draw.choice((800, 900, 1000, 1100))),
        "roping": draw.choice(("1:1", "2:1", "2:1")),
        "sheave_diameter_m": draw.choice((0.32, 0.4, 0.4, 0.52)),
        "maintenance_firm": draw.choice(FIRMS),
        "insurer": draw.choice(INSURERS),
        "insured_until": (inspected + timedelta(days=365)).isoformat(),
        "last_inspection_on": inspected.isoformat(),
        "next_inspection_due_on": (inspected + timedelta(days=365)).isoformat(),
    }
