"""The simulated world, advanced one second at a time, and the ground truth from which labels are made."""
