"""The phrases of notifications in each language of people; the names of kinds are those of the pages. Pure."""

from __future__ import annotations

DEFAULT_LANGUAGE = "en"

_PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "kind.entrapment": "Person may be trapped",
        "kind.alarm-call": "Alarm button pressed",
        "kind.unsafe": "Unsafe to ride",
        "kind.out-of-order": "Out of order",
        "kind.nuisance": "Nuisance",
        "kind.upkeep": "Upkeep",
        "kind.data": "No readings",
        "kind.change": "Change that can hide a danger",
        "kind.where": "{kind} {where}",
        "late": "Somebody may be inside, and nobody has arrived yet",
        "late.telephone": "Somebody may be inside, and nobody has arrived yet. Telephone: {names}",
        "subject": "{mark}{lift}: {what}",
        "repeat": "Again: ",
        "inside": "Somebody may be inside.",
        "floor": "at floor {floor}",
        "between": "between floors {below} and {above}",
        "car": "The car is {where}.",
        "lift": "Lift: {name}",
        "code": "Code: {lift_id}",
        "address": "Address: {address}",
        "others.one": "And one more lift.",
        "others": "And {n} more lifts.",
        "time": "Since {time} ({zone})",
        "map": "Map",
        "acknowledge": "Acknowledge",
        "accept": "Accept: I am going there",
        "open": "Open the incident",
        "inbox": "Open the incidents",
        "links": "Each link answers once, within 30 minutes, for you alone: do not forward this message.",
        "spoken": "This is Liftwatch. {text} Please answer in Liftwatch or by your other messages.",
        "folded": "{mark}{n} incidents{inside}",
        "folded.inside": ", in {n} somebody may be inside",
        "folded.more": "And {n} more incidents.",
        "test": "Test message of Liftwatch",
        "test.line": "Notifications reach you by this way.",
        "code.subject": "Liftwatch: your code is {code}",
        "code.line": "Enter it on your account page within 10 minutes. If you did not ask for it, ignore this message.",
        "code.short": "Liftwatch: your code is {code}",
        "account": "Open your account",
        "account.line": "If this was not you, inform an administrator of your organisation at once.",
        "account.short": "Liftwatch: {text}. Not you? Inform your administrator.",
        "list": "; ",
        "sentence": "{text}. ",
    },
    "zh": {
        "kind.entrapment": "疑似困人",
        "kind.alarm-call": "按下报警按钮",
        "kind.unsafe": "不可乘用",
        "kind.out-of-order": "故障停用",
        "kind.nuisance": "轻微故障",
        "kind.upkeep": "保养",
        "kind.data": "数据异常",
        "kind.change": "可能掩盖危险的更改",
        "kind.where": "{kind}，{where}",
        "late": "轿厢内可能有人，救援尚未到达",
        "late.telephone": "轿厢内可能有人，救援尚未到达。请致电：{names}",
        "subject": "{mark}{lift}：{what}",
        "repeat": "再次通知：",
        "inside": "轿厢内可能有人。",
        "floor": "在 {floor} 层",
        "between": "在 {below} 层和 {above} 层之间",
        "car": "轿厢停{where}。",
        "lift": "电梯：{name}",
        "code": "识别码：{lift_id}",
        "address": "地址：{address}",
        "others.one": "另有 1 台电梯。",
        "others": "另有 {n} 台电梯。",
        "time": "自 {time} 起（{zone}）",
        "map": "地图",
        "acknowledge": "确认",
        "accept": "接警：我前往现场",
        "open": "打开事件",
        "inbox": "打开事件列表",
        "links": "每个链接仅限本人使用一次，30 分钟内有效，请勿转发。",
        "spoken": "这里是 Liftwatch。{text}请在 Liftwatch 或通过其他消息中的链接确认。",
        "folded": "{mark}{n} 起事件{inside}",
        "folded.inside": "，其中 {n} 起可能有人被困",
        "folded.more": "另有 {n} 起事件。",
        "test": "Liftwatch 测试消息",
        "test.line": "通知可以通过此方式送达。",
        "code.subject": "Liftwatch 验证码：{code}",
        "code.line": "请在 10 分钟内在账户页面输入。如非本人操作，请忽略。",
        "code.short": "Liftwatch 验证码：{code}",
        "account": "打开我的账号",
        "account.line": "如非本人操作，请立即通知本单位管理员。",
        "account.short": "Liftwatch：{text}。非本人操作请通知管理员。",
        "list": "；",
        "sentence": "{text}。",
    },
}

LANGUAGES = tuple(_PHRASES)


def known_language(language: str | None) -> str:
    """Return the language of a person, English where there are no phrases in it."""
    return language if language in _PHRASES else DEFAULT_LANGUAGE


def phrase(language: str, key: str, **values: object) -> str:
    """Return a phrase with its values; a value is never read as a format string."""
    return _PHRASES[language][key].format_map(values)
