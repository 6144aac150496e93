"""Putting messages in order: repeats, restarts, gaps, lateness and alignment."""
