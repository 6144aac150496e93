"""Scenarios, and playing them or a recording to a broker."""
