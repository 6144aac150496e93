"""Rope oscillation, vibration, and the readings of sensors."""
