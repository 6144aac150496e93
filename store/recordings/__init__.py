"""Recordings: their format and their files."""
