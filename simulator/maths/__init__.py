"""Random numbers, the calendar, and the kinematics of a run."""
