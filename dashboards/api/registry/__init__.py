"""Routes that change the registry: one lift at a time, and imports of many from a file."""
