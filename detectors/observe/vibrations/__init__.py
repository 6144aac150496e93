"""What vibration tells of the accelerometer itself, and of the machine."""
