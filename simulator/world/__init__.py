"""The world, stepped one second at a time, and what is truly the case in it."""
