"""The registry: the facts of lifts, maintenance windows, and the catalogue of rules as data."""
