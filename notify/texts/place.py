"""The place of a notification in words: its lift, the floors between which the car stands, and its map. Pure."""

from __future__ import annotations

from alerts.notification import Notification, NotifiedLift
from notify.texts.limits import one_line
from notify.texts.phrases import phrase
from registry.lift_facts import name_in_language


def subject_of(notification: Notification, language: str) -> str:
    """Return what has happened to which lift, in one line."""
    said = notification.sentence.get(language) or next(iter(notification.sentence.values()), "")
    what = said or _kind_and_floor(notification, language)
    mark = phrase(language, "repeat") if notification.is_repeat else ""
    name = lift_name(notification, language)
    if not name or name in what:
        return one_line(mark + what)
    return one_line(phrase(language, "subject", mark=mark, lift=name, what=what))


def _kind_and_floor(notification: Notification, language: str) -> str:
    kind, where = phrase(language, f"kind.{notification.kind}"), floor_words(notification.lift, language)
    return phrase(language, "kind.where", kind=kind, where=where) if where else kind


def lift_name(notification: Notification, language: str) -> str:
    """Return the name of the lift in a language, its code where it has none."""
    lift = notification.lift
    return "" if lift is None else name_in_language(lift.name or lift.lift_id, language)


def address_of(lift: NotifiedLift | None, language: str) -> str:
    """Return the address of the lift in a language; nothing where that is unknown."""
    return "" if lift is None or lift.address is None else name_in_language(lift.address, language)


def floor_words(lift: NotifiedLift | None, language: str) -> str:
    """Return where the car stands, in floors; nothing where that is unknown."""
    if lift is None:
        return ""
    if lift.between is not None:
        return phrase(language, "between", below=lift.between[0], above=lift.between[1])
    return "" if lift.floor is None else phrase(language, "floor", floor=lift.floor)


def map_url(lat: float, lon: float, language: str) -> str:
    """Return the address of a map with a mark; the map for readers of Chinese converts WGS 84 to its own datum."""
    if language == "zh":
        return f"https://uri.amap.com/marker?position={lon:.6f},{lat:.6f}&coordinate=wgs84"
    return f"https://www.openstreetmap.org/?mlat={lat:.6f}&mlon={lon:.6f}#map=18/{lat:.6f}/{lon:.6f}"
