"""Maintenance windows as JSON, each as a scope reads it: an unshared note is read by the organisation that wrote it."""

from __future__ import annotations

import time
from typing import Any

from registry.scope import LiftScope
from store.records.repository import WindowRecord
from telemetry import instant


def has_hidden_note(window: WindowRecord | None, reader: LiftScope) -> bool:
    """Return whether the note of a maintenance window is not read in a scope."""
    return window is not None and not (window.shared or reader.reads_notes_of(window.organisation))


def window_document(window: WindowRecord | None, reader: LiftScope) -> dict[str, Any] | None:
    """Return a maintenance window as JSON, of a hidden note only who wrote it; None where the window is over."""
    if window is None or window.until_ns <= time.time_ns():
        return None
    is_hidden = has_hidden_note(window, reader)
    return {
        "from": instant.text(window.from_ns),
        "until": instant.text(window.until_ns),
        "by": window.organisation if is_hidden else window.by,
        "note": None if is_hidden else window.note,
        "organisation": window.organisation,
        "shared": window.shared,
    }
