"""Escalation at work: the calls that are due about open incidents, put into the outbox of notifications."""
