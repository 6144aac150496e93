"""Reads scenarios from TOML files: the ones shipped in `shipped/`, and the user's own.

A scenario that cannot be simulated is refused with one line that names the field and the remedy.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Iterable, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from simulator.scenarios.scenario import Buildings, InvalidScenario, PlannedFault, Scenario
from simulator.scenarios.scenario_check import scenario_errors
from simulator.terminals.network import NetworkConditions

SHIPPED = Path(__file__).parent / "shipped"
_ZONED = "write a time with its timezone, such as 2001-09-10T07:30:00+08:00"
_SHAPES = {
    "datetime_type": _ZONED,
    "timezone_aware": _ZONED,
    "model_type": "it is a table of its own",
    "tuple_type": "it is a list, in brackets",
}


def read(named: str | None, changes: Mapping[str, Any]) -> Scenario:
    """Return the shipped scenario of this name, or the scenario in this file, with `changes` applied.

    Raises
    ------
    InvalidScenario
        If the scenario does not exist, is not TOML, or contradicts itself.
    """
    tables = {} if named is None else _tables(named)
    try:
        scenario = Scenario.model_validate(tables | dict(changes))
    except ValidationError as error:
        raise InvalidScenario(f"{named or 'scenario'}: {_explain(error)}") from None
    for line in scenario_errors(scenario):
        raise InvalidScenario(f"{named or 'scenario'}: {line}")
    return scenario


def shipped() -> dict[str, Scenario]:
    """Return the shipped scenarios by name."""
    return {path.stem: read(path.stem, {}) for path in sorted(SHIPPED.glob("*.toml"))}


def _tables(named: str) -> dict[str, Any]:
    path = SHIPPED / f"{named}.toml"
    if not path.is_file():
        path = Path(named)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        known = [shipped.stem for shipped in SHIPPED.glob("*.toml")]
        raise InvalidScenario(f"scenario: {named!r} is neither shipped nor a file{_nearest(named, known)}") from None
    except OSError as error:
        raise InvalidScenario(f"scenario: {named} cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidScenario(f"{named} is not TOML: {error}") from None


def _explain(error: ValidationError) -> str:
    """Return the first validation error as one line with its remedy."""
    fault = error.errors()[0]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).lstrip(".")
    if fault["type"] == "extra_forbidden":
        return f"{where} is not a key{_nearest(str(fault['loc'][-1]), _known_keys(fault['loc'][:-1]))}"
    if fault["type"] == "missing":
        return f"{where} is missing"
    given = fault["input"] if isinstance(fault["input"], date | time) else repr(fault["input"])
    quoted = ", without quotes" if fault["type"] == "datetime_type" and isinstance(fault["input"], str) else ""
    return f"{where} = {given}: {_SHAPES.get(fault['type'], fault['msg'].lower())}{quoted}"


def _known_keys(path: tuple[int | str, ...]) -> Collection[str]:
    tables: dict[str, type[BaseModel]] = {"buildings": Buildings, "faults": PlannedFault, "network": NetworkConditions}
    return (tables[str(path[0])] if path else Scenario).model_fields


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at the most similar known name, or else at all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(names)}"
