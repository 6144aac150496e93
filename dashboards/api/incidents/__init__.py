"""The routes of incidents: the list, one incident with its story, and the actions of people."""
