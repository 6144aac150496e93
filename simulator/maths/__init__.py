"""Random numbers, the simulated calendar, and the kinematics of runs, brakes, buffers and safety gear."""
