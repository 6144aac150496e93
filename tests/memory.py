"""The garbage collector leaves alone what pytest has collected: modules, libraries and tests live to the end of a run.

They are most of the memory of a test process: to search them again and again takes a fifth of its time.
"""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Search nothing while the modules of the tests are imported, and no module afterwards."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
