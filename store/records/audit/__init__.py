"""The audit log: actor, action and object of every change, in rows that each hold the hash of the one before."""
