"""Secrets that have to be read again: encrypted at rest, with keys outside the database."""
