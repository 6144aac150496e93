"""Cells of a CSV document that a spreadsheet opens. Pure.

A spreadsheet executes a text that begins with `=`, `+`, `-` or `@`. Such a text is written with an apostrophe before
it, which reading takes away; a number is written as a number, negative ones too.
"""

from __future__ import annotations

import re

FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""The begin of a text that a spreadsheet executes (also in full width), after any apostrophes of our own."""


def written_cell(value: str | float | bool | None) -> str:
    """Return a value as the text of a cell; None is an empty cell."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if FORMULA.match(value) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def read_cell(text: str) -> str:
    """Return the text of a cell without the apostrophe of `written_cell`."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text
