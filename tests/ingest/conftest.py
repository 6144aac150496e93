"""A journal, and records with two lifts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.actor import Actor
from store.journal import Journal
from store.records.repository import Records
from tests.ingest.running import facts


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    with Records.open(records_url) as opened:
        opened.put_lifts([facts("L1"), facts("L2")], Actor.named("test"), 0)
        yield opened


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal", 256 << 20) as opened:
        yield opened
