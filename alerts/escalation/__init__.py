"""Escalation: who is called about an incident, when, and who next while nobody acknowledges it. Pure."""
