"""Records of the monitors themselves: partition, position and snapshot of each, and the latest state of its lifts."""
