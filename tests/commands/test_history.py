"""`liftwatch history`: what it writes is read back from both stores; an installation with incidents stays as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from simulator.scenarios.past import DAY_S, S_NS
from store.records.repository import AlertFilter, IncidentFilter, Records
from store.series.files import FileSeries

LIFTS, DAYS = 40, 15


def history(folder: Path) -> str:
    config = folder / "liftwatch.toml"
    config.write_text(f"[monitor]\ndata_dir = '{folder / 'data'}'\n", encoding="utf-8")
    command = [sys.executable, "-m", "liftwatch", "--config", str(config), "history"]
    return subprocess.check_output([*command, "--lifts", str(LIFTS), "--days", str(DAYS)], text=True)


def test_days_of_readings_and_closed_incidents_are_written_once(tmp_path: Path) -> None:
    assert f"{DAYS} days, {LIFTS} lifts" in history(tmp_path)
    with Records.open(f"sqlite:///{tmp_path / 'data' / 'records.db'}") as records:
        closed = records.incidents(IncidentFilter(state=("closed",))).items
        tickets = records.incidents(IncidentFilter(state=("open",))).items
        rescues = [each.incident for each in closed if each.incident.kind == "entrapment"]
        assert rescues
        assert all(one.reason == "released" and one.owner for one in rescues)
        assert sorted(each.incident.kind for each in tickets) == ["nuisance", "out-of-order"]
        assert not records.alerts(AlertFilter(state=("firing",))).items
        registered = len(records.registered())
        opened_ns, lift_id = rescues[0].opened_ns, rescues[0].lift_id
        days = {each: records.health_days(each, 0) for each in records.last_health_days()}
        assert {len(each) for each in days.values()} == {DAYS}
        assert days[lift_id][-1].parts["safety"] is not None
        scores = [each[-1].score or 0.0 for each in days.values()]
        assert max(scores) == 100.0
        assert min(scores) < 80.0, "some lifts wear, and in one somebody was shut in"
    assert registered == LIFTS
    series = FileSeries.open(tmp_path / "data" / "series", writable=False)
    around = series.readings(lift_id, "displacement", opened_ns, opened_ns + 300 * S_NS)
    assert len(around)
    assert len(set(around.channels["z"].tolist())) == 1, "the car stands while somebody is shut in"
    week = series.series(lift_id, "speed", opened_ns - 2 * DAY_S * S_NS, opened_ns, 500)
    assert len(week.t_ns) > 100
    assert "nothing was written" in history(tmp_path)
