"""The texts of notifications in both languages: what they say, their limits, and hostile names."""

from __future__ import annotations

from dataclasses import replace
from string import Formatter

import pytest

from alerts.notification import CODE, TEST
from notify.texts import phrases
from notify.texts.folded import LINKED, LISTED, folded_message, in_order
from notify.texts.limits import is_gsm, sms_units
from notify.texts.notification_text import notification_message
from notify.texts.short import fit_sms, sms_text, voice_text
from registry.incident_kinds import INCIDENT_KINDS
from tests.notify.messages import HOSTILE
from tests.notify.notifications import LIFT, NOTIFICATION, notification

URL = "https://lifts.example"
LINKS = {"acknowledge": f"{URL}/answer/aaaaaaaaaaaaaaaaaaaaaa", "accept": f"{URL}/answer/bbbbbbbbbbbbbbbbbbbbbb"}


def test_both_languages_have_the_same_phrases_with_the_same_places() -> None:
    def places(language: str) -> dict[str, set[str | None]]:
        texts = phrases._PHRASES[language]
        return {key: {name for _, name, _, _ in Formatter().parse(text) if name} for key, text in texts.items()}

    assert places("en") == places("zh")
    assert {f"kind.{kind}" for kind in INCIDENT_KINDS} <= set(places("en"))


def test_a_message_says_what_where_and_since_when_in_english() -> None:
    made = notification_message("n-1", replace(NOTIFICATION, others=2), "en", LINKS, URL)
    assert made.subject == "Garden Road 3: 1 person may be trapped between floors 3 and 4"
    assert made.lines[:-1] == (
        "Somebody may be inside.", "The car is between floors 3 and 4.", "Lift: Garden Road 3", "Code: L-0123",
        "Address: 12 Garden Road", "And 2 more lifts.", "Since 2001-01-01 08:00:00 (Asia/Shanghai)",
    )  # fmt: skip
    assert [(link.label, link.url) for link in made.links] == [
        ("Acknowledge", LINKS["acknowledge"]),
        ("Accept: I am going there", LINKS["accept"]),
        ("Map", "https://www.openstreetmap.org/?mlat=31.230400&mlon=121.473700#map=18/31.230400/121.473700"),
        ("Open the incident", f"{URL}/incidents/i1"),
    ]


def test_a_message_says_the_same_in_chinese() -> None:
    made = notification_message("n-1", replace(NOTIFICATION, is_repeat=True), "zh", {}, None)
    assert made.subject == "再次通知：Garden Road 3：疑似1人被困在3层和4层之间"
    assert made.lines[:2] == ("轿厢内可能有人。", "轿厢停在 3 层和 4 层之间。")
    assert [link.url for link in made.links] == [
        "https://uri.amap.com/marker?position=121.473700,31.230400&coordinate=wgs84"
    ]


def test_without_a_public_url_nothing_is_linked_but_the_map() -> None:
    made = notification_message("n-1", NOTIFICATION, "en", {}, None)
    assert [link.label for link in made.links] == ["Map"]
    assert "link" not in made.text


def test_without_a_sentence_the_kind_and_the_floors_are_the_subject() -> None:
    bare = replace(NOTIFICATION, sentence={})
    made = [notification_message("n-1", bare, language, {}, None) for language in ("en", "zh")]
    assert [each.subject for each in made] == [
        "Garden Road 3: Person may be trapped between floors 3 and 4", "Garden Road 3：疑似困人，在 3 层和 4 层之间",
    ]  # fmt: skip
    assert made[0].spoken.count("between floors 3 and 4") == 1


def test_an_incident_of_an_unknown_lift_has_a_message_too() -> None:
    made = notification_message("n-1", replace(NOTIFICATION, lift=None, sentence={}), "en", {}, None)
    assert made.subject == "Person may be trapped"
    assert made.lines[-1].endswith("(UTC)")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", ""])
def test_a_zone_that_is_none_is_utc(zone: str) -> None:
    made = notification_message("n-1", replace(NOTIFICATION, lift=replace(LIFT, timezone=zone)), "en", {}, None)
    assert made.lines[-1] == "Since 2001-01-01 00:00:00 (UTC)"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["Garden Road 3", "花园路三号" * 300, HOSTILE, "{__class__} {0} %s"])
