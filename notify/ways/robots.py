"""The parts that robots of messengers share: JSON is posted, and the answer has a code of its own in its body."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from notify.texts.limits import cut, one_line
from notify.ways.http_post import HttpClient
from notify.ways.sender import Outcome, SendResult, delivered, permanent, try_again

JSON_HEADERS = {"content-type": "application/json; charset=utf-8"}
ERROR_CHARS = 200


def post_json(
    client: HttpClient, url: str, body: Mapping[str, Any], code_key: str, text_key: str, busy: Collection[int],
    busy_pause_s: float,
) -> Outcome:  # fmt: skip
    """Post a body as JSON; return the outcome by the code in the answer: 0 is accepted, `busy` codes are for now."""
    answer = client.post(url, orjson.dumps(body), JSON_HEADERS)
    by_status = client.outcome(answer)
    if isinstance(answer, Outcome) or (by_status.result is not SendResult.DELIVERED and answer.status != 400):
        return by_status
    try:
        content = orjson.loads(answer.body)
        code, text = int(content[code_key]), one_line(str(content.get(text_key, "")))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return try_again("the answer is not that of a robot: is the address right?", is_fault=True)
    if code == 0:
        return delivered()
    reason = f"{code_key} {code}: {cut(text, ERROR_CHARS)}"
    return try_again(reason, busy_pause_s) if code in busy else permanent(reason)
