"""The details of refusals in Chinese: a template for each English sentence of the decoder and of the monitor.

A refusal is stored with its English detail only. The template that a detail matches gives the values of its `{holes}`,
which are translated in the same way where they are sentences themselves. Names of fields, units and values stay.
"""

from __future__ import annotations

import re
from functools import cache

TEXTS: tuple[tuple[str, str], ...] = (
    # --- topics
    (
        "begins with a slash, which makes an empty first level: remove it, as in {form}",
        "主题以斜杠开头，首级为空：请去掉，格式为 {form}",
    ),
    (
        "ends with a slash, which makes an empty last level: remove it, as in {form}",
        "主题以斜杠结尾，末级为空：请去掉，格式为 {form}",
    ),
    (
        "begins with {levels}: must begin with lift/v1, as in {form}",
        "主题以 {levels} 开头：须以 lift/v1 开头，格式为 {form}",
    ),
    ("has {count} levels where there must be 5: {form}", "主题有 {count} 级，应为 5 级：{form}"),
    ("the district {level} must be 1 to 32 of a-z, 0-9 and -", "区域 {level} 须为 1 到 32 个 a-z、0-9 或 - 字符"),
    (
        "the lift id {level} must be 1 to 64 of A-Z, a-z, 0-9, _ and -",
        "电梯编号 {level} 须为 1 到 64 个 A-Z、a-z、0-9、_ 或 - 字符",
    ),
    (
        "{level} is no stream: must be one of {streams}; did you mean {near}?",
        "{level} 不是数据流：须为 {streams} 之一；是否应为 {near}？",
    ),
    ("{level} is no stream: must be one of {streams}", "{level} 不是数据流：须为 {streams} 之一"),
    ("the topic has {count} characters: at most {limit} make sense", "主题有 {count} 个字符：最多 {limit} 个"),
    ("{level} (with a blank: remove it)", "{level}（含空格：请去掉）"),
    # --- payloads
    ("the payload is empty: send one JSON or CBOR object", "消息内容为空：请发送一个 JSON 或 CBOR 对象"),
    (
        "{count} bytes: at most {limit} are taken; send shorter spans",
        "{count} 字节：最多 {limit} 字节；请缩短每条消息的时段",
    ),
    (
        "the payload begins with the byte {octet}: send a JSON object or a CBOR map",
        "消息内容以字节 {octet} 开头：请发送 JSON 对象或 CBOR 映射",
    ),
    (
        "more bytes follow the CBOR object: send one object in a message",
        "CBOR 对象之后还有字节：每条消息只发送一个对象",
    ),
    ("the payload is nested too deeply: a gateway message needs five levels", "消息嵌套过深：网关消息只需五层"),
    ("nested deeper than {limit} levels: a gateway message needs five", "嵌套超过 {limit} 层：网关消息只需五层"),
    ("{field} is there twice in one object: say it once", "{field} 在同一对象中出现两次：请只发送一次"),
    ("{count} fields in one object: at most {limit} are taken", "一个对象有 {count} 个字段：最多 {limit} 个"),
    (
        "a whole number that 64 bits do not hold: send numbers in the unit of the contract",
        "整数超出 64 位：请按约定的单位发送数值",
    ),
    ("not JSON: {place}", "不是 JSON：{place}"),
    ("not CBOR: {message}", "不是 CBOR：{message}"),
    ("{message} at character {position}", "{message}（第 {position} 个字符）"),
    (
        "{message}: only typed arrays of float32/64 and int16/32 (LE) are taken",
        "{message}：仅支持 float32/64 和 int16/32（小端）类型数组",
    ),
    ("{message}: say it once", "{message}：请只发送一次"),
    # --- gateways
    (
        "a lift id must have 1 to 64 of the characters A-Z, a-z, 0-9, _ and -",
        "电梯编号须为 1 到 64 个 A-Z、a-z、0-9、_ 或 - 字符",
    ),
    ("lifts: is required, one bundle for each lift id", "缺少 lifts：每个电梯编号对应一个数据包"),
    (
        (
            "the device {lift_id} is revoked and no other device sends for {lift_id}: add the device again if the"
            " message is its own, and let the broker refuse whoever has no credential"
        ),
        (
            "设备 {lift_id} 已吊销，且没有其他设备代 {lift_id} 发送：若消息确为其所发，请重新添加该设备，"
            "并让消息服务器拒绝没有凭据的发送方"
        ),
    ),
    (
        (
            "{sender} may not speak for {lift_id}: set the fact gateway_id of {lift_id} to {sender} if it is its"
            " gateway, and add {lift_id} to the lifts of the device {sender}; else someone uses the password of"
            " {sender} to forge readings, change it"
        ),
        (
            "{sender} 无权代 {lift_id} 发送：若 {sender} 确为其网关，请将 {lift_id} 的档案 gateway_id 设为 {sender}，"
            "并将 {lift_id} 加入设备 {sender} 的电梯；否则有人使用 {sender} 的密码伪造数据，请更换密码"
        ),
    ),
    (
        "{lift_id}: too many lifts that the registry does not know; register it",
        "{lift_id}：未登记的电梯过多；请登记该电梯",
    ),
    (
        "could not be decoded, by a mistake of the monitor's; please report it: {error}",
        "监测系统自身出错，未能解码；请反馈：{error}",
    ),
    (
        "could not be judged, by a mistake of the monitor's; please report it: {error}",
        "监测系统自身出错，未能处理；请反馈：{error}",
    ),
    # --- time
    ("{field}: lies before 2015; {remedy}", "{field}：早于 2015 年；{remedy}"),
    ("{field}: more than {limit} s ahead of the monitor; {remedy}", "{field}：比监测系统超前 {limit} 秒以上；{remedy}"),
    (
        "{field}: lies before 1970; send milliseconds since 1970-01-01 UTC",
        "{field}：早于 1970 年；请发送自 1970-01-01 UTC 起的毫秒数",
    ),
    (
        "the number looks like {unit}: send milliseconds since 1970-01-01 UTC",
        "数值像是以{unit}为单位：请发送自 1970-01-01 UTC 起的毫秒数",
    ),
    (
        "set the device's clock (milliseconds since 1970-01-01 UTC are meant)",
        "请校准终端时钟（应为自 1970-01-01 UTC 起的毫秒数）",
    ),
    ("seconds", "秒"),
    ("microseconds", "微秒"),
    ("nanoseconds", "纳秒"),
    ("t of the last of {count} in {stream}", "{stream} 中 {count} 个读数的最后时刻"),
    ("t: is required in a message that spans more than a day", "缺少 t：时段超过一天的消息必须带 t"),
    ("{field}: must be a finite number of milliseconds", "{field}：须为有限的毫秒数"),
    ("{field}: must be a number of milliseconds", "{field}：须为毫秒数"),
    ("{field}: must be a number of seconds above 0 and at most {limit}", "{field}：须为大于 0、不超过 {limit} 的秒数"),
    ("{field}: must be a number, milliseconds since 1970-01-01 UTC", "{field}：须为数值，自 1970-01-01 UTC 起的毫秒数"),
    ("{field}: must be from {least} to {most} milliseconds", "{field}：须在 {least} 到 {most} 毫秒之间"),
    (
        "{field}: must be milliseconds after t, none earlier than the one before it",
        "{field}：须为 t 之后的毫秒数，且不得早于前一个",
    ),
    # --- fields
    (
        "boot: must be a text or a whole number that changes when the device restarts",
        "boot：须为文本或整数，终端重启时改变",
    ),
    ("boot: must have at most {limit} characters", "boot：最多 {limit} 个字符"),
    ("seq: must be a whole number from 0, one more with every message", "seq：须为从 0 起的整数，每条消息加 1"),
    ("seq: {value} is not a whole number", "seq：{value} 不是整数"),
    (
        "{field}: holds a number beyond {limit}; send it in the stated unit",
        "{field}：数值超过 {limit}；请按约定的单位发送",
    ),
    (
        "{field}: holds an infinite number; send null where there is no reading",
        "{field}：含无穷大；没有读数时请发送 null",
    ),
    ("{place}: send null where there is no reading", "{place}：没有读数时请发送 null"),
    (
        "{field}: must be a typed array of float32, float64, int16 or int32, little-endian",
        "{field}：须为 float32、float64、int16 或 int32 的小端类型数组",
    ),
    (
        "{field}: {length} times for {count} events; send one for each",
        "{field}：{count} 个事件有 {length} 个时刻；请各发送一个",
    ),
    ("{field}: {value} is none of {names}", "{field}：{value} 不属于 {names}"),
    (
        "{field}: {value} is not a number; send numbers, and null where there is none",
        "{field}：{value} 不是数值；请发送数值，没有读数时发送 null",
    ),
    ("{field}: {value} is not known; send {remedy}", "{field}：{value} 无法识别；请发送 {remedy}"),
    ("{names}: hold {counts} readings; send equally many", "{names}：分别有 {counts} 个读数；个数须相等"),
    ("{field}: say the milliseconds between the {count} samples", "缺少 {field}：请给出 {count} 个采样之间的毫秒数"),
    ("{field}, {other}: send one of each for every event", "{field}、{other}：每个事件各发送一个"),
    ("{field}: say presence, curtain or both", "缺少 {field}：请发送 presence、curtain 或两者"),
    ("{field}: is required", "缺少 {field}"),
    ("{where}: must be an object with the fields of the contract", "{where}：须为含约定字段的对象"),
    ("the bundle", "数据包"),
    ("{group}.{name}: {detail}", "{group}.{name}：{detail}"),
)
"""Each English template with its Chinese one. The first that matches counts, so special ones come first."""


def refusal_text(detail: str) -> dict[str, str]:
    """Return the detail of a refusal in each language; a detail without a template stays English."""
    return {"en": detail, "zh": from_templates(detail) or detail}


def from_templates(detail: str, texts: tuple[tuple[str, str], ...] = TEXTS) -> str | None:
    """Return a detail in the language of these templates, None where none matches."""
    for pattern, translated in _patterns(texts):
        if match := pattern.fullmatch(detail):
            holes = {name: from_templates(value, texts) or value for name, value in match.groupdict().items()}
            return translated.format(**holes)
    return None


@cache
def _patterns(texts: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(_regular_expression(english), re.DOTALL), translated) for english, translated in texts)


def _regular_expression(template: str) -> str:
    """Return the regular expression of a template; a hole that occurs again has the same value again."""
    parts, seen = re.split(r"\{(\w+)\}", template), set[str]()
    for at in range(1, len(parts), 2):
        name = parts[at]
        parts[at] = f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"
        seen.add(name)
    return "".join(part if at % 2 else re.escape(part) for at, part in enumerate(parts))
