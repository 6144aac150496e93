"""Rosters, escalation policies, calendar links and the progress of calls, by organisation."""