def test_an_sms_fits_one_part_and_two_with_its_link_whole(language: str, name: str) -> None:
    alarming = replace(NOTIFICATION, lift=replace(LIFT, name=name, address="路" * 1000), is_repeat=True)
    for link in (None, LINKS["acknowledge"]):
        text = sms_text(alarming, language, link)
        parts = 1 if link is None else 2
        assert len(text) <= (0, 160, 306)[parts] if is_gsm(text) else sms_units(text) <= (0, 70, 134)[parts]
        assert text.endswith(link or text[-1])
        assert "\n" not in text


def test_an_sms_begins_with_what_has_happened() -> None:
    assert sms_text(NOTIFICATION, "en") == (
        "Person may be trapped; Garden Road 3; between floors 3 and 4; 12 Garden Road; L-0123"
    )
    assert sms_text(NOTIFICATION, "zh").startswith("疑似困人；Garden Road 3；在 3 层和 4 层之间；12 Garden Road")


def test_a_long_ascii_text_uses_the_room_of_the_gsm_alphabet() -> None:
    assert len(fit_sms("a" * 500)) == 160
    assert len(fit_sms("a" * 500, "https://lifts.example")) == 306


def test_a_voice_speaks_sentences_without_links() -> None:
    spoken = voice_text(NOTIFICATION, "en")
    assert "between floors 3 and 4" in spoken
    assert "12 Garden Road. Somebody may be inside. " in spoken
    assert "http" not in spoken
    assert len(voice_text(replace(NOTIFICATION, sentence={"en": "x" * 10_000}), "en")) < 600


def test_a_hostile_name_stays_in_its_line() -> None:
    hostile = replace(NOTIFICATION, lift=replace(LIFT, name=HOSTILE, address=HOSTILE), sentence={"en": HOSTILE})
    made = notification_message("n-1", hostile, "en", LINKS, URL)
    assert "\r" not in made.text
    assert made.text.count("\n") == len(made.body_lines) + len(made.links)
    assert "{to}" in made.text


def test_five_hundred_notifications_are_one_message_with_people_first() -> None:
    power = [notification(n, kind="out-of-order", severity="major", may_hold_people=False) for n in range(497)]
    inside = [notification(900 + n) for n in range(3)]
    first = in_order([*power, *inside])[:LINKED]
    answers = {one.incident_id: f"{URL}/answer/{one.incident_id}" for one in first}
    made = folded_message("n-9", [*power, *inside], "en", answers, URL)
    assert (made.subject, made.severity) == ("500 incidents, in 3 somebody may be inside", "critical")
    assert [line.partition(":")[0] for line in made.lines[:3]] == ["Lift 900", "Lift 901", "Lift 902"]
    assert made.lines[LISTED] == "And 480 more incidents."
    assert [link.label for link in made.links] == [
        "Acknowledge: Lift 900", "Acknowledge: Lift 901", "Acknowledge: Lift 902", "Open the incidents",
    ]  # fmt: skip
    assert made.short.startswith("500 incidents, in 3 somebody may be inside; Lift 900")
    listed = [*made.data["notifications"], *made.data["further"]]
    assert [each["key"] for each in listed] == [one.key for one in in_order([*power, *inside])]


def test_a_code_is_in_each_form_and_a_test_says_that_it_is_one() -> None:
    code = notification_message("n-1", replace(NOTIFICATION, kind=CODE, code="012345"), "zh", {}, URL)
    assert ("012345" in code.subject, "012345" in code.short, "0, 1, 2, 3, 4, 5" in code.spoken) == (True, True, True)
    test = notification_message("n-1", replace(NOTIFICATION, kind=TEST), "en", {}, URL)
    assert (test.subject, test.links) == ("Test message of Liftwatch", ())


def test_a_language_without_phrases_is_english() -> None:
    assert [phrases.known_language(language) for language in ("zh", "fr", None)] == ["zh", "en", "en"]
