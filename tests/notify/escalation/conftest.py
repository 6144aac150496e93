"""Records in SQLite, and a firm whose person on duty is called."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from store.records.repository import Records
from tests.notify.escalation.firm import CalledFirm


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    with Records.open(records_url) as opened:
        yield opened


@pytest.fixture(name="firm")
def called_firm(records: Records) -> CalledFirm:
    firm = CalledFirm(records)
    firm.roster(firm.ada)
    firm.policy(["on-duty"])
    return firm
