"""The tables of docs/roles.md, the two lifts that they are tried with, and the roles."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from registry.actor import Actor
from registry.roles import OrganisationKind, Role
from telemetry.instant import rfc3339

DOCUMENT = (Path(__file__).parents[3] / "docs" / "roles.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)
ROLES = [(kind, role) for kind in OrganisationKind for role in Role]
MINE, THEIRS = "L001", "L000"
PUBLIC, ACCOUNT = "public", "account"
"""In place of a verb: for everyone, or for every account."""
BY = Actor.named("test")
Act = Callable[[OrganisationKind, Role], None]
LATER = rfc3339(4_000_000_000_000_000_000)
FOREIGN_SUMMARY = "at 9.99 m/s"
"""The summary of the shared incident, of the alert of `THEIRS`."""
READERS_OF_ALL_NOTES = (OrganisationKind.OPERATOR, OrganisationKind.AUTHORITY)


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading, without its header."""
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [[cell.strip(" `") for cell in row.split("|")] for row in ROW.findall(section)]
    return [rows[0], *rows[2:]]


ROUTES = [(method, path, verb) for method, path, verb in table("Routes")[1:]]


ASKED = [
    (method, path, verb) for method, path, verb in ROUTES if verb not in (PUBLIC, ACCOUNT) and path != "/api/v1/live"
]
