"""A check of one key of the configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class ConfigCheck(NamedTuple):
    """A check: `act` returns its result as text, or raises an error with the remedy.

    `name` is the key of the configuration. A check is left out where one of those that it `needs` has failed.
    """

    name: str
    act: Callable[[], str]
    needs: tuple[str, ...] = ()
