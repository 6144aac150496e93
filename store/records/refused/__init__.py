"""Refused messages, and the shares of their table."""
