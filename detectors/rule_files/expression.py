"""Expressions of rule files: SQL over columns, evaluated by polars; unknown stays unknown.

Only numbers, columns, names of states and the words and functions below reach polars, so that no expression can read a
file, combine rows or depend on how the stream is cut. An error names the place of the character. Unknown (NaN) is SQL's
NULL: a comparison with an unknown value is unknown, `FALSE AND unknown` is false. A division by zero and the root of a
negative number are unknown too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

import numpy as np
import polars as pl

from telemetry import streams
from telemetry.arrays import F64

LENGTH_LIMIT = 1000
NESTING_LIMIT = 20
SIGNS = ("+", "-")
BINARY_WORDS = {"AND", "OR", "BETWEEN", "IN", "IS"}
WORDS = BINARY_WORDS | {"NOT", "NULL", "TRUE", "FALSE"}
FUNCTIONS = {"ABS", "SIGN", "SQRT", "LEAST", "GREATEST", "COALESCE"}
STATES: Mapping[str, int] = {
    name.upper().replace("-", "_"): number
    for names in (streams.DOOR_STATES, streams.POWERS, streams.MODES)
    for number, name in enumerate(names)
}
"""The names of door states, powers and modes, as numbers."""
UNDEFINED = "undefined"
"""A column of NaN, which polars takes as equal to the root of a negative number."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign><=|>=|<>|!=|[=<>+\-*/(),]))",
    re.ASCII,
)


