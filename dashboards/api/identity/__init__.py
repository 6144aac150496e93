"""Routes of sessions, the own account, people and organisations."""
