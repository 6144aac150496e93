"""The sizes of a disturbance: the whole form, and a short one for each run of all tests."""

from __future__ import annotations

from typing import Any

import pytest

WHOLE_LIMIT_S = 3600
"""Every wait of a whole form has a limit of its own; this one ends a form that hangs between them."""


def whole(size: float) -> Any:
    """Parametrise a case by how much of it there is, in its whole form alone."""
    return pytest.mark.parametrize("size", [_whole(size)])


def sizes(size: float, short: float) -> Any:
    """Parametrise a case by how much of it there is, in its whole and in a short form."""
    return pytest.mark.parametrize("size", [_whole(size), pytest.param(short, marks=pytest.mark.long, id=f"{short}")])


def _whole(size: float) -> Any:
    return pytest.param(size, marks=[pytest.mark.chaos, pytest.mark.timeout(WHOLE_LIMIT_S)], id=f"{size}")
