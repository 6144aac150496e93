"""One running installation, shared by all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.whole.installation import DeviceWithLastWill, System, installed

GONE = "gone"
"""A lift that vanishes at once: its silence is counted by the wall clock while the other tests run."""


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A broker, a monitor and a server, and a client that publishes for lifts."""
    running = installed(tmp_path_factory.mktemp("whole"))
    running.register(GONE)
    DeviceWithLastWill(running.broker.port, GONE)
    yield running
    running.stop()
