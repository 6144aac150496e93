"""One thing that the configuration names, and how it is tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class ConfigCheck(NamedTuple):
    """`act` returns what was found, or raises an error whose text names the remedy.

    `name` is the key of the configuration. A check is left out where one of those that it `needs` has failed.
    """

    name: str
    act: Callable[[], str]
    needs: tuple[str, ...] = ()
