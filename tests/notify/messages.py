"""A message that the tests send."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from notify.texts.message import Message, MessageLink

HOSTILE = "Tower\r\nBcc: evil@example.org\r\n\r\n[x](http://evil) <b>*A*</b> \u202e\0{to} \"quoted\" & 'so'"
MESSAGE = Message(
    message_id="n-17",
    topic="incident-3",
    severity="critical",
    language="zh",
    subject="有人被困 12号梯",
    lines=("停在3层和4层之间", "南京路 1 号"),
    links=(MessageLink("接警", "https://lifts.example/answer/abc"),),
    short="困人 12号梯 3-4层之间",
    data={"id": "n-17", "incident_id": "incident-3"},
)


def message(**fields: Any) -> Message:
    """Return the message with other fields."""
    return replace(MESSAGE, **fields)
