"""Rule files: every fault has file, line and column, and a sound file gives rules like all others."""

from __future__ import annotations

import pickle

import pytest

from detectors.rule import MAJOR, MINOR, Rule
from detectors.rule_files.parsing import RULES_LIMIT, BadRuleFile, parse

SOUND = """\
# our own
[slow-trip]
code = "X01"
table = "trips"
severity = "minor"
when = "peak_mps < 0.7 * rated_speed_mps AND ABS(distance_m) > 6"
readings = 2
evidence.peak_mps = "peak_mps"
evidence.limit_mps = "0.7 * rated_speed_mps"
name.en = "Slow trip"
name.zh = "运行缓慢"
sentence.en = "Greatest speed {peak_mps:.2f} m/s, limit {limit_mps:.2f} m/s"
sentence.zh = "最高速度 {peak_mps:.2f} m/s，限值 {limit_mps:.2f} m/s"

[creeping]
code = "X02"
table = "rows"
severity = "major"
when = '''
door IN (OPENING, OPEN)
AND ABS(v) > 0.1'''
clear = "ABS(v) < 0.05"
hold_s = 0.5
clear_s = 3
incident = "unsafe"
always_judged = true
by_hand = true
name.en = "Creeps"
sentence.en = "Moves at {v:.2f} m/s"
"""


def test_a_sound_file_gives_its_rules() -> None:
    slow, creeping = parse(SOUND, "own.toml")
    assert (slow.code, slow.slug, slow.table, slow.needs) == ("X01", "slow-trip", "trips", ("rated_speed_mps",))
    assert (slow.levels[0].severity, slow.levels[0].readings, slow.levels[0].hold_s) == (MINOR, 2, 0.0)
    assert (creeping.levels[0].severity, creeping.levels[0].hold_s, creeping.levels[0].clear_s) == (MAJOR, 0.5, 3)
    assert creeping.incident == "unsafe"
    assert creeping.always_judged
    assert creeping.levels[0].by_hand
    assert [name for name, _ in creeping.detector.evidence] == ["door", "v"]  # type: ignore[attr-defined]


def test_a_rule_goes_to_another_process() -> None:
    rules: tuple[Rule, ...] = parse(SOUND, "own.toml")
    assert pickle.loads(pickle.dumps(rules)) == rules


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "peak_mps < 0.7",
            "peek_mps < 0.7",
            "own.toml:6:9: slow-trip.when: peek_mps is no column; did you mean peak_mps?",
        ),
        (
            'evidence.peak_mps = "peak_mps"',
            'evidence.peak_mps = "peak_mps +"',
            "own.toml:8:32: slow-trip.evidence.peak_mps: ",
        ),
        ("AND ABS(v) > 0.1", "AND ABS(w) > 0.1", "own.toml:21:9: creeping.when: w is no column"),
        ("ABS(v) < 0.05", "v", "own.toml:22:10: creeping.clear: must be a condition"),
        ("{v:.2f}", "{w:.2f}", "own.toml:29:1: creeping.sentence.en: {w} is no evidence"),
        ("{v:.2f}", "{v:99999999f}", "own.toml:29:1: creeping.sentence.en: {v:99999999f}: write a format"),
        ("{v:.2f}", "{v.__class__}", "own.toml:29:1: creeping.sentence.en: {v.__class__} is no evidence"),
        ("{v:.2f}", "{v!r}", "creeping.sentence.en: {v:}: write a format"),
        ("{v:.2f}", "{v", "own.toml:29:1: creeping.sentence.en: "),
        ("{v:.2f}", "{}", "creeping.sentence.en: {} is no evidence"),
        ('table = "rows"', 'table = "row"', "own.toml:17:1: creeping.table: 'row' must be one of rows, trips"),
        ('code = "X02"', 'code = "F02"', "own.toml:16:1: creeping.code: 'F02' must be 2 to 8 capitals"),
        ('code = "X02"', 'code = "X01"', "own.toml:16:1: creeping.code: X01 is the code of slow-trip"),
        ('severity = "major"', 'severity = "grave"', "creeping.severity: 'grave' must be one of trend, minor"),
        ("hold_s = 0.5", "hold_s = -1", "own.toml:23:1: creeping.hold_s: -1 must be seconds from 0"),
        ("hold_s = 0.5", "hold_s = nan", "creeping.hold_s: nan must be seconds"),
        ("hold_s = 0.5", "holds_s = 1", "own.toml:23:1: creeping.holds_s: no such key; did you mean hold_s?"),
        ("readings = 2", "readings = 2.5", "slow-trip.readings: 2.5 must be a whole number"),
        ("readings = 2", "hold_s = 3", "slow-trip.hold_s: over trips no time can be counted; use readings"),
        ('incident = "unsafe"', 'incident = "party"', "creeping.incident: 'party' must be one of entrapment"),
        ('name.en = "Creeps"', 'name.zh = "蠕动"', "creeping.name: "),
        ('name.en = "Creeps"', 'name.en = "Cre\\neps"', "creeping.name: "),
        ('name.en = "Creeps"', f'name.en = "{"x" * 81}"', "creeping.name: "),
        ("[creeping]", "[Creeping]", "own.toml:15:1: Creeping: a slug is small letters"),
        ("[creeping]", '["cree\\nping"]', "cree?ping: a slug is small letters"),
        ("[creeping]", "[creeping", "own.toml:15:"),
        ("# our own", "lonely = 1", "own.toml:1:1: lonely: a key outside of a rule's table"),
        ('code = "X02"\n', "", "own.toml:15:1: creeping: code is missing"),
        ("# our own", "x = " + "[" * 5000, "own.toml:1:"),
    ],
)
def test_a_fault_has_its_line_and_column(old: str, new: str, complaint: str) -> None:
    assert old in SOUND
    with pytest.raises(BadRuleFile) as refused:
        parse(SOUND.replace(old, new, 1), "own.toml")
    assert complaint in str(refused.value)
    assert all(line.startswith("own.toml:") and len(line) < 600 for line in str(refused.value).splitlines())


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadRuleFile) as refused:
        parse(SOUND.replace("peak_mps <", "p <").replace("{v:.2f}", "{w}"), "own.toml")
    assert len(str(refused.value).splitlines()) == 2


def test_a_file_of_too_many_rules_is_refused() -> None:
    many = "".join(f"[r{k}]\n" for k in range(RULES_LIMIT + 1))
    with pytest.raises(BadRuleFile, match=f"a file may have {RULES_LIMIT}"):
        parse(many, "own.toml")
