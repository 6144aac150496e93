"""Every response to valid and invalid requests matches the OpenAPI document, and none is an internal error (500).

A real server, real stores, and requests that schemathesis makes from the description: the same ones in every run.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from alerts.alert import alert_id
from dashboards.api.context import Settings
from dashboards.api.schema.parameters import LIFT_ID
from detectors.catalogue import RULES
from registry.actor import Actor
from store.records.repository import Records
from store.series.connect import open_timeseries
from tests.dashboards.applications import create_app
from tests.dashboards.sample_fleet import T0_NS, facts, table
from tests.dashboards.test_api_live import fire, served
from tests.loopback import PATIENCE_S

EXAMPLES = 25
ALERT_ID = alert_id("L001", RULES[0].slug, T0_NS + 1)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a few lifts and an alert, and a monitor that writes each second."""
    folder: Path = tmp_path_factory.mktemp("described")
    url = f"sqlite:///{folder}/records.db"
    with Records.open(url) as records:
        records.put_lifts([facts(f"L{number:03}") for number in range(3)], by=Actor.named("test"), now_ns=T0_NS)
        records.put_live(table(3).encode(), {}, T0_NS)
        fire(records, "L001", 1)
    open_timeseries(folder / "series").close()
    described = Settings(
        open_records=lambda: Records.open(url),
        open_series=lambda: open_timeseries(folder / "series", writable=False),
        demo=True,
        monitor_silent_s=math.inf,
        causes=("overspeed",),
        inject=lambda *_: None,
    )
    with served(described) as (at, _), Records.open(url) as records:
        ended = threading.Event()

        def monitor() -> None:
            while not ended.wait(1.0):
                records.put_live(table(3).encode(), {}, T0_NS)

        writing = threading.Thread(target=monitor)
        writing.start()
        yield at
        ended.set()
        writing.join()


def away() -> Any:
    """Open nothing: the description needs no store."""
    raise OSError("there is no store while describing")


CONFIG = SchemathesisConfig.from_dict(
    {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "404", "409", "422", "429"]}}}
)
DESCRIPTION = create_app(Settings(away, away, demo=True, causes=("overspeed",), inject=lambda *_: None)).openapi()
# The stream never ends; what it makes of bad questions is held in the tests of the stream.
api = schemathesis.openapi.from_dict(DESCRIPTION, config=CONFIG).exclude(path="/api/v1/live")


@api.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Ask for what is there two times out of three: most names that are made up lead nowhere."""
    for name, there in {"lift_id": "L001", "alert_id": ALERT_ID}.items():
        made_up = (path_parameters or {}).get(name)
        if path_parameters and isinstance(made_up, str) and re.fullmatch(LIFT_ID, made_up) and len(made_up) % 3:
            path_parameters[name] = there
    return path_parameters


@pytest.mark.long
@api.parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=[*HealthCheck])
def test_every_response_matches_the_openapi_document(case: schemathesis.Case, address: str) -> None:
    case.call_and_validate(base_url=address, timeout=PATIENCE_S)


def test_every_change_documents_the_limit_of_changes() -> None:
    for path, operations in DESCRIPTION["paths"].items():
        for method, operation in operations.items():
            assert method == "get" or "429" in operation["responses"], (method, path)
