"""A hundred thousand bad messages among good ones: every good one arrives, every bad one is counted, memory is flat."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from telemetry.wire.parsed import REASONS
from tests.telemetry.hostile import BAD, GOOD_EVERY

GROWTH_LIMIT_KB = 4 << 10
"""A leak of 100 bytes a message would be twice this between the first quarter and the last."""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads resident memory from /proc, as on Linux")
def test_every_good_message_among_a_hundred_thousand_bad_ones_arrives_and_memory_is_flat() -> None:
    result = json.loads(subprocess.check_output([sys.executable, "-m", "tests.telemetry.hostile"]))
    assert result["seqs"] == list(range(BAD // GOOD_EVERY))
    assert result["speeds"] == 10 * len(result["seqs"])
    assert set(result["reasons"]) <= set(REASONS)
    assert sum(result["reasons"].values()) > BAD / 2
    resident, quarter = result["resident_kb"], len(result["resident_kb"]) // 4
    assert max(resident[-quarter:]) < max(resident[:quarter]) + GROWTH_LIMIT_KB, resident
