"""The sentence of an alert in each language: a rule's format string with the evidence.

Rendering never fails: evidence that is missing or not a number becomes a dash, never an error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from string import Formatter
from typing import Any

UNKNOWN = "–"


class _Forgiving(Formatter):
    """Formats numbers in the evidence; any other value becomes `UNKNOWN`."""

    def get_field(self, field_name: str, args: Any, kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        """Look evidence up by its plain name only, without attributes and indices."""
        return kwargs.get(field_name), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        """Format a number; return `UNKNOWN` for any other value."""
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return UNKNOWN
        try:
            return format(value, format_spec)
        except (ValueError, TypeError):
            return UNKNOWN


def render(sentence: Mapping[str, str], name: Mapping[str, str], evidence: Mapping[str, float]) -> dict[str, str]:
    """Return the sentence in each language; a language that has only a name, or a broken sentence, gets the name."""
    return {
        language: _rendered(sentence.get(language, ""), name.get(language, ""), evidence)
        for language in {**name, **sentence}
    }


def _rendered(sentence: str, name: str, evidence: Mapping[str, float]) -> str:
    try:
        return _Forgiving().vformat(sentence, (), evidence) or name
    except (ValueError, IndexError):
        return name or sentence
