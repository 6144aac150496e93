"""Why a notification failed, in the language of the reader: every sentence that the senders of notifications write."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from dashboards.api.incidents.failure_texts import CHINESE, failure_text
from dashboards.api.refused.texts import from_templates

WAYS = Path(__file__).parents[2] / "notify" / "ways"
HAN = re.compile(r"[\u3400-\u9fff]")
MAKERS = {"try_again", "permanent", "AddressForbidden", "BadTelephone", "BadMailAddress", "BadSecret"}


def written(node: ast.expr) -> list[str]:
    """Return the sentences of an argument, with a sample for each value in them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return written(node.body) + written(node.orelse)
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else "502" for part in node.values)]  # type: ignore[misc]
    return []


def sentences() -> list[str]:
    """Return what the senders report, as their source has it."""
    found = []
    for path in sorted(WAYS.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MAKERS and node.args:
                found += written(node.args[0])
    return [each for each in found if each != "502: 502"]  # the name of an exception and its text


@pytest.mark.parametrize("reason", [*sentences(), "no-way", "too-late", "ConnectError: [Errno 111] Connection refused"])
def test_every_reason_is_said_in_chinese(reason: str) -> None:
    assert from_templates(reason, CHINESE) is not None, reason
    assert HAN.search(failure_text(reason)["zh"]), reason


def test_the_sentences_of_the_senders_are_found() -> None:
    assert len(sentences()) >= 8


def test_a_reason_names_no_exception_of_the_program_in_english() -> None:
    assert failure_text("ConnectTimeout")["en"] == "the receiver cannot be reached in time"
    assert failure_text("HTTP 503") == {"en": "the receiver answered HTTP 503", "zh": "接收方返回 HTTP 503"}
    assert failure_text("what nobody expects")["zh"] == "what nobody expects"
