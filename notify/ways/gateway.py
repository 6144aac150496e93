"""SMS and voice calls by an HTTP gateway that the operator configures: templates of its URL, headers and body.

`{to}`, `{text}`, `{language}`, `{id}` and `{secret}` are replaced; each value is escaped for the place where it stands:
percent-encoded in the URL and in a form, as the inside of a string in JSON, as text in XML. All other braces stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from notify.texts.limits import cut, one_line
from notify.texts.message import Message
from notify.ways.http_post import HttpClient
from notify.ways.sender import Address, Outcome, SendResult, permanent, try_again

PLACE = re.compile(r"\{(to|text|language|id|secret)\}")
TELEPHONE = re.compile(r"^\+?[0-9]{3,15}$")
SEPARATORS = re.compile(r"[\s()./-]")
ANSWER_CHARS = 200


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway: its request, and a text that an answer of success contains (None: every 2xx is a success)."""

    url: str
    body: str = ""
    method: str = "POST"
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: str = field(default="", repr=False)
    success_contains: str | None = None


class BadTelephone(ValueError):
    """A text that is no telephone number."""


class GatewayWay:
    """Sends the short text of messages by a gateway, and by one that `speaks` the spoken text."""

    def __init__(self, gateway: Gateway, client: HttpClient, *, speaks: bool = False) -> None:
        self._gateway, self._client, self._speaks = gateway, client, speaks

    def send(self, message: Message, address: Address) -> Outcome:
        """Send a message to an address once."""
        gateway = self._gateway
        try:
            values = self._values(message, checked_telephone(address.text))
        except BadTelephone as error:
            return permanent(str(error))
        headers = {name: filled(text, values, one_line) for name, text in gateway.headers.items()}
        body = filled(gateway.body, values, escape_for(gateway.content_type)).encode()
        if body:
            headers["content-type"] = gateway.content_type
        url = filled(gateway.url, values, lambda value: quote(value, safe=""))
        answer = self._client.post(url, body, headers, gateway.method)
        outcome = self._client.outcome(answer)
        if isinstance(answer, Outcome) or outcome.result is not SendResult.DELIVERED:
            return outcome
        said = answer.body.decode("utf-8", "replace")
        if gateway.success_contains is None or gateway.success_contains in said:
            return outcome
        return try_again(f"the gateway answers {cut(one_line(said), ANSWER_CHARS)!r}", is_fault=True)

    def _values(self, message: Message, to: str) -> dict[str, str]:
        return {
            "to": to,
            "text": one_line(message.spoken if self._speaks else message.short),
            "language": message.language,
            "id": message.message_id,
            "secret": self._gateway.secret,
        }


def filled(template: str, values: Mapping[str, str], escaped: Callable[[str], str]) -> str:
    """Return a template with the values at their places."""
    return PLACE.sub(lambda found: escaped(values[found[1]]), template)


def escape_for(content_type: str) -> Callable[[str], str]:
    """Return the escape of a value inside a body of a media type."""
    if "json" in content_type:
        return lambda value: json.dumps(value)[1:-1]
    if "form-urlencoded" in content_type:
        return quote_plus
    if "xml" in content_type:
        return lambda value: escape(value, {'"': "&quot;", "'": "&apos;"})
    return one_line


def checked_telephone(text: str) -> str:
    """Return a telephone number as digits, with the plus where it has one; raise BadTelephone for any other text."""
    number = SEPARATORS.sub("", text)
    if not TELEPHONE.fullmatch(number):
        raise BadTelephone(f"{text[:40]!r} is no telephone number: write +8613800138000")
    return number
