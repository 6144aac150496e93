"""The lines we emit, byte for byte; whatever a name holds, it stays one line and one tag."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from influxdb_client import Point

from store.series.line_protocol import chunks, encode
from store.series.timeseries import MEASUREMENTS, Points
from tests.store.worlds import START_NS, rows

NAN = np.nan

RECORDED = (
    (
        rows("speed", ["L1", "SH_2-b"], [0, 0.123456789, 1, 2, 3], v=[1.75, -0.0, 1e-300, 0.1, 12345678.5]),
        (
            b"speed,district=north,lift=L1 v=1.75 1000000020000000000\n"
            b"speed,district=north,lift=SH_2-b v=-0.0 1000000020123456789\n"
            b"speed,district=north,lift=L1 v=1e-300 1000000021000000000\n"
            b"speed,district=north,lift=SH_2-b v=0.1 1000000022000000000\n"
            b"speed,district=north,lift=L1 v=12345678.5 1000000023000000000"
        ),
    ),
    (
        rows("infrared", "L1", [0, 1, 2, 3], presence=[1, NAN, NAN, 0], curtain=[NAN, 0, NAN, 1]),
        (
            b"infrared,district=north,lift=L1 presence=1i 1000000020000000000\n"
            b"infrared,district=north,lift=L1 curtain=0i 1000000021000000000\n"
            b"infrared,district=north,lift=L1 presence=0i,curtain=1i 1000000023000000000"
        ),
    ),
    (
        rows("status", "L1", [0, 1], online=[1, 0], mode=[NAN, 6], power=[1, NAN]),
        (
            b'status,district=north,lift=L1 online=1i,power="battery" 1000000020000000000\n'
            b'status,district=north,lift=L1 online=0i,mode="out-of-service" 1000000021000000000'
        ),
    ),
    (rows("door", "L1", [0], state=[3]), b"door,district=north,lift=L1 state=3i 1000000020000000000"),
    (
        Points(
            "vibration",
            np.zeros(1, np.int32),
            ["L1"],
            [""],
            np.array([-1], np.int64),
            {"rms_x": np.array([0.1], np.float32), "min_x": np.array([np.inf], np.float32)},
        ),
        b"vibration,lift=L1 rms_x=0.1 -1",
    ),
    (rows("speed", "L1", [0], v=[NAN]), b""),
    (rows("speed", "L1", [], v=[]), b""),
    (
        rows("speed", ["a,b=c d", "x\ny", "back\\", '"q"', "升降机"], range(5), v=1.0),
        b"speed,district=north,lift=a\\,b\\=c\\ d v=1.0 1000000020000000000\n"
        b"speed,district=north,lift=x_y v=1.0 1000000021000000000\n"
        b"speed,district=north,lift=back_ v=1.0 1000000022000000000\n"
        b'speed,district=north,lift="q" v=1.0 1000000023000000000\n'
        + "speed,district=north,lift=升降机 v=1.0 1000000024000000000".encode(),
    ),
)


@pytest.mark.parametrize(("points", "lines"), RECORDED)
def test_lines_are_these_bytes(points: Points, lines: bytes) -> None:
    assert encode(points) == lines


def test_lines_are_those_of_the_client_library() -> None:
    rng = np.random.default_rng(7)
    v = rng.normal(size=200) * 10.0 ** rng.integers(-8, 8, 200)
    ours = encode(rows("speed", "L 1", range(200), v=v)).decode().splitlines()
    for i, line in enumerate(ours):
        point = Point("speed").tag("district", "north").tag("lift", "L 1").field("v", float(v[i]))
        theirs = point.time(START_NS + i * 10**9).to_line_protocol()
        assert line.split(" v=")[0] == theirs.split(" v=")[0]
        assert line.rsplit(" ", 1)[1] == theirs.rsplit(" ", 1)[1]
        assert float(line.split("v=")[1].split(" ")[0]) == v[i]


@settings(deadline=None)
@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_no_name_breaks_out_of_its_tag(lift_id: str, district: str) -> None:
    points = Points("speed", np.zeros(1, np.int32), [lift_id], [district], np.array([5]), {"v": np.array([1.0])})
    line = encode(points).decode()
    assert not any(ord(character) < 32 for character in line)
    unescaped = line.replace("\\,", "").replace("\\=", "").replace("\\ ", "")
    assert unescaped.count(" ") == 2
    assert unescaped.count("=") == 2 + bool(district)
    assert unescaped.endswith(" v=1.0 5")


@pytest.mark.parametrize("limit", [1, 3, 7, 10, 1_000])
def test_pieces_hold_every_line_once_and_no_more_than_the_limit(limit: int) -> None:
    points = [
        rows("speed", "L1", range(10), v=1),
        rows("door", "L1", [], state=[]),
        rows("displacement", "L2", range(4), z=2),
    ]
    pieces = list(chunks(points, limit))
    assert all(len(piece.splitlines()) <= limit for piece in pieces)
    assert b"\n".join(pieces) == b"\n".join(encode(one) for one in points if len(one))


def test_every_measurement_of_the_contract_can_be_written() -> None:
    for measurement, fields in MEASUREMENTS.items():
        line = encode(rows(measurement, "L1", [0], **dict.fromkeys(fields, 1))).decode()
        assert all(f"{name}=" in line for name in fields)
