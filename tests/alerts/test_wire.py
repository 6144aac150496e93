"""The alert's JSON is exactly the contract's object."""

from __future__ import annotations

import json

from alerts.alert import Alert
from alerts.wire import to_json
from telemetry.instant import rfc3339
from tests.alerts.rules import T0, S


def test_an_alert_is_written_as_the_contract_has_it() -> None:
    alert = Alert(
        id="x", lift_id="lift-1", district="centre", rule="overspeed", severity="critical", state="firing",
        onset_ns=T0 + 2_300_000_000, noticed_ns=T0 + 3 * S, last_ns=T0, by_hand=True,
        evidence={"speed_mps": 2.11, "limit_mps": 2.01}, codes={"gbt24476": "11"}, summary={"en": "fast", "zh": "快"},
    )  # fmt: skip
    assert json.dumps(to_json(alert), ensure_ascii=False) == (
        '{"id": "x", "lift_id": "lift-1", "district": "centre", "rule": "overspeed", "severity": "critical", '
        '"state": "firing", "onset": "2001-01-01T00:00:02.300Z", "noticed": "2001-01-01T00:00:03.000Z", '
        '"cleared": null, "count": 1, "acknowledged": false, "assigned_to": null, "shelved_until": null, '
        '"inhibited_by": null, "evidence": {"speed_mps": 2.11, "limit_mps": 2.01}, "codes": {"gbt24476": "11"}, '
        '"summary": {"en": "fast", "zh": "快"}}'
    )


def test_instants_are_cut_to_milliseconds_and_never_rounded_up() -> None:
    assert rfc3339(T0 + 999_999_999) == "2001-01-01T00:00:00.999Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(-1) == "1969-12-31T23:59:59.999Z"
