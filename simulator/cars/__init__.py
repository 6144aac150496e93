"""The operation of each car: calls, runs, doors, dispatching, and the course of a fault in the car's cycle."""
