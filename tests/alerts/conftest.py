"""The fixture of the tests of the alert book."""

from __future__ import annotations

import pytest

from tests.alerts.lift_alerts import Lift


@pytest.fixture
def lift() -> Lift:
    return Lift()
