"""Requests of changes that can hide a danger: made, decided, and ended by time."""
