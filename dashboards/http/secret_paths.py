"""Paths whose secret is a password of its own, as logs and audit rows may show them."""

from __future__ import annotations

import re

SECRET_IN_PATH = re.compile(r"^/+(calendars|answer|reports)/[^/]+")


def without_secret(path: str) -> str:
    """Return a path with `…` instead of the secret of a calendar, of an answer or of a public report."""
    return SECRET_IN_PATH.sub(r"/\1/…", path)
