"""Vibration of the machine (bearings), and faults of the accelerometer itself."""
