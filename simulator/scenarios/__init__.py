"""Scenarios: their files, their checks, and the faults that they plan."""
