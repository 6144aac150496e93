"""Records of the monitors themselves: partition, position and snapshot of each, the latest state of its lifts, and the
health of lifts."""
