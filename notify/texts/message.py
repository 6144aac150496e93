"""A message to one person, rendered in the language of that person. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from notify.texts.limits import cut, one_line

SUBJECT_CHARS = 160
LINE_CHARS = 500
LINES_LIMIT = 60


@dataclass(frozen=True, slots=True)
class MessageLink:
    """A link of a message, with the text of its button."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message: one line of `subject`, then `lines` and `links`; `short` is the text of an SMS, `spoken` of a call.

    `message_id` is the same in every attempt, so that a receiver can recognise a repeat. `topic` is the same in all
    messages about one incident. `data` is the content for programs.
    """

    message_id: str
    topic: str
    severity: str
    language: str
    subject: str
    lines: tuple[str, ...] = ()
    links: tuple[MessageLink, ...] = ()
    short: str = ""
    spoken: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The subject as one line of limited length."""
        return cut(one_line(self.subject), SUBJECT_CHARS)

    @property
    def body_lines(self) -> list[str]:
        """The lines, each of limited length and without control characters."""
        return [cut(one_line(line), LINE_CHARS) for line in self.lines[:LINES_LIMIT]]

    @property
    def text(self) -> str:
        """Subject, lines and links as plain text."""
        links = [f"{one_line(link.label)}: {link.url}" for link in self.links]
        return "\n".join([self.title, *self.body_lines, *links])
