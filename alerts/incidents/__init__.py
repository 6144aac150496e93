"""Incidents: the alerts of one lift, or of one building without power, that people act on as one."""