class BadExpression(ValueError):
    """An expression cannot be used; `at` is the place of the first wrong character, from 0."""

    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.at = at


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was checked: its SQL, and the columns that it reads."""

    sql: str
    columns: tuple[str, ...]

    def evaluate(self, frame: pl.DataFrame) -> F64:
        """Return the value at each row: a number, 1 or 0 for true or false, NaN unknown."""
        value = frame.select(_polars(self.sql).cast(pl.Float64).fill_null(np.nan).alias("value"))["value"]
        number: F64 = value.to_numpy().copy()
        number[np.isinf(number)] = np.nan
        return number


def frame_of(columns: Mapping[str, F64]) -> pl.DataFrame:
    """Return columns as a frame for expressions: NaN is NULL there."""
    length = len(next(iter(columns.values())))
    known = pl.DataFrame(dict(columns)).with_columns(pl.all().fill_nan(None))
    return known.with_columns(pl.lit(np.full(length, np.nan)).alias(UNDEFINED))


def condition(text: str, columns: Collection[str]) -> Expression:
    """Return a condition over these columns; raise BadExpression where it is none."""
    return _checked(text, columns, is_condition=True)


def quantity(text: str, columns: Collection[str]) -> Expression:
    """Return a number over these columns; raise BadExpression where it is none."""
    return _checked(text, columns, is_condition=False)


def _checked(text: str, columns: Collection[str], *, is_condition: bool) -> Expression:
    if len(text) > LENGTH_LIMIT:
        raise BadExpression(f"longer than {LENGTH_LIMIT} characters", LENGTH_LIMIT)
    made = _Translation(text, columns).expression()
    frame = frame_of({name: np.empty(0) for name in made.columns})
    try:
        dtype = frame.select(_polars(made.sql).alias("value")).schema["value"]
    except pl.exceptions.PolarsError as error:
        why = str(error).splitlines()[0][:200]
        raise BadExpression(f"does not fit together; compare numbers, and join comparisons ({why})", 0) from None
    if (dtype == pl.Boolean) != is_condition:
        wanted = "a condition, such as v > 1.0" if is_condition else "a number, such as ABS(v)"
        raise BadExpression(f"must be {wanted}", 0)
    return made


@lru_cache(maxsize=1024)
def _polars(sql: str) -> pl.Expr:
    return pl.sql_expr(sql)


class _Translation:
    """The walk over the tokens of one expression: checks each, and writes the SQL."""

    def __init__(self, text: str, columns: Collection[str]) -> None:
        self._text, self._known = text, columns
        self._sql: list[str] = []
        self._columns: dict[str, None] = {}
        self._needs_value = True
        self._open: list[tuple[int, str, bool]] = []  # place, the end to write, whether commas may stand within
        self._divisors: list[int] = []  # how many were open at each division whose divisor is not complete

    def expression(self) -> Expression:
        """Return the expression."""
        at = 0
        while self._text[at:].strip():
            token = _TOKEN.match(self._text, at)
            begin = at + len(self._text[at:]) - len(self._text[at:].lstrip())
            if token is None:
                raise BadExpression(f"{self._text[begin]!r} cannot be used in an expression", begin)
            at = token.end()
            if token["number"]:
                self._number(float(token["number"]), begin)
            elif token["name"]:
                self._name(token["name"], begin, is_call=self._text[at:].lstrip().startswith("("))
            else:
                self._sign(token["sign"], begin)
        if self._needs_value:
            raise BadExpression("a value is missing at the end", len(self._text))
        if self._open:
            raise BadExpression("this bracket is never closed", self._open[-1][0])
        if not self._columns:
            raise BadExpression("names no column", 0)
        return Expression(" ".join(self._sql), tuple(self._columns))

    def _name(self, name: str, at: int, *, is_call: bool) -> None:
        word = name.upper()
        if name in self._known:
            self._columns[name] = None
            self._value(f'"{name}"', at, name)
        elif word in WORDS:
            self._word(word, at)
        elif is_call and word in FUNCTIONS:
            self._expect_value(at, name)
            self._sql.append(f"NULLIF({word}" if word == "SQRT" else word)
        elif name in STATES:
            self._number(float(STATES[name]), at)
        else:
            self._refuse(name, at, is_call=is_call)

    def _refuse(self, name: str, at: int, *, is_call: bool) -> None:
        known = sorted(FUNCTIONS) if is_call else [*sorted(self._known), *STATES]
        near = get_close_matches(name, known, n=1) or get_close_matches(name.upper(), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
        raise BadExpression(f"{name} is no {'function' if is_call else 'column'}; {hint}", at)

    def _word(self, word: str, at: int) -> None:
        before = self._sql[-1] if self._sql else ""
        if word in ("TRUE", "FALSE"):
            self._value(word, at)
        elif word == "NULL":
            if before not in ("IS", "NOT"):
                raise BadExpression("NULL can only stand after IS or IS NOT", at)
            self._value(word, at)
        elif word == "NOT":
            self._sql.append(word)  # before a value, or between a value and BETWEEN or IN
        else:
            if before != "NOT" or word not in ("BETWEEN", "IN"):
                self._expect_operator(at, word)
            self._sql.append(word)
            self._needs_value = True

    def _sign(self, sign: str, at: int) -> None:
        if sign == "(":
            self._bracket(at)
        elif sign == ")":
            self._close(at)
        elif sign in SIGNS and self._needs_value:
            self._sql.append(sign)
        else:
            self._expect_operator(at, sign)
            if sign == "," and not (self._open and self._open[-1][2]):
                raise BadExpression("a comma can only stand between the values of a function or of IN", at)
            self._sql.append(sign)
            self._needs_value = True
            if sign == "/":
                self._divisors.append(len(self._open))
                self._sql.append("NULLIF(")

    def _bracket(self, at: int) -> None:
        self._expect_value(at, "(")
        if len(self._open) == NESTING_LIMIT:
            raise BadExpression(f"more than {NESTING_LIMIT} brackets within each other", at)
        before = self._sql[-1] if self._sql else ""
        end = f"), {UNDEFINED})" if before == "NULLIF(SQRT" else ")"
        self._open.append((at, end, before in FUNCTIONS or before == "IN"))
        self._sql.append("(")

    def _close(self, at: int) -> None:
        self._expect_operator(at, ")")
        if not self._open:
            raise BadExpression("this bracket was never opened", at)
        self._sql.append(self._open.pop()[1])
        self._end_divisor()

    def _number(self, number: float, at: int) -> None:
        if not math.isfinite(number):
            raise BadExpression("a number too large to compute with", at)
        text = repr(number)
        self._value(text if "e" in text else f"{text}e0", at)  # with an exponent polars takes it as a float

    def _value(self, sql: str, at: int, name: str = "a value") -> None:
        self._expect_value(at, name)
        self._sql.append(sql)
        self._needs_value = False
        self._end_divisor()

    def _end_divisor(self) -> None:
        while self._divisors and self._divisors[-1] == len(self._open):
            self._divisors.pop()
            self._sql.append(", 0.0)")

    def _expect_value(self, at: int, found: str) -> None:
        if not self._needs_value:
            raise BadExpression(f"an operator such as AND or > is missing before {found}", at)

    def _expect_operator(self, at: int, found: str) -> None:
        if self._needs_value:
            raise BadExpression(f"a value is missing before {found}", at)
