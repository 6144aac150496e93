"""A receiver and a client that may connect to this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from notify.ways.http_post import HttpClient
from tests.alerts.rules import T0
from tests.loopback import PATIENCE_S
from tests.notify.receivers import HttpReceiver, http_receiver


@pytest.fixture(name="receiver")
def http() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running


@pytest.fixture
def client() -> Iterator[HttpClient]:
    opened = HttpClient(allow_private=True, timeout_s=PATIENCE_S, now_ns=lambda: T0)
    yield opened
    opened.close()
