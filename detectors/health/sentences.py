"""The reasons of a health in words, in each language: short clauses, the limit beside the value."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from detectors.health.assessment import Assessment, Deduction, PartHealth
from detectors.health.measures import MEASURES, PARTS
from detectors.health.trends import Trend
from registry.catalogue import catalogue

TextsByLanguage = dict[str, str]

PART_NAMES: Mapping[str, tuple[str, str]] = dict(
    zip(
        PARTS,
        (
            ("door", "门系统"),
            ("drive and levelling", "驱动与平层"),
            ("ride and vibration", "乘运质量与振动"),
            ("safety", "安全"),
            ("sensors and connection", "传感与通信"),
        ),
        strict=True,
    )
)
MEASURE_NAMES: Mapping[str, tuple[str, str]] = {
    "door_open_s": ("opening time of the door", "开门时间"),
    "door_close_s": ("closing time of the door", "关门时间"),
    "reversals": ("reversals of the door at a stop", "每次停靠的门反向次数"),
    "stop_error_m": ("stop error", "平层误差"),
    "back_m": ("rollback at the start", "启动倒溜"),
    "slip": ("slip of the ropes", "钢丝绳滑移"),
    "speed_share": ("share of the rated speed", "运行速度占额定速度"),
    "a95_x_mps2": ("horizontal vibration, x (A95)", "水平振动 x（A95）"),
    "a95_y_mps2": ("horizontal vibration, y (A95)", "水平振动 y（A95）"),
    "a95_z_mps2": ("vertical vibration (A95)", "垂直振动（A95）"),
    "jerk_a95_mps3": ("jerk (A95)", "加加速度（A95）"),
    "rms_x_mid_mps2": ("horizontal vibration, x (cruise)", "水平振动 x（匀速段）"),
    "rms_y_mid_mps2": ("horizontal vibration, y (cruise)", "水平振动 y（匀速段）"),
    "rms_z_mid_mps2": ("vertical vibration (cruise)", "垂直振动（匀速段）"),
}
UNKNOWN_REASONS: Mapping[str, tuple[str, str]] = {
    "never-seen": ("not judged: nothing was received so far", "未监测：尚未收到任何数据"),
    "offline": ("not judged: the connection is lost", "未监测：通信中断"),
    "failed": ("not judged: its stored trips or alerts cannot be read", "未监测：已存储的行程或报警无法读取"),
    "blind": ("not judged: what it sends cannot be judged", "未监测：收到的数据无法判断"),
}
WELL = ("nothing found", "未见异常")
UNMEASURED = ("not measured", "未测量")


def words(pair: tuple[str, str]) -> TextsByLanguage:
    """Return a text in both languages by language."""
    return dict(zip(("en", "zh"), pair, strict=True))


def reason_of_lift(found: Assessment) -> TextsByLanguage:
    """Return why the health is what it is: the reason that it is unknown, or what takes the most points off."""
    if found.unknown is not None:
        return words(UNKNOWN_REASONS[found.unknown])
    known = [part for part in found.parts if part.health is not None]
    weakest = min(known, key=lambda part: part.health or 0.0)
    if not weakest.deductions:
        return words(WELL)
    why, name = reason_of_part(weakest), PART_NAMES[weakest.part]
    return {"en": f"{name[0]}: {why['en']}", "zh": f"{name[1]}：{why['zh']}"}


def reason_of_part(part: PartHealth) -> TextsByLanguage:
    """Return what takes the most points off a part."""
    if part.health is None:
        return words(UNMEASURED)
    return reason_of_deduction(part.deductions[0]) if part.deductions else words(WELL)


def reason_of_deduction(deduction: Deduction) -> TextsByLanguage:
    """Return a deduction in words."""
    if deduction.trend is not None:
        return reason_of_trend(deduction.trend)
    assert deduction.alert is not None
    rule = catalogue().get(deduction.alert.rule)
    en = rule.name["en"] if rule else deduction.alert.rule
    zh = rule.name.get("zh", en) if rule else en
    if deduction.alert.is_open:
        return words((f"open alert: {en}", f"未解除报警：{zh}"))
    days = round(deduction.alert.days_ago)
    ago = ("today", "今天") if days < 1 else (f"{days} d ago", f"{days} 天前")
    return words((f"{en}, {ago[0]}", f"{ago[1]}：{zh}"))


def reason_of_trend(trend: Trend) -> TextsByLanguage:
    """Return a trend in words, with its limit and its band of remaining time where there is one."""
    measure, (en, zh) = MEASURES[trend.place], MEASURE_NAMES[MEASURES[trend.place].name]
    before, now = (_quantity(trend.place, value) for value in (trend.before, trend.now))
    en, zh = f"{en} {before} → {now}", f"{zh} {before} → {now}"
    if np.isnan(measure.limit):
        return words((en, zh))
    limit = _quantity(trend.place, measure.limit)
    en, zh = f"{en}, limit {limit}", f"{zh}，限值 {limit}"
    if trend.remaining is None:
        return words((en, zh))
    early, late = (round(days) for days in trend.remaining)
    if late == 0:
        return words((f"{en}, reached", f"{zh}，已达到"))
    return words((f"{en} in {early} to {late} d", f"{zh}，预计 {early}–{late} 天后达到"))


def _quantity(place: int, value: float) -> str:
    measure = MEASURES[place]
    if measure.unit == "m":
        return f"{1000.0 * value:.1f} mm"
    if measure.name in ("slip", "speed_share"):
        return f"{100.0 * value:.1f} %"
    return f"{value:.3g} {measure.unit}".strip()
