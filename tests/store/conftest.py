"""Records in SQLite and in PostgreSQL: one suite, one behaviour."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.records.repository import Records


@pytest.fixture
def records(url: str, tmp_path: Path) -> Iterator[Records]:
    """Empty records."""
    with Records.open(url, tmp_path / "records.key") as opened:
        yield opened
