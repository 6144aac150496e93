"""Expressions: unknown stays unknown, what could reach beyond the columns is refused, and faults have a place."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest

from detectors.rule_files.expression import LENGTH_LIMIT, NESTING_LIMIT, BadExpression, condition, frame_of, quantity

NAN = math.nan
COLUMNS = {
    "v": np.array([1.0, NAN, 3.0, 0.0, -4.0]),
    "z": np.array([0.0, 2.0, NAN, 0.0, 2.0]),
    "door": np.array([0.0, 1.0, 2.0, 3.0, NAN]),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v > 1", [0, NAN, 1, 0, 0]),
        ("v / z > 1", [NAN, NAN, NAN, NAN, 0]),  # a division by zero is unknown, as 0 / 0 is
        ("v / (z - 2) > 0", [0, NAN, NAN, 0, NAN]),
        ("1 / v / z > 0", [NAN, NAN, NAN, NAN, 0]),
        ("v/-z > 0", [NAN, NAN, NAN, NAN, 1]),
        ("v / 2 * 2 = v", [1, NAN, 1, 1, 1]),
        ("SQRT(v) >= 1", [1, NAN, 1, 0, NAN]),  # the root of a negative number is unknown
        ("v / SQRT(ABS(v)) > 1", [0, NAN, 1, NAN, 0]),
        ("v > 1 AND z > 1", [0, NAN, NAN, 0, 0]),  # false AND unknown is false, true AND unknown is unknown
        ("v > 1 OR z > 1", [0, 1, 1, 0, 1]),
        ("NOT (v > 1)", [1, NAN, 0, 1, 1]),
        ("v IS NULL", [0, 1, 0, 0, 0]),
        ("v is not null", [1, 0, 1, 1, 1]),
        ("v BETWEEN 0.5 AND 3", [1, NAN, 1, 0, 0]),
        ("v NOT BETWEEN 0.5 AND 3", [0, NAN, 0, 1, 1]),
        ("door IN (OPENING, OPEN)", [0, 1, 1, 0, NAN]),
        ("door NOT IN (OPEN)", [1, 1, 0, 1, NAN]),
        ("GREATEST(v, z) > 1", [0, 1, 1, 0, 1]),
        ("COALESCE(v, 9) > 1", [0, 1, 1, 0, 0]),
        ("SIGN(v) = -1", [0, NAN, 0, 0, 1]),
        ("v > -.5e0 - -0.25", [1, NAN, 1, 1, 0]),
        ("TRUE AND v > 1", [0, NAN, 1, 0, 0]),
    ],
)
def test_a_condition_is_1_0_or_unknown(text: str, expected: list[float]) -> None:
    assert condition(text, COLUMNS).evaluate(frame_of(COLUMNS)) == pytest.approx(np.array(expected, float), nan_ok=True)


def test_a_quantity_that_overflows_is_unknown() -> None:
    values = quantity("v * 1e200 * 1e200", COLUMNS).evaluate(frame_of(COLUMNS))
    assert np.isnan(values).tolist() == [True, True, True, False, True]


def test_a_row_is_scored_by_itself() -> None:
    expression = condition("ABS(v - z) > 1 OR door = OPEN", COLUMNS)
    whole = expression.evaluate(frame_of(COLUMNS))
    for k in range(5):
        alone = expression.evaluate(frame_of({name: column[k : k + 1] for name, column in COLUMNS.items()}))
        assert alone == pytest.approx(whole[k : k + 1], nan_ok=True)
    assert len(expression.evaluate(frame_of({name: column[:0] for name, column in COLUMNS.items()}))) == 0


@pytest.mark.parametrize(
    ("text", "at", "complaint"),
    [
        ("", 0, "a value is missing at the end"),
        ("v > ", 4, "a value is missing at the end"),
        ("v > > 1", 4, "a value is missing before >"),
        ("v > 1 z > 2", 6, "an operator such as AND or > is missing before z"),
        ("v > 1 )", 6, "never opened"),
        ("(v > 1", 0, "never closed"),
        ("vv > 1", 0, "vv is no column; did you mean v"),
        ("v > opne", 4, "opne is no column; did you mean OPEN"),
        ("MAX(v) > 1", 0, "MAX is no function"),
        ("v > 'a'", 4, "cannot be used"),
        ('v > "a"', 4, "cannot be used"),
        ("v > 1; DROP TABLE lifts", 5, "cannot be used"),
        ("v > 1 -- note", 9, "note is no column"),
        ("v > 1 /* note */", 7, "a value is missing before \\*"),
        ("v.__class__ > 1", 1, "cannot be used"),
        ("__import__('os')", 0, "no function"),
        ("read_csv('/etc/passwd') > 1", 0, "no function"),
        ("EXISTS (SELECT 1)", 0, "no function"),
        ("v > (SELECT 1)", 5, "SELECT is no column"),
        ("SUM(v) OVER () > 1", 0, "SUM is no function"),
        ("v::int > 1", 1, "cannot be used"),
        ("v > 0x10", 4, "cannot be used"),
        ("v > 1e999", 4, "too large"),
        ("v > 1，", 5, "cannot be used"),
        ("v > NULL", 4, "only stand after IS"),
        ("v, z", 1, "comma"),
        ("(v, z) > 1", 2, "comma"),
        ("1 > 2", 0, "names no column"),
        ("v", 0, "must be a condition"),
        ("v AND z", 0, "does not fit together"),
        ("v IN 1", 0, "does not fit together"),
        ("v BETWEEN 1", 0, "does not fit together"),
        ("(" * 21 + "v > 1" + ")" * 21, NESTING_LIMIT, "brackets within each other"),
        ("v > 1 AND " * 200 + "v > 1", LENGTH_LIMIT, "longer than"),
    ],
)
def test_what_is_no_condition_is_refused_at_its_place(text: str, at: int, complaint: str) -> None:
    with pytest.raises(BadExpression, match=complaint) as refused:
        condition(text, COLUMNS)
    assert refused.value.at == at


def test_a_condition_is_no_quantity() -> None:
    with pytest.raises(BadExpression, match="must be a number"):
        quantity("v > 1", COLUMNS)


def test_any_text_of_tokens_gives_values_or_a_refusal() -> None:
    """Every accepted text has one value a row; every other one is a BadExpression and nothing else."""
    rng, accepted = random.Random(4), 0
    tokens = [*"vz1()+-/*>=,", "0.5", "AND", "NOT", "OR", "IS", "NULL", "ABS", "IN"]
    frame = frame_of(COLUMNS)
    for _ in range(3000):
        text = " ".join(rng.choices(tokens, k=rng.randint(1, 7)))
        for parse in (condition, quantity):
            try:
                values = parse(text, COLUMNS).evaluate(frame)
            except BadExpression:
                continue
            accepted += 1
            assert values.shape == (5,)
            assert not np.isinf(values).any()
    assert accepted > 50


@pytest.mark.parametrize("text", ["v > 1", "v / z > 1", "NOT (v / z > 1 AND z > 0) OR SQRT(v) > z"])
def test_three_valued_logic_equals_every_way_to_fill_the_unknown(text: str) -> None:
    """A condition that is known stays what it is whatever value the unknown column has."""
    expression = condition(text, COLUMNS)
    known = expression.evaluate(frame_of(COLUMNS))
    for k, value in itertools.product(range(5), (-2.0, 0.5, 7.0)):
        row = {name: column[k : k + 1] for name, column in COLUMNS.items()}
        filled = {name: np.where(np.isnan(column), value, column) for name, column in row.items()}
        now = expression.evaluate(frame_of(filled))[0]
        assert np.isnan(known[k]) or now == known[k]
