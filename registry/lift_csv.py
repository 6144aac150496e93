"""The facts of lifts as CSV: a header line of field names, then one line for each lift; an export can be read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from registry.fact_checks import CHECKS, unknown_field
from registry.lift_facts import REQUIRED, FactsError, LiftFacts, ReadResult, decoded, read_rows
from registry.spreadsheet import read_cell, written_cell

SEPARATORS = {";": "semicolons", "\t": "tabs"}


def read_csv(document: str | bytes) -> ReadResult:
    """Return the lifts of a CSV document whose first line names the fields, and the refused rows."""
    text = decoded(document, 'save the file as UTF-8 (in a spreadsheet: "CSV UTF-8")')
    _refuse_other_separators(text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        rows = [(number, cells) for number, cells in enumerate(reader, start=2) if any(map(str.strip, cells))]
    except csv.Error as error:
        raise FactsError(f'not CSV: {error} in line {reader.line_num}; separate by commas, quote by "') from None
    wrong = [str(unknown_field(name)) for name in header if name not in CHECKS]
    wrong += [f"{field}: the column is missing; every lift needs one" for field in REQUIRED if field not in header]
    wrong += [f"{name}: there are two such columns; keep one" for name in sorted(set(header)) if header.count(name) > 1]
    if wrong:
        raise FactsError("the first line must name the fields: " + ". ".join(wrong))
    return read_rows((number, _cells(header, cells)) for number, cells in rows)


def export_csv(lifts: Iterable[LiftFacts]) -> str:
    """Return the lifts as CSV that `read_csv` reads back."""
    document = io.StringIO(newline="")
    writer = csv.writer(document)
    writer.writerow(CHECKS)
    writer.writerows([_cell(getattr(lift, field)) for field in CHECKS] for lift in lifts)
    return document.getvalue()


def _refuse_other_separators(header: str) -> None:
    """Raise FactsError where the header line is separated by something else than commas."""
    for separator, name in SEPARATORS.items():
        if "," not in header and separator in header:
            raise FactsError(
                f"the columns are separated by {name}; separate them by commas, as in lift_id,district,name"
            )


def _cells(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """Return the cells by the names of their columns; a cell beyond the last column is an unknown field."""
    return {header[i] if i < len(header) else f"column {i + 1}": read_cell(cell) for i, cell in enumerate(cells)}


def _cell(fact: Any) -> str:
    if isinstance(fact, tuple):
        fact = ";".join(f"{floor.label}:{written_cell(floor.height_m)}" for floor in fact)
    return written_cell(fact)
