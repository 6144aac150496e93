"""Reads the configuration: one TOML file, overridden by environment variables, read once when a command starts.

`LIFTWATCH_BROKER__HOST=mqtt.example` overrides `host` in `[broker]`. An unknown key is an error that names the nearest
known one, or the key's new place where it moved; a bad value is one line with the remedy.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from commands.errors import Unusable, nearest
from configuration import Configuration, Section

PREFIX = "LIFTWATCH_"
MOVED_KEYS: dict[str, str] = {}
"""Keys of earlier versions, as `section.key`, and their new places: `"monitor.old": "broker.new"`."""


def read(path: Path | None, environ: Mapping[str, str] = os.environ) -> Configuration:
    """Return the configuration in `path` (defaults where None), overridden by the environment."""
    tables: dict[str, Any] = {}
    if path is not None:
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise Unusable(f"cannot read {path} ({error.strerror}); name another file with --config") from None
        except UnicodeDecodeError as error:
            raise Unusable(f"{path} is not UTF-8 at byte {error.start}; save it as UTF-8") from None
        except tomllib.TOMLDecodeError as error:
            raise Unusable(f"{path} is not TOML: {error}") from None
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and "__" in name:
            override(tables, name, value)
    source = str(path or "the environment")
    refuse_moved_keys(tables, source)
    try:
        return Configuration.model_validate(tables)
    except ValidationError as error:
        raise Unusable(explain(error, source)) from None


def override(tables: dict[str, Any], name: str, value: str) -> None:
    """Put one environment variable into `tables`; an empty value changes nothing."""
    section, _, key = name.removeprefix(PREFIX).lower().partition("__")
    if value:
        table = tables.setdefault(section, {})
        if not isinstance(table, dict):
            raise Unusable(f"{name}: only the tables of the file can be overridden, not the list [[{section}]]")
        table[key] = value


def refuse_moved_keys(tables: Mapping[str, Any], source: str) -> None:
    """Raise Unusable, with the new place, for a key that moved."""
    for old, new in MOVED_KEYS.items():
        section, _, key = old.partition(".")
        table = tables.get(section)
        if isinstance(table, dict) and key in table:
            raise Unusable(f"{source}: {old} moved to {new}")


def explain(error: ValidationError, source: str) -> str:
    """Return the faults of a configuration, one line each with its remedy."""
    return "\n".join(explain_fault(fault, source) for fault in error.errors())


def explain_fault(fault: ErrorDetails, source: str) -> str:
    """Return one fault as one line with its remedy."""
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"{source}: {where} = {fault['input']!r}: {fault['msg'].lower()}"
    known = known_keys(fault["loc"][:-1])
    return f"{source}: unknown key {where}{nearest(str(fault['loc'][-1]), known)}"


def known_keys(path: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the table at `path`."""
    table: type[Section] = Configuration
    for part in path:
        if isinstance(part, str):
            table = _section_of(table.model_fields[part].annotation)
    return list(table.model_fields)


def _section_of(annotation: Any) -> type[Section]:
    """Return the table in the type of a key: the type itself, or inside `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(each for each in get_args(annotation) if isinstance(each, type) and issubclass(each, Section))
