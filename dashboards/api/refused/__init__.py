"""Refused requests in the audit log, and the texts of refused messages."""
