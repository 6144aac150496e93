"""Which parts of an entry name a lift that its reader does not see. Pure.

about    a lift (a stage of one), an alert, another incident, or words of this table
to       a lift of `TO_LIFT`, else a person or an organisation
note     the text of a public report, which may name anything
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol

from alerts.incidents.incident import (
    ACCEPTED,
    ARRIVED,
    CALLED,
    CALLED_OUT,
    CLOSED,
    DECLINED,
    LEVEL,
    NO_ANSWER,
    OVERDUE,
    REPORTED,
    RESCUE_STAGES,
    RETRACTED,
    TO_LIFT,
    UNREACHED,
)

ABOUT_WORDS = (
    CALLED, REPORTED, CLOSED, CALLED_OUT, ACCEPTED, DECLINED, NO_ANSWER, OVERDUE, LEVEL, RETRACTED, ARRIVED, UNREACHED,
)  # fmt: skip
"""Entries whose `about` names no lift, alert or other incident."""


class EntryParts(Protocol):
    """The parts of an entry that may name a lift."""

    @property
    def kind(self) -> str: ...
    @property
    def by(self) -> str | None: ...
    @property
    def organisation(self) -> str | None: ...
    @property
    def about(self) -> str | None: ...
    @property
    def to(self) -> str | None: ...
    @property
    def note(self) -> str | None: ...


def is_public_text(entry: EntryParts) -> bool:
    """Return whether an entry has the text of a public report: those of other persons have an author."""
    return entry.by is None and entry.organisation is None and entry.note is not None


def parts_of_foreign_lifts(
    entry: EntryParts, lift_ids: Collection[str], is_foreign: Callable[[str], bool], *, reads_text: bool
) -> dict[str, Any]:
    """Return the parts of an entry that name a lift outside `lift_ids`, each as None.

    `is_foreign` tells whether the id of an alert, or of another incident, is of foreign lifts; `reads_text` whether the
    text of a public report is of a lift in `lift_ids`.
    """
    names = {
        "about": entry.about is not None and _is_about_foreign(entry.kind, entry.about, lift_ids, is_foreign),
        "to": entry.kind in TO_LIFT and entry.to is not None and entry.to not in lift_ids,
        "note": is_public_text(entry) and not reads_text,
    }
    return {part: None for part, is_hidden in names.items() if is_hidden}


def _is_about_foreign(kind: str, about: str, lift_ids: Collection[str], is_foreign: Callable[[str], bool]) -> bool:
    if kind in RESCUE_STAGES:
        return about not in lift_ids
    return kind not in ABOUT_WORDS and is_foreign(about)
