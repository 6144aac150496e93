"""A world that behaves like a fleet and plays itself to a broker."""
