"""The short texts of a notification: that of an SMS, and that which a voice call speaks. Pure.

An SMS has one part, and two where it has a link that answers; the link is kept whole and the text before it is cut.
"""

from __future__ import annotations

from alerts.notification import Notification
from notify.texts.limits import (
    GSM_CHARS,
    GSM_CHARS_OF_TWO,
    SMS_UNITS,
    SMS_UNITS_OF_TWO,
    cut,
    cut_sms,
    is_gsm,
    one_line,
    sms_units,
)
from notify.texts.phrases import phrase
from notify.texts.place import address_of, floor_words, lift_name, subject_of

SPOKEN_CHARS = 400


def sms_text(notification: Notification, language: str, link: str | None = None) -> str:
    """Return the text of an SMS: what, which lift, where the car is, the address, the code, and the link."""
    lift = notification.lift
    mark = phrase(language, "repeat") if notification.is_repeat else ""
    kind = phrase(language, f"kind.{notification.kind}")
    parts = [mark + kind, lift_name(notification, language), floor_words(lift, language)]
    if lift is not None:
        parts += [address_of(lift, language), lift.lift_id if lift.name else ""]
    text = one_line(phrase(language, "list").join(part for part in parts if part))
    return fit_sms(text, link)


def fit_sms(text: str, link: str | None = None) -> str:
    """Return a text and a link that fit one SMS, or two with a link."""
    tail = "" if link is None else f" {link}"
    if is_gsm(text + tail):
        room = (GSM_CHARS if link is None else GSM_CHARS_OF_TWO) - len(tail)
        return (text if len(text) <= room else text[: room - 3].rstrip() + "...") + tail
    return cut_sms(text, (SMS_UNITS if link is None else SMS_UNITS_OF_TWO) - sms_units(tail)) + tail


def voice_text(notification: Notification, language: str) -> str:
    """Return the text that a voice call speaks: sentences, and no link."""
    lift = notification.lift
    subject, where = subject_of(notification, language), floor_words(lift, language)
    said = [subject, "" if where in subject else where, address_of(lift, language)]
    text = "".join(phrase(language, "sentence", text=part) for part in said if part)
    if notification.may_hold_people:
        text += phrase(language, "inside") + (" " if language == "en" else "")
    return one_line(phrase(language, "spoken", text=cut(one_line(text), SPOKEN_CHARS)))


def code_digits(code: str) -> str:
    """Return the digits of a code one by one, so that a voice speaks them slowly."""
    return ", ".join(code)
