"""The sizes of a disturbance: the whole form, and a short one for each run of all tests."""

from __future__ import annotations

from typing import Any

import pytest

WHOLE_LIMIT_S = 3600
"""Every wait of a whole form has a limit of its own; this one ends a form that hangs between them."""


def sizes(whole: float, short: float | None = None) -> Any:
    """Parametrise a case by how much of it there is."""
    cases = [pytest.param(whole, marks=[pytest.mark.chaos, pytest.mark.timeout(WHOLE_LIMIT_S)], id=f"{whole}")]
    if short is not None:
        cases.append(pytest.param(short, marks=pytest.mark.long, id=f"{short}"))
    return pytest.mark.parametrize("size", cases)
