"""The records of incidents: their tables, changes, queries and announcements."""
