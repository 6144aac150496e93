"""Bundles that are longer than the contract allows while the car moves, with events of unknown instants in them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.detectors.holes import bundles
from tests.detectors.test_holes import PARKED_S, commute, errands, first_s, opened, stuck
from tests.detectors.world import healthy

SPANS_S = (2.0, 5.0, 10.0)


@pytest.mark.parametrize("span_s", SPANS_S)
@pytest.mark.parametrize("lost", [0.0, 0.05])
def test_events_of_unknown_instants_raise_nothing(span_s: float, lost: float) -> None:
    rng, variants = np.random.default_rng(1), {}
    for number, script in enumerate((commute(), errands(), *(healthy(k, 6).rest(PARKED_S) for k in range(4)))):
        for dt_s in (0.2, 1.0):
            sent = bundles(script, dt_s, span_s=span_s, with_at=False)
            variants[number, dt_s] = sent.keeping(rng.random(len(sent.t_ns)) >= lost)
    assert opened(variants.items()) == {}


@pytest.mark.parametrize("with_at", [True, False])
@pytest.mark.parametrize("span_s", SPANS_S)
def test_a_person_shut_in_is_found_at_most_a_bundle_later(span_s: float, with_at: bool) -> None:
    for rule, off_level in (("entrapment-off-level", True), ("entrapment-at-level", False)):
        script = stuck(off_level, 200.0)
        exact_s, found_s = first_s(rule, [bundles(script), bundles(script, span_s=span_s, with_at=with_at)])
        assert exact_s <= found_s <= exact_s + span_s
