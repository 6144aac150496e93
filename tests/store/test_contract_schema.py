"""Section 5 of the contract: what a lift sent stands in the stores under these names, with these types and times."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from store.series.connect import open_timeseries
from store.series.line_protocol import encode
from store.series.timeseries import MEASUREMENTS, REDUCTIONS, SECOND_NS, TimeSeries
from telemetry.streams import FIRE
from tests.store.stored_streams import PROJECT, STREAMS, of_every_stream, schema
from tests.store.worlds import START_NS

KINDS = {"integer": r"-?\d+i", "float": r"-?\d+\.\d+(e-?\d+)?", "text": r'"[a-z-]+"'}


def test_the_contract_names_every_measurement_and_every_field_of_a_stream() -> None:
    named = schema()
    assert set(named) == set(MEASUREMENTS)
    assert {name: set(named[name][0]) for name in STREAMS} == {name: set(MEASUREMENTS[name]) for name in STREAMS}


@pytest.mark.parametrize("measurement", STREAMS)
def test_lines_have_the_tags_and_the_types_of_the_contract(measurement: str) -> None:
    (rows,) = [rows for rows in of_every_stream() if rows.measurement == measurement]
    fields, kinds = schema()[measurement]
    each = re.findall("|".join(KINDS), kinds)
    typed = dict(zip(fields, each * len(fields) if len(each) == 1 else each, strict=False))
    for line in encode(rows).decode().splitlines():
        tags, values, _ = line.split(" ")
        assert tags == f"{measurement},district=south,lift=L1"
        for name, value in (pair.split("=") for pair in values.split(",")):
            assert re.fullmatch(KINDS[typed[name]], value), (line, typed[name])


def test_files_hold_the_measurements_by_day_without_the_district(tmp_path: Path) -> None:
    store = open_timeseries(tmp_path, raw_days=0)
    store.write(of_every_stream())
    store.close()
    files = {path.name.partition(".")[0]: path for path in (tmp_path / "raw/2001-09-09").iterdir()}
    assert set(files) == set(STREAMS)
    for measurement, path in files.items():
        assert pl.read_parquet(path).columns == ["lift", "t", *MEASUREMENTS[measurement]]


def test_what_a_lift_sent_is_read_back_as_the_contract_defines_it(store: TimeSeries) -> None:
    store.write(of_every_stream())
    found = {name: store.readings("L1", name, START_NS, START_NS + SECOND_NS) for name in STREAMS}
    assert found["speed"].t_ns.tolist() == [START_NS]
    assert found["speed"].channels["v"].tolist() == [1.75]
    assert found["displacement"].channels["z"].tolist() == [12.5]
    assert (found["door"].t_ns - START_NS).tolist() == [0, 250_000_000]
    assert found["door"].channels["state"].tolist() == [1, 2]
    assert {name: column.tolist() for name, column in found["infrared"].channels.items()} == {
        "presence": [1],
        "curtain": [0],
    }
    status = {name: column.tolist() for name, column in found["status"].channels.items()}
    assert status == {"online": [1], "alarm": [0], "mode": [FIRE], "power": [1]}
    shaken = {name: column.tolist() for name, column in found["vibration"].channels.items()}
    expected = {"rms": 0.5, "min": -0.5, "max": 0.5, "mean": 0.0}
    assert {name: shaken[name] for name in shaken if name.endswith("x")} == {
        f"{what}_x": [value] for what, value in expected.items()
    }
    assert np.ravel([shaken[f"{what}_z"] for what in expected]).tolist() == [1.0] * 4


def test_the_contract_names_the_fields_of_the_minutes() -> None:
    text = (PROJECT / "docs/contract.md").read_text(encoding="utf-8")
    section = text.split("\n## 5. ")[1].split("\n## ")[0]
    named = set(re.findall(r"`([a-z_]+_(?:min|max|mean))`", section))
    expected = {
        f"{column}_{how}" for columns in REDUCTIONS.values() for column, hows in columns.items() for how in hows
    }
    assert named == {name for name in expected if name[0] in "vz" or "_x_" in name}
