"""Every detail of a refusal is translated, with the values of the message in place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from dashboards.api.refused.texts import TEXTS, from_templates, refusal_text
from ingest.refusals import FORGED, REVOKED

WIRE = Path(__file__).parents[2] / "telemetry" / "wire"


def details() -> Iterator[str]:
    """Yield the detail of every refusal of the decoder, with a name in place of each value."""
    for path in sorted(WIRE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Invalid" and len(node.args) == 2:
                yield "".join(parts(node.args[1]))


def parts(node: ast.expr) -> Iterator[str]:
    """Yield the parts of a text or an f-string; a value is the name `value`."""
    for each in node.values if isinstance(node, ast.JoinedStr) else [node]:
        yield each.value if isinstance(each, ast.Constant) and isinstance(each.value, str) else "value"


@pytest.mark.parametrize("detail", sorted(set(details())))
def test_every_detail_of_the_decoder_is_translated(detail: str) -> None:
    assert from_templates(detail) is not None


def test_the_decoder_has_details() -> None:
    assert len(set(details())) > 40


@pytest.mark.parametrize(
    ("detail", "zh"),
    [
        (
            "t: lies before 2015; the number looks like seconds: send milliseconds since 1970-01-01 UTC",
            "t：早于 2015 年；数值像是以秒为单位：请发送自 1970-01-01 UTC 起的毫秒数",
        ),
        (
            "lifts.B2: speed.v: 'x' is not a number; send numbers, and null where there is none",
            "lifts.B2：speed.v：'x' 不是数值；请发送数值，没有读数时发送 null",
        ),
        (
            "'Speed' is no stream: must be one of door, speed; did you mean speed?",
            "'Speed' 不是数据流：须为 door, speed 之一；是否应为 speed？",
        ),
        (
            REVOKED.format(lift_id="B2"),
            (
                "设备 B2 已吊销，且没有其他设备代 B2 发送：若消息确为其所发，请重新添加该设备，"
                "并让消息服务器拒绝没有凭据的发送方"
            ),
        ),
        (
            FORGED.format(lift_id="B2", sender="GW7"),
            (
                "GW7 无权代 B2 发送：若 GW7 确为其网关，请将 B2 的档案 gateway_id 设为 GW7，"
                "并将 B2 加入设备 GW7 的电梯；否则有人使用 GW7 的密码伪造数据，请更换密码"
            ),
        ),
        ("{0}: is required", "缺少 {0}"),
    ],
)
def test_a_detail_keeps_the_names_and_values_of_the_message(detail: str, zh: str) -> None:
    assert refusal_text(detail) == {"en": detail, "zh": zh}


def test_a_detail_without_a_template_stays_english() -> None:
    assert refusal_text("what is wrong") == {"en": "what is wrong", "zh": "what is wrong"}


def test_a_template_and_its_translation_have_the_same_holes() -> None:
    for english, translated in TEXTS:
        assert holes(english) == holes(translated), english


def holes(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}
