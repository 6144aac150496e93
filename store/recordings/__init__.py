"""Recordings: their format, their files, and the export of stored readings as one."""
