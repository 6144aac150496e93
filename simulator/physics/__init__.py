"""Forces, vibration, wear and what sensors read."""
