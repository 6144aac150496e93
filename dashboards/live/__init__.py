"""The fleet's latest state and the live stream made of it."""
