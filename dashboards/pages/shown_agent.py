"""A browser as the page of the account shows it: `Firefox · Windows` instead of the whole User-Agent header."""

from __future__ import annotations

BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iPadOS"), ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip
"""A part of the header, and the name for it: the first that is found counts, as Chrome claims to be Safari too."""


def shown_agent(agent: str) -> str:
    """Return browser and system of a User-Agent header; the whole header where either is unknown."""
    found = [next((name for mark, name in names if mark in agent), "") for names in (BROWSERS, SYSTEMS)]
    return " · ".join(found) if all(found) else agent
