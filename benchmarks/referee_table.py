"""Tables."""

from evaluation.evaluate import Report


def tables(faults: Report, quiet: Report) -> str:
    """Return."""
    return ""
