"""The routes of duty: rosters and who is on duty, calendars, escalation policies, who would be called."""
