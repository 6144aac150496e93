"""The error that ends a command with one line, and the hint at the nearest name. Imports no slow module."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class Unusable(Exception):
    """Something that the operator named cannot be used; the text is one line with the remedy. The exit code is 2."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at the nearest known name, or at all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(names)}"
