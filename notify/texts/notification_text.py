"""The message about one notification: what has happened, where, since when, and links that answer. Pure.

subject    {repeated?} lift: sentence
lines      somebody may be inside · where the car is · lift, code, address · further lifts · since when
links      acknowledge and accept (each once, without sign-in) · map · the incident
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from alerts.notification import ACCOUNT, CHANGE, CODE, TEST, Notification
from notify.texts.message import Message, MessageLink
from notify.texts.phrases import phrase
from notify.texts.place import address_of, floor_words, lift_name, map_url, subject_of
from notify.texts.short import code_digits, sms_text, voice_text
from telemetry.instant import rfc3339

S_NS = 1_000_000_000


def notification_message(
    message_id: str, notification: Notification, language: str, answers: Mapping[str, str], public_url: str | None
) -> Message:
    """Return the message about a notification; `answers` has the URL of each action that a link answers with."""
    if notification.kind == CODE:
        return _code_message(message_id, notification, language)
    if notification.kind == TEST:
        return _test_message(message_id, notification, language)
    if notification.kind == ACCOUNT:
        return _account_message(message_id, notification, language, public_url)
    subject = subject_of(notification, language)
    return Message(
        message_id=message_id,
        topic=message_id if notification.kind == CHANGE else f"incident-{notification.incident_id}",
        severity=notification.severity,
        language=language,
        subject=subject,
        lines=(*_lines(notification, language), *([phrase(language, "links")] if answers else [])),
        links=tuple(_links(notification, language, answers, public_url)),
        short=sms_text(notification, language, next(iter(answers.values()), None)),
        spoken=voice_text(notification, language),
        data=message_data(notification),
    )


def message_data(notification: Notification) -> dict[str, object]:
    """Return the content for programs: the notification without the person's code."""
    values = notification.to_json() | {"at": rfc3339(notification.at_ns)}
    return {name: value for name, value in values.items() if name not in ("code", "ways", "at_ns", "person_id")}


def _lines(notification: Notification, language: str) -> list[str]:
    lines = [phrase(language, "inside")] if notification.may_hold_people else []
    lift = notification.lift
    if lift is not None:
        where = floor_words(lift, language)
        lines += [phrase(language, "car", where=where)] if where else []
        lines += [phrase(language, "lift", name=lift_name(notification, language))] if lift.name else []
        lines += [phrase(language, "code", lift_id=lift.lift_id)]
        lines += [phrase(language, "address", address=address_of(lift, language))] if lift.address else []
    if notification.others:
        lines.append(phrase(language, "others.one" if notification.others == 1 else "others", n=notification.others))
    return [*lines, _time_line(notification, language)]


def _time_line(notification: Notification, language: str) -> str:
    """Return since when it is so, in the zone of the lift."""
    name = "UTC" if notification.lift is None else notification.lift.timezone or "UTC"
    try:
        zone = ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        name, zone = "UTC", ZoneInfo("UTC")
    at = datetime.fromtimestamp(notification.at_ns // S_NS, UTC).astimezone(zone)
    return phrase(language, "time", time=f"{at:%Y-%m-%d %H:%M:%S}", zone=name)


def _links(
    notification: Notification, language: str, answers: Mapping[str, str], public_url: str | None
) -> list[MessageLink]:
    links = [MessageLink(phrase(language, action), url) for action, url in answers.items()]
    lift = notification.lift
    if lift is not None and lift.lat is not None and lift.lon is not None:
        links.append(MessageLink(phrase(language, "map"), map_url(lift.lat, lift.lon, language)))
    if public_url is not None:
        page = "changes" if notification.kind == CHANGE else f"incidents/{quote(notification.incident_id, safe='')}"
        where = f"{public_url}/{page}"
        links.append(MessageLink(phrase(language, "open"), where))
    return links


def _code_message(message_id: str, notification: Notification, language: str) -> Message:
    code = notification.code or ""
    return Message(
        message_id, message_id, notification.severity, language,
        subject=phrase(language, "code.subject", code=code),
        lines=(phrase(language, "code.line"),),
        short=phrase(language, "code.short", code=code),
        spoken=phrase(language, "code.short", code=code_digits(code)),
        data={"kind": CODE, "code": code},
    )  # fmt: skip


def _test_message(message_id: str, notification: Notification, language: str) -> Message:
    subject, line = phrase(language, "test"), phrase(language, "test.line")
    return Message(
        message_id, message_id, notification.severity, language, subject, (line,),
        short=subject, spoken=phrase(language, "sentence", text=subject), data={"kind": TEST},
    )  # fmt: skip


def _account_message(message_id: str, notification: Notification, language: str, public_url: str | None) -> Message:
    subject = subject_of(notification, language)
    link = () if public_url is None else (MessageLink(phrase(language, "account"), f"{public_url}/account"),)
    return Message(
        message_id, message_id, notification.severity, language, subject,
        (phrase(language, "account.line"), _time_line(notification, language)), link,
        short=phrase(language, "account.short", text=subject),
        spoken=phrase(language, "sentence", text=subject) + phrase(language, "account.line"), data={"kind": ACCOUNT},
    )  # fmt: skip
