"""The audit log: who did what to what, as a chain of rows of which each holds the hash of the one before."""
