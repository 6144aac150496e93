"""The message about many notifications to one person: incidents with people inside come first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alerts.notification import Notification
from notify.texts.message import Message, MessageLink
from notify.texts.notification_text import message_data
from notify.texts.phrases import phrase
from notify.texts.place import address_of, floor_words, lift_name, subject_of
from notify.texts.short import fit_sms
from registry.catalogue import SEVERITIES

LISTED = 20
LINKED = 3
"""The first incidents of the list, which have a link to acknowledge them each."""


def in_order(folded: Sequence[Notification]) -> list[Notification]:
    """Return notifications in the order of a folded message: people inside, then the most severe, then the oldest."""
    return sorted(folded, key=lambda one: (not one.may_hold_people, -SEVERITIES.index(one.severity), one.at_ns))


def folded_message(
    message_id: str,
    folded: Sequence[Notification],
    language: str,
    answers: Mapping[str, str],
    public_url: str | None,
) -> Message:
    """Return one message about several notifications; `answers` has the URL that acknowledges an incident."""
    ordered = in_order(folded)
    inside = sum(one.may_hold_people for one in ordered)
    people = phrase(language, "folded.inside", n=inside) if inside else ""
    mark = phrase(language, "repeat") if all(one.is_repeat for one in ordered) else ""
    subject = phrase(language, "folded", mark=mark, n=len(ordered), inside=people)
    lines = [_line(one, language) for one in ordered[:LISTED]]
    if len(ordered) > LISTED:
        lines.append(phrase(language, "folded.more", n=len(ordered) - LISTED))
    names = phrase(language, "list").join(lift_name(one, language) for one in ordered[:LINKED] if one.lift)
    return Message(
        message_id=message_id,
        topic=message_id,
        severity=max((one.severity for one in ordered), key=SEVERITIES.index),
        language=language,
        subject=subject,
        lines=(*lines, *([phrase(language, "links")] if answers else [])),
        links=tuple(_links(ordered, language, answers, public_url)),
        short=fit_sms(phrase(language, "list").join(part for part in (subject, names) if part)),
        spoken=phrase(language, "spoken", text=phrase(language, "sentence", text=subject)),
        data={
            "kind": "folded",
            "count": len(ordered),
            "notifications": [message_data(one) for one in ordered[:LISTED]],
            "further": [{"key": one.key, "incident_id": one.incident_id} for one in ordered[LISTED:]],
        },
    )


def _line(notification: Notification, language: str) -> str:
    """Return what has happened, where the car is, and the address, in one line."""
    lift = notification.lift
    said = subject_of(notification, language)
    parts = [said, floor_words(lift, language), address_of(lift, language)]
    return phrase(language, "list").join(part for part in parts if part and (part == said or part not in said))


def _links(
    ordered: Sequence[Notification], language: str, answers: Mapping[str, str], public_url: str | None
) -> list[MessageLink]:
    links = [
        MessageLink(
            f"{phrase(language, 'acknowledge')}: {lift_name(one, language) or one.incident_id}",
            answers[one.incident_id],
        )
        for one in ordered
        if one.incident_id in answers
    ]
    if public_url is not None:
        links.append(MessageLink(phrase(language, "inbox"), f"{public_url}/incidents"))
    return links
