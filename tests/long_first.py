"""The order of a distributed test run: every worker begins with its long tests, so that none runs alone at the end.

pytest-xdist hands each worker a share of the collected tests, one share after the other, and a worker that has finished
takes over what another one has left. The tests of a file stay together, for the sake of what they share.
"""

from __future__ import annotations

import pytest

LONG_FILES = ("tests/chaos/", "tests/commands/test_demonstration.py", "tests/commands/test_secure_demo.py")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests of a worker; a run in one process keeps its order."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        long = [item for item in items if item.get_closest_marker("long") or item.nodeid.startswith(LONG_FILES)]
        is_long = set(long)
        items[:] = dealt(long, [item for item in items if item not in is_long], workers)


def dealt(long: list[pytest.Item], short: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return the tests in an order of which each worker's share begins with a part of the long ones."""
    out: list[pytest.Item] = []
    long, short = long.copy(), short.copy()
    for remaining in range(workers, 0, -1):
        share = (len(long) + len(short)) // remaining
        first = min(-(-len(long) // remaining), share)
        for tests, count in ((long, first), (short, share - first)):
            out += tests[:count]
            del tests[:count]
    return out
