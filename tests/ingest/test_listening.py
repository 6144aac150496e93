"""When every message could be received: what ends a stretch, and what does not."""

from __future__ import annotations

from collections.abc import Iterable

from ingest.receiving.listening import Listening, Stretch

S_NS = 1_000_000_000
BEGIN_S = 1_000_000


def in_seconds(stretch: Stretch) -> tuple[int, int]:
    """Return the ends of a stretch in seconds from the beginning."""
    return stretch.since_ns // S_NS - BEGIN_S, stretch.until_ns // S_NS - BEGIN_S


def after(*notes: tuple[Iterable[int], bool]) -> tuple[int, int]:
    """Return the stretch after these notes, in seconds from the beginning."""
    listening = Listening()
    for seconds, subscribed in notes:
        for at_s in seconds:
            listening.note((BEGIN_S + at_s) * S_NS, subscribed)
    return in_seconds(listening.stretch)


def test_a_stretch_begins_with_the_first_note_and_goes_on() -> None:
    assert after((range(100), True)) == (0, 99)


def test_an_outage_begins_a_new_stretch_at_its_end() -> None:
    assert after((range(100), True), (range(100, 200), False)) == (199, 199)
    assert after((range(100), True), (range(100, 200), False), (range(200, 300), True)) == (199, 299)


def test_a_pause_of_ten_seconds_now_and_then_does_not_begin_a_new_stretch() -> None:
    paused = [at_s for at_s in range(600) if at_s % 30 < 20]
    assert after((paused, True)) == (0, 589)


def test_after_a_pause_what_waited_in_the_socket_is_received_first() -> None:
    assert after((range(100), True), (range(110, 114), True)) == (0, 99)
    assert after((range(100), True), (range(110, 120), True)) == (0, 119)


def test_a_receiver_that_pauses_all_the_time_still_gets_on() -> None:
    since_s, until_s = after((range(0, 600, 4), True))
    assert since_s == 0
    assert until_s > 580


def test_a_sleep_or_a_clock_that_is_set_begins_a_new_stretch() -> None:
    assert after((range(100), True), (range(3700, 3710), True)) == (3700, 3709)
    assert after((range(5000, 5100), True), (range(1500, 1510), True)) == (1500, 1509)


def after_backlog(behind_s: Iterable[float]) -> tuple[int, int]:
    """Return the stretch after an outage of 100 s, with what arrives so old second by second, in seconds."""
    listening = Listening()
    for at_s in range(-100, 0):
        listening.note((BEGIN_S + at_s) * S_NS, subscribed=False)
    for at_s, behind in enumerate(behind_s):
        listening.note((BEGIN_S + at_s) * S_NS, subscribed=True, behind_s=behind)
    return in_seconds(listening.stretch)


def test_while_a_backlog_drains_no_silence_counts_and_then_it_counts_from_its_end() -> None:
    drains = [0.0] * 3 + [max(3600.0 - 3.0 * at_s, 0.0) for at_s in range(1200)]
    assert after_backlog(drains) == (1202, 1202)
    assert after_backlog([*drains, *[0.0] * 100]) == (1202, 1302)


def test_clocks_that_are_behind_are_no_backlog_for_longer_than_a_minute() -> None:
    since_s, until_s = after_backlog([3600.0] * 600)
    assert since_s <= 61
    assert until_s == 599


def test_what_arrived_is_in_the_journal_in_an_outage_too_but_not_while_the_journal_is_full() -> None:
    listening = Listening()
    listening.note(BEGIN_S * S_NS, subscribed=True)
    listening.note((BEGIN_S + 1) * S_NS, subscribed=False)
    assert listening.stretch.journalled_ns == (BEGIN_S + 1) * S_NS
    listening.note((BEGIN_S + 2) * S_NS, subscribed=True, is_full=True)
    assert listening.stretch.journalled_ns == (BEGIN_S + 1) * S_NS
    assert in_seconds(listening.stretch) == (2, 2)


def test_an_old_message_later_on_is_no_backlog() -> None:
    assert after_backlog([0.0] * 200 + [3600.0 - at_s for at_s in range(100)]) == (-1, 299)
