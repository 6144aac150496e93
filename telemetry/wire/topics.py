"""The refusal of a topic: which level is wrong, and what it may be. Pure; no topic makes it raise anything else."""

from __future__ import annotations

from difflib import get_close_matches

from telemetry.streams import DISTRICT_PATTERN, LIFT_ID_PATTERN, STREAMS
from telemetry.wire.parsed import Invalid

FORM = "lift/v1/{district}/{lift_id}/{stream}"
SHOWN_CHARS = 40


def refused_topic(topic: str) -> Invalid:
    """Return the refusal of a topic that is not of the form."""
    levels = topic.split("/")
    if levels[0] == "":
        return Invalid("topic", f"begins with a slash, which makes an empty first level: remove it, as in {FORM}")
    if levels[-1] == "":
        return Invalid("topic", f"ends with a slash, which makes an empty last level: remove it, as in {FORM}")
    if levels[:2] != ["lift", "v1"]:
        return Invalid("topic", f"begins with {_shown('/'.join(levels[:2]))}: must begin with lift/v1, as in {FORM}")
    if len(levels) != 5:
        return Invalid("topic", f"has {len(levels)} levels where there must be 5: {FORM}")
    _, _, district, lift_id, stream = levels
    if not DISTRICT_PATTERN.fullmatch(district):
        return Invalid("topic", f"the district {_shown(district)} must be 1 to 32 of a-z, 0-9 and -")
    if not LIFT_ID_PATTERN.fullmatch(lift_id):
        return Invalid("topic", f"the lift id {_shown(lift_id)} must be 1 to 64 of A-Z, a-z, 0-9, _ and -")
    near = get_close_matches(stream[:SHOWN_CHARS].strip().lower(), STREAMS, n=1)
    guess = f"; did you mean {near[0]}?" if near else ""
    return Invalid("stream", f"{_shown(stream)} is no stream: must be one of {', '.join(STREAMS)}{guess}")


def _shown(level: str) -> str:
    """Return the beginning of a level, with a note on blanks, which are hard to see."""
    shown = repr(level[:SHOWN_CHARS])
    return f"{shown} (with a blank: remove it)" if any(map(str.isspace, level)) else shown
