"""The line that commands print about the compiling of recurrences."""

from __future__ import annotations

from ingest.warm_up import WarmUp
from telemetry.compiled import not_kept


def summary(done: WarmUp) -> str:
    """Return a line with the compiled recurrences, the time, and a remedy where the cache cannot be written."""
    if not done.compiled:
        return f"nothing to compile: the code of every recurrence is in the cache ({done.took_s:.1f} s)"
    compiled = f"{done.compiled} functions compiled in {done.took_s:.1f} s"
    why = not_kept()
    if not why:
        return f"{compiled}; the next start takes them from the cache"
    return f"{compiled}, which every start will do again: the cache cannot be written ({why}); set NUMBA_CACHE_DIR"
