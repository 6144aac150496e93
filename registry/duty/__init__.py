"""Duty: the rosters of an organisation, and who is on duty at an instant. Pure."""
