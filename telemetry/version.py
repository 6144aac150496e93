"""The version of Liftwatch."""

from __future__ import annotations

VERSION = "0.1.0"
