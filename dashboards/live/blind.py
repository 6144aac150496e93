"""The reasons why messages of a lift are received but not judged, each with the remedy in every language.

The reasons are those of the live table, which are the reasons of refusals and a few more, and `UNWATCHED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telemetry import instant

UNWATCHED = "unwatched"
"""The monitor that watches the lift does not run."""
OTHER = "other"

TEXTS: Mapping[str, tuple[str, str]] = {
    UNWATCHED: ("the monitor of its partition is not running: start it", "其分区的监测程序未运行：请启动"),
    "repeated": (
        "its device sends the same message again and again: restart the device, or count `seq` up",
        "终端反复发送同一条消息：请重启终端，或检查 seq 是否递增",
    ),
    "late": (
        "its messages are older than those judged before: send the newest first, and set the device's clock",
        "消息时间早于已监测的数据：请先发送最新数据，并校准终端时钟",
    ),
    "expired": (
        "its readings are older than readings are kept: set the device's clock, or wait while it catches up",
        "数据时间早于保存期限：请校准终端时钟，或等待补传完成",
    ),
    "units": (
        "no lift has its speed or position: send m/s and m above the lowest landing, and check rated speed and floors",
        "速度或位置超出电梯可能范围：请使用 m/s 和 m（最低层站以上），并核对额定速度与楼层",
    ),
    "outrun": (
        "it sends faster than its messages can be judged, and those that waited longest were given up: send less",
        "发送速度超过监测能力，等待最久的消息已被放弃：请降低发送量",
    ),
    "no-rule": (
        "it sends only vibration, from which no rule concludes: send speed or position, and door and infrared too",
        "仅发送振动数据，无规则可据此判断：请同时发送速度或位置，以及门和红外数据",
    ),
    "unjudgeable": ("the monitor failed at its messages: report its log", "监测程序处理其消息时出错：请反馈日志"),
    "clock-behind": (
        "its messages are refused: their time lies before 2015; send milliseconds, not seconds, and set its clock",
        "消息被拒绝：时间早于 2015 年；请发送毫秒而非秒，并校准终端时钟",
    ),
    "clock-ahead": (
        "its messages are refused: their time is ahead of ours; set its clock, and send milliseconds",
        "消息被拒绝：时间超前；请校准终端时钟，并发送毫秒",
    ),
    "topic": ("its messages are refused: their topic is not of the form", "消息被拒绝：主题格式错误"),
    "stream": ("its messages are refused: their topic names no stream", "消息被拒绝：主题中的数据流名称错误"),
    OTHER: (
        "its messages are refused ({reason}): the dead letters name the wrong field",
        "消息被拒绝（{reason}）：被拒消息中列出了有误的字段",
    ),
}


def blind_document(reason: str, since_ns: int | None) -> dict[str, Any] | None:
    """Return why and since when a lift is blind, and the remedy in each language; None for a lift that is judged."""
    if not reason:
        return None
    en, zh = (text.format(reason=reason) for text in TEXTS.get(reason, TEXTS[OTHER]))
    return {"reason": reason, "since": instant.text(since_ns), "text": {"en": en, "zh": zh}}
