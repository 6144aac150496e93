"""What a lift sends of every stream, as the rows that are stored, and section 5 of the contract that names them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from store.series.points import points
from store.series.timeseries import SECOND_NS, Points
from telemetry.streams import Entry
from telemetry.wire.decode import decode
from tests.store.worlds import START_NS

PROJECT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (`[a-z`, ]+) \| (.*) \| (.*) \|$", re.MULTILINE)
STREAMS = ("speed", "displacement", "door", "infrared", "vibration", "status")


def schema() -> dict[str, tuple[list[str], str]]:
    """Return the fields of each measurement in section 5, and the type of each field in turn."""
    section = (PROJECT / "docs/contract.md").read_text(encoding="utf-8").split("\n## 5. ")[1].split("\n## ")[0]
    return {
        name: (re.findall(r"`([a-z_]+)`", fields), kinds)
        for names, fields, kinds in ROW.findall(section)
        for name in re.findall(r"`([a-z]+)`", names)
    }


def of_every_stream() -> list[Points]:
    """Return the rows of a second of a lift whose topic names another district than the registry."""
    wave = [0.5, -0.5] * 50
    body = {
        "t": START_NS // 10**6,
        "seq": 0,
        "speed": {"v": [1.75, None], "dt": 500},
        "displacement": {"z": [12.5]},
        "vibration": {"x": wave, "y": wave, "z": [1.0] * 100, "dt": 10},
        "machine": {"a": [0.1] * 2560, "dt": 0.390625},
        "door": {"state": ["opening", "open"], "at": [0, 250]},
        "infrared": {"presence": [True], "curtain": [False]},
        "status": {"online": True, "alarm": False, "mode": "fire", "power": "battery", "heartbeat_s": 30},
    }
    entry = Entry(1, START_NS + SECOND_NS, "lift/v1/north/L1/bundle", json.dumps(body).encode())
    decoded = decode([entry])
    assert decoded.refusals == []
    return points(decoded, {"L1": "south"})
