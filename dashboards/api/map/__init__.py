"""The map: points of lifts with their incidents, outlines of districts, and base tiles that the operator provides."""
