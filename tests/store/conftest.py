"""Records in SQLite and in PostgreSQL: one suite, one behaviour."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from store.records.repository import Records


@pytest.fixture
def records(url: str) -> Iterator[Records]:
    """Empty records."""
    with Records.open(url) as opened:
        yield opened
