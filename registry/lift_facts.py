"""The lift's own facts (contract, section 2), one lift as a record, read from JSON and written as JSON.

Every threshold is derived from these; a fact that is missing makes the rules that need it "not judged". As columns:
`registry.facts`; as CSV: `registry.lift_csv`. Nothing here needs numpy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from registry.fact_checks import ABSOLUTE, BAROMETER, CHECKS, FieldError, InvalidFact, unknown_field

DOOR_ZONE_DEFAULT_M = 0.20
NAME_SEPARATOR = " · "
HAN = re.compile(r"[\u3400-\u9fff]")
NEEDS = ("rated_speed_mps", "floors", "position_source")
"""Facts that some rules need: where one is missing or too inexact, they are not judged."""


@dataclass(frozen=True, slots=True)
class Floor:
    """A landing: the label on its sign, and its height above the lowest landing in metres."""

    label: str
    height_m: float


@dataclass(frozen=True, slots=True)
class LiftFacts:
    """One lift of the registry. Dates are ISO texts (YYYY-MM-DD)."""

    lift_id: str
    district: str
    name: str | None = None
    address: str | None = None
    lat: float | None = None
    lon: float | None = None
    timezone: str | None = None
    building_type: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    installed_on: str | None = None
    rated_speed_mps: float | None = None
    rated_load_kg: float | None = None
    floors: tuple[Floor, ...] = ()
    door_type: str | None = None
    door_width_mm: float | None = None
    roping: str | None = None
    sheave_diameter_m: float | None = None
    owner: str | None = None
    maintenance_firm: str | None = None
    gateway_id: str | None = None
    insurer: str | None = None
    insured_until: str | None = None
    last_inspection_on: str | None = None
    next_inspection_due_on: str | None = None
    emergency_phone: str | None = None
    door_zone_m: float = DOOR_ZONE_DEFAULT_M
    parks_door_open: bool = False
    position_source: str = ABSOLUTE
    speed_source: str | None = None
    bearing_balls: int | None = None
    bearing_ratio: float | None = None
    bearing_contact_deg: float | None = None

    def satisfies(self, need: str) -> bool:
        """Return whether this fact is present and exact enough for the rules that need it."""
        return getattr(self, need) not in (None, (), BAROMETER)


class FactsError(ValueError):
    """A file of facts that cannot be read at all, with a remedy."""


class NotUtf8(FactsError):
    """A file of facts in another encoding than UTF-8."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A refused row with all its errors. `number` is 1 for the first lift of a JSON list, and 2 for the
    first of a CSV file, below its header."""

    number: int
    lift_id: str | None
    errors: tuple[FieldError, ...]


ReadResult = tuple[list[LiftFacts], list[RefusedRow]]


def read_changes(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the facts in `row`, as `LiftFacts` holds them, and all errors.

    A null or empty value is an unknown fact: the field's default.
    """
    facts: dict[str, Any] = {}
    errors: list[FieldError] = []
    for field, value in row.items():
        if field not in CHECKS:
            errors.append(unknown_field(str(field)))
        elif value is None or (isinstance(value, str) and not value.strip()):
            if field in REQUIRED:
                errors.append(FieldError(field, "is empty", "every lift needs one"))
            else:
                facts[field] = _DEFAULTS[field]
        else:
            try:
                facts[field] = CHECKS[field](value)
            except InvalidFact as error:
                errors.append(FieldError(field, error.wrong, error.remedy))
    if facts.get("floors"):
        facts["floors"] = tuple(Floor(label, height_m) for label, height_m in facts["floors"])
    return facts, errors


def read_row(row: Mapping[str, Any]) -> tuple[LiftFacts | None, list[FieldError]]:
    """Return the lift of a complete row, or None where there is any error, and all errors."""
    facts, errors = read_changes(row)
    errors += [FieldError(field, "is missing", "every lift needs one") for field in REQUIRED if field not in row]
    return (None if errors else LiftFacts(**facts)), errors


def patch(lift: LiftFacts, changes: Mapping[str, Any]) -> tuple[LiftFacts | None, list[FieldError]]:
    """Return the lift with these facts changed, or None where there is any error, and all errors."""
    facts, errors = read_changes(changes)
    if facts.get("lift_id", lift.lift_id) != lift.lift_id:
        errors.append(FieldError("lift_id", "cannot change", "add the lift under its new id and delete this one"))
    return (None if errors else replace(lift, **facts)), errors


def decoded(document: str | bytes, remedy: str) -> str:
    """Return the text of a file without its byte order mark; raise NotUtf8 with the remedy."""
    try:
        return (document.decode() if isinstance(document, bytes) else document).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise NotUtf8(f"not UTF-8 at byte {error.start}; {remedy}") from None


def read_json(document: str | bytes) -> ReadResult:
    """Return the lifts of a JSON list of objects (or of its `items`), and the refused rows."""
    try:
        rows = orjson.loads(decoded(document, "save the file as UTF-8, a list of objects, one for each lift"))
    except orjson.JSONDecodeError as error:
        raise FactsError(f"not JSON: {error}; write a list of objects, one for each lift") from None
    rows = rows.get("items") if isinstance(rows, dict) else rows
    if not isinstance(rows, list):
        raise FactsError("not a list; write a list of objects, one for each lift")
    return read_rows(enumerate(rows, start=1))


def export_json(lifts: Iterable[LiftFacts]) -> str:
    """Return the lifts as a JSON list that `read_json` reads back."""
    return orjson.dumps([asdict(lift) for lift in lifts], option=orjson.OPT_INDENT_2).decode()


REQUIRED = ("lift_id", "district")
_DEFAULTS = asdict(LiftFacts("", ""))


def read_rows(rows: Iterable[tuple[int, Any]]) -> ReadResult:
    """Return the lifts of numbered rows, and the refused rows; of two rows with one lift id the second is refused."""
    accepted: dict[str, tuple[int, LiftFacts]] = {}
    refused = []
    for number, row in rows:
        if not isinstance(row, Mapping):
            lift, errors = None, [FieldError("row", "is not an object", "write the facts of a lift by name")]
        else:
            lift, errors = read_row(row)
        if lift is not None and lift.lift_id in accepted:
            before = accepted[lift.lift_id][0]
            errors = [FieldError("lift_id", f"{lift.lift_id} is in row {before} too", "keep one of the two")]
        if lift is not None and not errors:
            accepted[lift.lift_id] = (number, lift)
        else:
            named = row.get("lift_id") if isinstance(row, Mapping) else None
            refused.append(RefusedRow(number, named[:64] if isinstance(named, str) else None, tuple(errors)))
    return [lift for _, lift in accepted.values()], refused


def search_text(lift_id: str, facts: LiftFacts | None) -> str:
    """Return the text in which a search for a lift looks: its id, name, address, firm and owner, for `casefold`."""
    named = () if facts is None else (facts.name, facts.address, facts.maintenance_firm, facts.owner)
    return "\n".join(part for part in (lift_id, *named) if part).casefold()


def name_in_language(text: str, language: str) -> str:
    """Return the half of a name in two languages (`中文 · English`, in either order) that is in `language`.

    Names of lifts, addresses, organisations and districts may have two halves; any other name is returned whole.
    Filters and scopes compare the whole name.
    """
    halves = text.split(NAME_SEPARATOR)
    chinese = [bool(HAN.search(half)) for half in halves]
    if sorted(chinese) != [False, True]:
        return text
    return halves[chinese.index(language == "zh")]
