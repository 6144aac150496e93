"""The messages that terminals send, and the faults of terminals and of their network."""
